//! Two connections at once: one changes the object of the other one's decision.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::time::Duration;

use auth_core::{AccessError, Permission, Scoped, Stored, mechanism::FindByToken};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, connection::SimpleConnection};
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database},
    error::ServiceError,
    models::{Asset, Sensor},
    schema::{accounts, assets, sensors},
};

use super::{
    SERVER,
    models::{WORLD, token},
};

const MEMBER: &str = "member@x";
const CONSULTANT: &str = "consultant@x";

fn subject(email: &str, connection: &mut Connection) -> LoggedIn {
    LoggedIn::find_by_token(&token(email, connection).hash(), connection).unwrap()
}

/// The first asset goes to another account.
fn move_asset(connection: &mut Connection) -> QueryResult<usize> {
    diesel::update(assets::table.find(1)).set(assets::account_id.eq(2)).execute(connection)
}

/// The first account gets another consultancy.
fn change_consultancy(connection: &mut Connection) -> QueryResult<usize> {
    diesel::update(accounts::table.find(1)).set(accounts::consultancy_account_id.eq(2)).execute(connection)
}

#[test]
fn a_change_under_the_condition_hits_nothing_that_was_lost_meanwhile() {
    type Loses = fn(&mut Connection) -> QueryResult<usize>;
    for (who, lose) in
        [(MEMBER, move_asset as Loses), (CONSULTANT, move_asset), (CONSULTANT, change_consultancy)]
    {
        let place = SERVER.database();
        let database = Database::open(place.location(), 2, Duration::from_secs(5)).unwrap();
        let (one, other) = (&mut *database.connection().unwrap(), &mut *database.connection().unwrap());
        one.batch_execute(WORLD).unwrap();
        let who = subject(who, one);
        assert!(Asset::check_access(one, &who, 1, Permission::UPDATE).unwrap().is_allowed());
        let rename = |connection: &mut Connection| {
            diesel::update(Asset::changeable_by(&who, Permission::UPDATE).find(1))
                .set(assets::name.eq("renamed"))
                .execute(connection)
        };
        let remove = |connection: &mut Connection| {
            diesel::delete(Sensor::changeable_by(&who, Permission::CREATE_CHILDREN).find(1))
                .execute(connection)
        };
        assert_eq!(rename(one), Ok(1));
        lose(other).unwrap();
        assert_eq!((rename(one), remove(one)), (Ok(0), Ok(0)));
        let denied = one.immediate_transaction(|connection| {
            Asset::authorize_for_update(connection, &who, 1, Permission::UPDATE)
        });
        assert!(matches!(denied, Err(AccessError::Denied(_))));
    }
}

/// Until the transaction ends, neither the row nor its parents change.
#[test]
fn what_is_authorized_for_a_change_stays_so_until_its_end() {
    let place = SERVER.database();
    let database = Database::open(place.location(), 2, Duration::from_secs(5)).unwrap();
    let (one, other) = (&mut *database.connection().unwrap(), &mut *database.connection().unwrap());
    one.batch_execute(WORLD).unwrap();
    let consultant = subject(CONSULTANT, one);
    let patience = match other {
        Connection::Sqlite(_) => "PRAGMA busy_timeout = 100",
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => "SET lock_timeout = '100ms'",
        #[cfg(feature = "mysql")]
        Connection::Mysql(_) => "SET innodb_lock_wait_timeout = 1",
    };
    other.batch_execute(patience).unwrap();
    one.immediate_transaction(|connection| {
        // The sensor's policy refers to the asset, and that one's to the account.
        Sensor::authorize_for_update(connection, &consultant, 1, Permission::UPDATE)?;
        let take_away =
            |connection: &mut Connection| diesel::delete(sensors::table.find(1)).execute(connection);
        for change in [take_away, move_asset, change_consultancy] {
            let waited = change(other).map_err(ServiceError::from);
            assert!(matches!(waited, Err(ServiceError::Unavailable(_))), "{waited:?}");
        }
        let hit = diesel::update(sensors::table.find(1)).set(sensors::unit.eq("W")).execute(connection)?;
        assert_eq!(hit, 1);
        Ok::<_, ServiceError>(())
    })
    .unwrap();
    assert_eq!((move_asset(other), change_consultancy(other)), (Ok(1), Ok(1)));
}

/// A change that began before, and ends while the other one waits: it is waited for, and then decided anew.
#[test]
fn who_waits_for_a_change_decides_by_what_it_left() {
    let place = SERVER.database();
    let database = Database::open(place.location(), 2, Duration::from_secs(5)).unwrap();
    let one = &mut *database.connection().unwrap();
    one.batch_execute(WORLD).unwrap();
    let member = subject(MEMBER, one);
    let begin = match one {
        Connection::Sqlite(_) => "BEGIN IMMEDIATE",
        #[cfg(feature = "postgres")]
        Connection::Postgres(_) => "BEGIN",
        #[cfg(feature = "mysql")]
        Connection::Mysql(_) => "BEGIN",
    };
    one.batch_execute(begin).unwrap();
    move_asset(one).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let other = &mut *database.connection().unwrap();
            other.immediate_transaction(|connection| {
                Asset::authorize_for_update(connection, &member, 1, Permission::CREATE_CHILDREN)
            })
        });
        // It may wait by now or not have begun: the answer is the same.
        std::thread::yield_now();
        one.batch_execute("COMMIT").unwrap();
        assert!(matches!(waiter.join().unwrap(), Err(AccessError::Denied(_))));
    });
}

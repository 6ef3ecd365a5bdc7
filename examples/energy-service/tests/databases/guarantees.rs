//! The constraints of the database itself, independent of the code that writes to it, and its behaviour when it is busy.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{thread, time::Duration};

use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    connection::{SimpleConnection, TransactionManager},
    result::Error,
};
use energy_service::{
    database::{Connection, Database, Instant},
    error::ServiceError,
    models::Measurement,
    schema::{accounts, assets, measurements, roles, sensors, users},
    test::TestDatabase,
};

use super::SERVER;

fn open(place: &TestDatabase, pool_size: u32) -> Database {
    Database::open(place.location(), pool_size, Duration::from_secs(20)).unwrap()
}

fn account(name: &str, connection: &mut Connection) -> QueryResult<i32> {
    diesel::insert_into(accounts::table).values(accounts::name.eq(name)).execute(connection)?;
    connection.last_id()
}

fn user(email: &str, account: i32, connection: &mut Connection) -> QueryResult<i32> {
    diesel::insert_into(users::table)
        .values((
            users::account_id.eq(account),
            users::email.eq(email),
            users::username.eq("somebody"),
            users::password_hash.eq(""),
        ))
        .execute(connection)?;
    connection.last_id()
}

fn asset(account: Option<i32>, parent: Option<i32>, connection: &mut Connection) -> QueryResult<i32> {
    diesel::insert_into(assets::table)
        .values((
            assets::name.eq("an asset"),
            assets::account_id.eq(account),
            assets::parent_asset_id.eq(parent),
        ))
        .execute(connection)?;
    connection.last_id()
}

fn sensor(asset: i32, connection: &mut Connection) -> QueryResult<i32> {
    diesel::insert_into(sensors::table)
        .values((
            sensors::asset_id.eq(asset),
            sensors::name.eq("a sensor"),
            sensors::unit.eq("kW"),
            sensors::event_resolution_minutes.eq(15),
        ))
        .execute(connection)?;
    connection.last_id()
}

#[test]
fn an_address_is_unique_without_regard_to_case_and_a_name_is_not() {
    let place = SERVER.database();
    let connection = &mut *open(&place, 1).connection().unwrap();
    let account = account("an account", connection).unwrap();
    user("somebody@x", account, connection).unwrap();
    user("sömebody@x", account, connection).unwrap();
    for email in ["somebody@x", "Somebody@X"] {
        assert!(matches!(user(email, account, connection), Err(Error::DatabaseError(..))), "{email}");
    }

    for name in ["admin", "Admin", "ádmin"] {
        diesel::insert_into(roles::table).values(roles::name.eq(name)).execute(connection).unwrap();
    }
    let found: Vec<String> =
        roles::table.filter(roles::name.eq("Admin")).select(roles::name).load(connection).unwrap();
    assert_eq!(found, ["Admin"]);
    let ordered: Vec<String> = roles::table.order(roles::name).select(roles::name).load(connection).unwrap();
    assert_eq!(ordered, ["Admin", "admin", "ádmin"]);
}

#[test]
fn an_id_is_given_once() {
    let place = SERVER.database();
    let connection = &mut *open(&place, 1).connection().unwrap();
    let first = account("first", connection).unwrap();
    diesel::delete(accounts::table).execute(connection).unwrap();
    assert!(account("second", connection).unwrap() > first);
}

#[test]
fn what_belongs_together_goes_together_and_nothing_becomes_public() {
    let place = SERVER.database();
    let connection = &mut *open(&place, 1).connection().unwrap();
    let consultancy = account("consultancy", connection).unwrap();
    let client = account("client", connection).unwrap();
    diesel::update(accounts::table.find(client))
        .set(accounts::consultancy_account_id.eq(consultancy))
        .execute(connection)
        .unwrap();
    let whole = asset(Some(client), None, connection).unwrap();
    let part = asset(Some(client), Some(whole), connection).unwrap();
    let sensor = sensor(whole, connection).unwrap();
    let event = Measurement { sensor_id: sensor, event_start: Instant::now(), event_value: 1.0 };
    Measurement::insert(&[event], connection).unwrap();

    let refused = diesel::delete(accounts::table.find(client)).execute(connection);
    assert!(matches!(refused, Err(Error::DatabaseError(..))));
    assert!(asset(Some(99), None, connection).is_err(), "an asset of nobody");
    let twice = ServiceError::or_duplicate(Measurement::insert(&[event], connection).unwrap_err(), "twice");
    assert!(matches!(twice, ServiceError::Conflict("twice")), "{twice:?}");

    diesel::delete(accounts::table.find(consultancy)).execute(connection).unwrap();
    let consultancy: Option<i32> =
        accounts::table.find(client).select(accounts::consultancy_account_id).first(connection).unwrap();
    assert_eq!(consultancy, None);
    diesel::delete(assets::table.find(whole)).execute(connection).unwrap();
    assert_eq!(sensors::table.count().get_result(connection), Ok(0));
    assert_eq!(measurements::table.count().get_result(connection), Ok(0));
    let parent: Option<i32> =
        assets::table.find(part).select(assets::parent_asset_id).first(connection).unwrap();
    assert_eq!(parent, None);
}

#[test]
fn measurements_are_kept_as_they_are() {
    let place = SERVER.database();
    let connection = &mut *open(&place, 1).connection().unwrap();
    let asset = asset(None, None, connection).unwrap();
    let sensor_id = sensor(asset, connection).unwrap();
    let rows: Vec<_> = [
        ("0001-01-01T00:00:00", -1.5),
        ("1969-12-31T23:59:59.999999", f64::MIN_POSITIVE),
        ("2038-01-19T03:14:08", f64::MAX),
        ("2038-01-19T03:14:08.000001", 0.1),
        ("9999-12-31T23:59:59.999999", f64::MIN),
    ]
    .into_iter()
    .map(|(event_start, event_value)| Measurement {
        sensor_id,
        event_start: Instant(event_start.parse().unwrap()),
        event_value,
    })
    .collect();
    Measurement::insert(&rows, connection).unwrap();
    let stored: Vec<Measurement> = measurements::table
        .filter(measurements::event_start.ge(rows.first().unwrap().event_start))
        .filter(measurements::event_start.le(rows.last().unwrap().event_start))
        .order(measurements::event_start)
        .load(connection)
        .unwrap();
    assert_eq!(stored, rows);
}

/// Each transaction counts the accounts and names a new one after their number. Had any two seen the same, a name
/// would be there twice.
#[test]
fn transactions_that_read_and_write_do_not_see_through_each_other() {
    let place = SERVER.database();
    let database = open(&place, 4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut connection = database.connection().unwrap();
                    connection
                        .immediate_transaction(|connection| {
                            let count: i64 = accounts::table.count().get_result(connection)?;
                            account(&format!("{count:02}"), connection)
                        })
                        .unwrap();
                }
            });
        }
    });
    let mut connection = database.connection().unwrap();
    let names: Vec<String> =
        accounts::table.order(accounts::name).select(accounts::name).load(&mut connection).unwrap();
    assert_eq!(names, (0..40).map(|number| format!("{number:02}")).collect::<Vec<_>>());
}

#[test]
fn what_fails_changes_nothing() {
    let place = SERVER.database();
    let connection = &mut *open(&place, 1).connection().unwrap();
    let result = connection.immediate_transaction(|connection| {
        account("half of the work", connection)?;
        Err::<(), _>(ServiceError::NotFound)
    });
    assert!(matches!(result, Err(ServiceError::NotFound)));
    assert_eq!(accounts::table.count().get_result(connection), Ok(0));
}

#[test]
fn who_waits_too_long_for_a_lock_is_told_to_try_again() {
    let place = SERVER.database();
    let database = open(&place, 2);
    let mut all = [(); 2].map(|()| database.connection().unwrap());
    for connection in &mut all {
        let patience = match &**connection {
            Connection::Sqlite(_) => "PRAGMA busy_timeout = 100",
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => "SET lock_timeout = '100ms'",
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => "SET innodb_lock_wait_timeout = 1",
        };
        connection.batch_execute(patience).unwrap();
    }
    let [holder, waiter] = &mut all;
    let id = account("contended", holder).unwrap();
    let rename = |name: &str, connection: &mut Connection| {
        diesel::update(accounts::table.find(id)).set(accounts::name.eq(name.to_owned())).execute(connection)
    };
    Connection::begin_transaction(&mut **holder).unwrap();
    rename("of the holder", holder).unwrap();
    let refused = waiter.immediate_transaction(|connection| Ok(rename("of the waiter", connection)?));
    assert!(matches!(refused, Err(ServiceError::Unavailable(_))), "{refused:?}");
    Connection::commit_transaction(&mut **holder).unwrap();
    let done = waiter
        .immediate_transaction(|connection| Ok::<_, ServiceError>(rename("of the waiter", connection)?));
    assert!(matches!(done, Ok(1)));
}

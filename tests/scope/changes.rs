//! Policies while other transactions write: no change slips between a check and a write; and a decision is one statement.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use auth_core::{
    AccessError, AuthChangeset, ChangeError, DenyReason, Permission, Scoped as _, Stored as _, User,
};
use diesel::{
    Connection as _,
    connection::{InstrumentationEvent, SimpleConnection as _},
    prelude::*,
};
use energy_service::test::TestDatabase;

use super::{
    Connection, DIALECT, SERVER, in_transaction,
    service::{Sensor, sensors},
};
use crate::{
    database::{self, Dialect},
    services::created,
};

/// Account 1 has the asset `roof`, which has the sensors 1 and 2. No user has the account 9.
const SERVICE: &str = "
    INSERT INTO accounts VALUES (1, NULL, FALSE, NULL, ''), (9, NULL, FALSE, NULL, '');
    INSERT INTO assets VALUES ('roof', 1, NULL, NULL), ('cellar', 9, NULL, NULL);
    INSERT INTO sensors VALUES (1, 'roof'), (2, 'roof');
";

/// Three statements that each take the permission away, of which two change a parent.
const REVOKED: [&str; 3] = [
    "UPDATE sensors SET asset_id = 'cellar' WHERE id = 1",
    "UPDATE assets SET account_id = 9 WHERE id = 'roof'",
    "UPDATE accounts SET id = 2 WHERE id = 1",
];

const RESTORED: &str = "
    UPDATE sensors SET asset_id = 'roof' WHERE id = 1;
    UPDATE assets SET account_id = 1 WHERE id = 'roof';
    UPDATE accounts SET id = 1 WHERE id = 2;
";

/// May change the sensors of account 1.
fn operator() -> User {
    User::new(7).with_account(1).with_roles(["operator"])
}

/// Two connections to one database. The second does not wait for the locks of the first.
struct Two {
    // Also where it is taken apart it stands in front, and so ends last: a server waits for open transactions before
    // it drops a database.
    _place: Place,
    one: Connection,
    other: Connection,
}

/// Ends with this.
enum Place {
    Server(#[expect(dead_code, reason = "dropped")] TestDatabase),
    File(std::path::PathBuf),
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::File(path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Two {
    fn new(name: &str) -> Option<Self> {
        let (mut one, mut other, place) = if DIALECT == Dialect::Sqlite {
            // In memory each connection has a database of its own.
            let path = std::env::temp_dir().join(format!("auth-scope-{}-{name}.sqlite", std::process::id()));
            let _ = std::fs::remove_file(&path);
            let url = path.to_str().unwrap();
            let connections = (Connection::establish(url).unwrap(), Connection::establish(url).unwrap());
            (connections.0, connections.1, Place::File(path))
        } else {
            let database = SERVER.database();
            let connect = || database::connect::<Connection>(SERVER, &database);
            (connect()?, connect()?, Place::Server(database))
        };
        one.batch_execute(&created(DIALECT)).unwrap();
        one.batch_execute(SERVICE).unwrap();
        other
            .batch_execute(match DIALECT {
                Dialect::Sqlite => "PRAGMA busy_timeout = 0",
                #[cfg(feature = "postgres")]
                Dialect::Postgres => "SET lock_timeout = '50ms'",
                #[cfg(feature = "mysql")]
                Dialect::Mysql => "SET innodb_lock_wait_timeout = 1",
            })
            .unwrap();
        Some(Self { _place: place, one, other })
    }
}

fn update(connection: &mut Connection, id: i64) -> QueryResult<usize> {
    diesel::update(Sensor::changeable_by(&operator(), Permission::UPDATE).find(id))
        .set(sensors::asset_id.eq("roof"))
        .execute(connection)
}

#[derive(AuthChangeset)]
#[diesel(table_name = sensors)]
struct Moved {
    asset_id: &'static str,
}

fn change(connection: &mut Connection, id: i64) -> Result<(), ChangeError> {
    Sensor::change(connection, &operator(), id, &Moved { asset_id: "roof" })
}

fn delete(connection: &mut Connection, id: i64) -> QueryResult<usize> {
    diesel::delete(Sensor::changeable_by(&operator(), Permission::DELETE).find(id)).execute(connection)
}

#[test]
fn a_change_does_not_happen_once_somebody_else_took_the_permission_away() {
    let Some(Two { _place, mut one, mut other }) = Two::new("revoked") else { return };
    let (one, other) = (&mut one, &mut other);
    for revoked in REVOKED {
        let checked = Sensor::check_access(one, &operator(), 1, Permission::UPDATE).unwrap();
        assert!(checked.is_allowed(), "{revoked}");
        other.batch_execute(revoked).unwrap();
        assert_eq!(update(one, 1), Ok(0), "{revoked}");
        assert_eq!(delete(one, 1), Ok(0), "{revoked}");
        assert!(matches!(change(one, 1), Err(ChangeError::Denied)), "{revoked}");
        other.batch_execute(RESTORED).unwrap();
        assert_eq!(update(one, 1), Ok(1), "{revoked}");
        change(one, 1).unwrap();
    }
    assert_eq!(delete(one, 1), Ok(1));
}

/// `SQLite` either blocks every writer while a transaction has a snapshot, or fails the transaction that writes by an old
/// one.
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[test]
fn nor_does_it_within_a_transaction_that_has_already_read() {
    if DIALECT == Dialect::Sqlite {
        return;
    }
    let Some(Two { _place, mut one, mut other }) = Two::new("snapshot") else { return };
    for revoked in REVOKED {
        one.transaction::<_, diesel::result::Error, _>(|one| {
            let checked = Sensor::check_access(one, &operator(), 1, Permission::UPDATE).unwrap();
            assert!(checked.is_allowed(), "{revoked}");
            other.batch_execute(revoked).unwrap();
            assert_eq!(update(one, 1), Ok(0), "{revoked}");
            assert_eq!(delete(one, 1), Ok(0), "{revoked}");
            assert!(change(one, 1).unwrap_err().is_denial(), "{revoked}");
            Ok(())
        })
        .unwrap();
        other.batch_execute(RESTORED).unwrap();
    }
}

#[test]
fn what_is_authorized_for_a_change_stays_as_it_is_until_the_transaction_ends() {
    let Some(Two { _place, mut one, mut other }) = Two::new("locked") else { return };
    in_transaction(&mut one, |one| {
        let sensor = Sensor::authorize_for_update(one, &operator(), 1, Permission::UPDATE).unwrap();
        assert_eq!(sensor.id, 1);
        for revoked in REVOKED {
            assert!(other.batch_execute(revoked).is_err(), "{revoked}");
        }
        // Rows that the policy did not read are not locked.
        let elsewhere = other.batch_execute("UPDATE assets SET owner_id = 3 WHERE id = 'cellar'");
        assert_eq!(elsewhere.is_ok(), DIALECT != Dialect::Sqlite, "{elsewhere:?}");
        assert_eq!(update(one, 1), Ok(1));
    });
    for revoked in REVOKED {
        other.batch_execute(revoked).unwrap();
        other.batch_execute(RESTORED).unwrap();
    }
}

/// Only `PostgreSQL` has a lock that keeps a row as it is and lets others refer to it.
#[cfg(feature = "postgres")]
#[test]
fn others_may_refer_to_what_is_authorized_for_a_change() {
    if DIALECT != Dialect::Postgres {
        return;
    }
    let Some(Two { _place, mut one, mut other }) = Two::new("referred") else { return };
    one.batch_execute(
        "UPDATE assets SET owner_id = 7 WHERE id = 'roof';
         CREATE TABLE parts (asset_id TEXT NOT NULL REFERENCES assets (id));
         SET lock_timeout = '50ms'",
    )
    .unwrap();
    let of_other = User::new(8).with_account(9).with_roles(["operator"]);
    let insert = |connection: &mut Connection, asset: &str| {
        connection.batch_execute(&format!("INSERT INTO parts VALUES ('{asset}')"))
    };
    // Each holds an asset and refers to that of the other: if one waited, both would wait for ever.
    in_transaction(&mut one, |one| {
        super::service::Asset::authorize_for_update(one, &operator(), "roof".to_owned(), Permission::UPDATE)
            .unwrap();
        in_transaction(&mut other, |other| {
            super::service::Asset::authorize_for_update(
                other,
                &of_other,
                "cellar".to_owned(),
                Permission::UPDATE,
            )
            .unwrap();
            insert(one, "cellar").unwrap();
            insert(other, "roof").unwrap();
        });
        // The row itself is locked all the same.
        let change = other.batch_execute("UPDATE assets SET parent_id = 'cellar' WHERE id = 'roof'");
        assert!(change.is_err());
        assert!(other.batch_execute("DELETE FROM assets WHERE id = 'roof'").is_err());
    });
    // No row may refer to one that is about to be deleted.
    in_transaction(&mut one, |one| {
        super::service::Asset::authorize_for_update(one, &operator(), "roof".to_owned(), Permission::DELETE)
            .unwrap();
        assert!(insert(&mut other, "roof").is_err());
    });
    insert(&mut other, "roof").unwrap();
}

#[test]
fn what_is_refused_or_missing_is_not_authorized_for_a_change() {
    let Some(Two { _place, mut one, .. }) = Two::new("refused") else { return };
    in_transaction(&mut one, |one| {
        let stranger = User::new(7).with_account(9).with_roles(["operator"]);
        let refused = Sensor::authorize_for_update(one, &stranger, 1, Permission::UPDATE);
        assert!(matches!(refused, Err(AccessError::Denied(DenyReason::NoMatch))), "{refused:?}");
        let missing = Sensor::authorize_for_update(one, &operator(), 3, Permission::UPDATE);
        assert!(matches!(missing, Err(AccessError::NotFound)), "{missing:?}");
    });
}

#[test]
fn nothing_is_authorized_for_a_change_where_no_transaction_could_hold_it() {
    let Some(Two { _place, mut one, .. }) = Two::new("outside") else { return };
    let outside = Sensor::authorize_for_update(&mut one, &operator(), 1, Permission::UPDATE);
    assert!(matches!(outside, Err(AccessError::Unavailable(_))), "{outside:?}");
}

#[test]
fn a_decision_is_one_statement_however_many_parents_it_asks() {
    let Some(Two { _place, mut one, .. }) = Two::new("statements") else { return };
    let one = &mut one;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    one.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().starts_with("SELECT")
        {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let statements = || count.swap(0, Ordering::Relaxed);
    assert!(Sensor::check_access(one, &operator(), 1, Permission::UPDATE).unwrap().is_allowed());
    assert_eq!(statements(), 1, "check_access");
    Sensor::explain(one, &operator(), 1, Permission::UPDATE).unwrap();
    assert_eq!(statements(), 1, "explain");
    let listed: Vec<Sensor> = Sensor::accessible_by(&operator(), Permission::UPDATE).load(one).unwrap();
    assert_eq!((listed.len(), statements()), (2, 1), "accessible_by");
    in_transaction(one, |one| {
        Sensor::authorize_for_update(one, &operator(), 1, Permission::UPDATE).unwrap();
    });
    assert_eq!(statements(), 1, "authorize_for_update");
}

//! The policies and the loaders of the models, on a small world: two accounts, the consultancy of the first, and its
//! own consultancy.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth_core::{
    AccessError, AuthModel, LoadContext, LoadError, Permission, Scoped, Stored, check_access,
    mechanism::{FindByToken, Token},
};
use diesel::{
    Connection as _, ExpressionMethods, QueryDsl, RunQueryDsl,
    connection::{InstrumentationEvent, SimpleConnection},
    query_dsl::LoadQuery,
};
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database, Instant},
    models::{
        Account, AccountAuditLog, Asset, AssetAuditLog, AssetOfAccount, AuditLog, Platform, PublicAssets,
        Sensor, User, UserAuditLog,
    },
    schema::{auth_tokens, users},
    test::TestDatabase,
};

use super::SERVER;

pub(super) const WORLD: &str = "
    INSERT INTO accounts (id, name, consultancy_account_id) VALUES
        (4, 'consultancy of the consultancy', NULL), (3, 'consultancy', 4), (1, 'first', 3), (2, 'second', NULL);
    INSERT INTO account_roles (id, name) VALUES (1, 'Consultancy'), (2, 'Prosumer');
    INSERT INTO accounts_account_roles (account_id, account_role_id) VALUES (1, 1), (1, 2), (3, 1);
    INSERT INTO roles (id, name) VALUES (1, 'account-admin'), (2, 'consultant'), (3, 'admin'), (4, 'admin-reader');
    INSERT INTO users (id, account_id, email, username, password_hash) VALUES
        (11, 1, 'member@x', 'member', ''), (12, 1, 'account-admin@x', 'account-admin', ''),
        (13, 1, 'own-consultant@x', 'consultant of another account', ''), (21, 2, 'stranger@x', 'stranger', ''),
        (22, 2, 'other-account-admin@x', 'account-admin of another account', ''),
        (31, 3, 'consultant@x', 'consultant', ''), (32, 3, 'colleague@x', 'no consultant', ''),
        (41, 4, 'far-consultant@x', 'consultant of the consultancy', ''), (42, 4, 'admin@x', 'admin', ''),
        (43, 4, 'admin-reader@x', 'admin-reader', '');
    INSERT INTO users_roles (user_id, role_id) VALUES
        (12, 1), (13, 2), (22, 1), (31, 2), (41, 2), (42, 3), (43, 4);
    INSERT INTO assets (id, name, account_id) VALUES (1, 'of the first', 1), (2, 'public', NULL);
    INSERT INTO sensors (id, asset_id, name, unit, event_resolution_minutes) VALUES
        (1, 1, 'power', 'kW', 15), (2, 2, 'temperature', '°C', 60);
    INSERT INTO audit_log (id, event_datetime, event, affected_user_id, affected_account_id) VALUES
        (1, '2026-11-23 09:00:00', 'of the first', 11, 1);
    INSERT INTO asset_audit_log (id, event_datetime, event, affected_asset_id) VALUES
        (1, '2026-11-23 09:00:00', 'of the first', 1);
";

fn world(place: &TestDatabase) -> Database {
    let database = Database::open(place.location(), 2, Duration::from_secs(5)).unwrap();
    database.connection().unwrap().batch_execute(WORLD).unwrap();
    database
}

/// A new token of this user.
pub(super) fn token(email: &str, connection: &mut Connection) -> Token {
    let token = Token::generate().unwrap();
    let user: i32 = users::table.filter(users::email.eq(email)).select(users::id).first(connection).unwrap();
    diesel::insert_into(auth_tokens::table)
        .values((
            auth_tokens::token_hash.eq(token.hash().as_bytes().as_slice()),
            auth_tokens::user_id.eq(user),
            auth_tokens::created_at.eq(Instant::now()),
        ))
        .execute(connection)
        .unwrap();
    token
}

fn log_in(email: &str, connection: &mut Connection) -> Result<LoggedIn, LoadError> {
    LoggedIn::find_by_token(&token(email, connection).hash(), connection)
}

/// The local parts of the addresses of those who may.
fn who(connection: &mut Connection, may: impl Fn(&LoggedIn, &mut Connection) -> bool) -> Vec<String> {
    let emails: Vec<String> = users::table.order(users::id).select(users::email).load(connection).unwrap();
    emails
        .into_iter()
        .filter(|email| may(&log_in(email, connection).unwrap(), connection))
        .map(|email| email.trim_end_matches("@x").to_owned())
        .collect()
}

/// The same by each use of a policy: the decision about a row, the list, and the lock for a change.
fn who_may<C>(permission: Permission, id: i32, connection: &mut Connection) -> Vec<String>
where
    C: Stored<Id = i32, Connection = Connection> + Scoped<Query: LoadQuery<'static, Connection, C>>,
{
    let by_row = who(connection, |subject, connection| {
        C::check_access(connection, subject, id, permission).unwrap().is_allowed()
    });
    let by_list = who(connection, |subject, connection| {
        let rows: Vec<C> = C::accessible_by(subject, permission).load(connection).unwrap();
        rows.iter().any(|row| C::key_of(row) == id)
    });
    let by_lock = who(connection, |subject, connection| {
        let locked = connection.immediate_transaction(|connection| {
            C::authorize_for_update(connection, subject, id, permission).map(|row| C::key_of(&row))
        });
        match locked {
            Ok(found) => found == id,
            Err(error) => {
                assert!(matches!(error, AccessError::Denied(_)), "{error}");
                false
            }
        }
    });
    assert_eq!(by_row, by_list, "{permission} by list");
    assert_eq!(by_row, by_lock, "{permission} by lock");
    by_row
}

fn who_may_by_hand<C: AuthModel>(
    permission: Permission,
    context: &C,
    connection: &mut Connection,
) -> Vec<String> {
    who(connection, |subject, _| check_access(subject, context, permission).is_allowed())
}

#[test]
fn the_lists_let_in_whom_they_should() {
    const ALL: [&str; 10] = [
        "member",
        "account-admin",
        "own-consultant",
        "stranger",
        "other-account-admin",
        "consultant",
        "colleague",
        "far-consultant",
        "admin",
        "admin-reader",
    ];
    const READERS: [&str; 6] =
        ["member", "account-admin", "own-consultant", "consultant", "admin", "admin-reader"];
    const CHANGERS: [&str; 5] = ["member", "account-admin", "own-consultant", "consultant", "admin"];
    const IN_CHARGE: [&str; 3] = ["account-admin", "consultant", "admin"];
    const SELF_OR_IN_CHARGE: [&str; 4] = ["member", "account-admin", "consultant", "admin"];
    const ADMIN: [&str; 1] = ["admin"];
    const ADMINS: [&str; 2] = ["admin", "admin-reader"];
    const PERMISSIONS: [Permission; 4] =
        [Permission::CREATE_CHILDREN, Permission::READ, Permission::UPDATE, Permission::DELETE];

    let place = SERVER.database();
    let database = world(&place);
    let mut connection = database.connection().unwrap();
    let connection = &mut *connection;
    // In the order create-children, read, update, delete.
    let check = |name: &str, may: [Vec<String>; 4], expected: [&[&str]; 4]| {
        for (permission, (may, expected)) in
            ["create-children", "read", "update", "delete"].into_iter().zip(may.into_iter().zip(expected))
        {
            assert_eq!(may, expected, "{permission} of {name}");
        }
    };
    macro_rules! may {
        ($context:ty, $id:expr) => {
            PERMISSIONS.map(|permission| who_may::<$context>(permission, $id, connection))
        };
        ($context:expr) => {
            PERMISSIONS.map(|permission| who_may_by_hand(permission, $context, connection))
        };
    }

    check("an account", may!(Account, 1), [&IN_CHARGE, &READERS, &CHANGERS, &ADMIN]);
    check("a user", may!(User, 11), [&ADMIN, &READERS, &SELF_OR_IN_CHARGE, &ADMIN]);
    check("an asset", may!(Asset, 1), [&CHANGERS, &READERS, &CHANGERS, &IN_CHARGE]);
    check("a sensor", may!(Sensor, 1), [&CHANGERS, &READERS, &IN_CHARGE, &IN_CHARGE]);
    check("a public asset", may!(Asset, 2), [&ADMIN, &ALL, &ADMIN, &ADMIN]);
    check("a public sensor", may!(Sensor, 2), [&ADMIN, &ALL, &ADMIN, &ADMIN]);
    let consultants = &["own-consultant", "consultant", "admin"];
    check("the platform", may!(&Platform), [consultants, &ADMINS, &ADMIN, &ADMIN]);
    check("the public assets", may!(&PublicAssets), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    check("an entry", may!(AuditLog, 1), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    check("an entry about an asset", may!(AssetAuditLog, 1), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    let readers = &["account-admin", "consultant", "admin", "admin-reader"];
    check("the log of an account", may!(AccountAuditLog, 1), [&ADMIN, readers, &ADMIN, &ADMIN]);
    let readers = &["member", "account-admin", "consultant", "admin", "admin-reader"];
    check("the log of a user", may!(UserAuditLog, 11), [&ADMIN, readers, &ADMIN, &ADMIN]);
}

#[test]
fn an_asset_is_a_part_of_its_own_account_alone() {
    let place = SERVER.database();
    let database = world(&place);
    let connection = &mut *database.connection().unwrap();
    let found = AssetOfAccount::load((1, 1), connection).unwrap();
    assert_eq!((found.account_id, found.id, found.asset.id, found.asset.account_id), (1, 1, 1, Some(1)));
    let admin = log_in("admin@x", connection).unwrap();
    for id in [(2, 1), (1, 2), (2, 2), (99, 1)] {
        assert!(matches!(AssetOfAccount::load(id, connection), Err(LoadError::NotFound)), "{id:?}");
        let decision = AssetOfAccount::check_access(connection, &admin, id, Permission::READ);
        assert!(matches!(decision, Err(LoadError::NotFound)), "{id:?}");
    }
    let may_read = |permission, connection: &mut Connection| {
        who(connection, |subject, connection| {
            AssetOfAccount::check_access(connection, subject, (1, 1), permission).unwrap().is_allowed()
        })
    };
    assert_eq!(may_read(Permission::READ, connection), who_may::<Asset>(Permission::READ, 1, connection));
    assert_eq!(may_read(Permission::UPDATE, connection), ["admin"]);
}

#[test]
fn the_subject_has_the_roles_of_the_user_and_of_the_account() {
    let place = SERVER.database();
    let database = world(&place);
    let connection = &mut *database.connection().unwrap();
    let mut subject = log_in("account-admin@x", connection).unwrap();
    subject.account_roles.sort();
    assert_eq!((subject.id, subject.account_id), (12, 1));
    assert_eq!(subject.roles, ["account-admin"]);
    assert_eq!(subject.account_roles, ["Consultancy", "Prosumer"]);

    diesel::update(users::table.find(12)).set(users::active.eq(false)).execute(connection).unwrap();
    assert!(matches!(log_in("account-admin@x", connection), Err(LoadError::NotFound)));
}

#[test]
fn a_subject_takes_one_statement_and_so_does_a_context() {
    let place = SERVER.database();
    let database = world(&place);
    let connection = &mut *database.connection().unwrap();
    let token = token("account-admin@x", connection).hash();
    let subject = LoggedIn::find_by_token(&token, connection).unwrap();

    let statements = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&statements);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { .. } = event {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut count = |work: &mut dyn FnMut(&mut Connection)| {
        statements.store(0, Ordering::Relaxed);
        work(connection);
        statements.load(Ordering::Relaxed)
    };
    assert_eq!(count(&mut |connection| drop(LoggedIn::find_by_token(&token, connection).unwrap())), 1);
    assert_eq!(count(&mut |connection| drop(Account::load(1, connection).unwrap())), 1);
    assert_eq!(count(&mut |connection| drop(User::load(11, connection).unwrap())), 1);
    assert_eq!(count(&mut |connection| drop(Asset::load(1, connection).unwrap())), 1);
    assert_eq!(count(&mut |connection| drop(Sensor::load(1, connection).unwrap())), 1);
    assert_eq!(count(&mut |connection| AccountAuditLog::load(1, connection).map(drop).unwrap()), 1);
    assert_eq!(count(&mut |connection| UserAuditLog::load(11, connection).map(drop).unwrap()), 1);
    assert_eq!(count(&mut |connection| drop(AssetOfAccount::load((1, 1), connection).unwrap())), 1);
    let decide = &mut |connection: &mut Connection| {
        assert!(Sensor::check_access(connection, &subject, 1, Permission::DELETE).unwrap().is_allowed());
    };
    assert_eq!(count(decide), 1, "however far the policy looks");
}

#[test]
fn what_is_not_there_is_not_found() {
    let place = SERVER.database();
    let database = world(&place);
    let connection = &mut *database.connection().unwrap();
    assert!(matches!(Account::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(User::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(Asset::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(Sensor::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(AuditLog::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(AssetAuditLog::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(AccountAuditLog::load(99, connection), Err(LoadError::NotFound)));
    assert!(matches!(UserAuditLog::load(99, connection), Err(LoadError::NotFound)));
}

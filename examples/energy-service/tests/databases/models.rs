//! The access-control lists and the loaders of the models, on a small world: two accounts, the consultancy of
//! the first, and its own consultancy.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth_core::{
    AuthModel, LoadContext, LoadError, Permission, check_access,
    mechanism::{FindByToken, Token},
};
use diesel::{
    Connection as _, ExpressionMethods, QueryDsl, RunQueryDsl,
    connection::{InstrumentationEvent, SimpleConnection},
};
use energy_service::{
    auth::LoggedIn,
    database::{Connection, Database, Instant},
    models::{
        Account, AccountAuditLog, Asset, AssetAuditLog, AuditLog, Platform, PublicAssets, Sensor, User,
        UserAuditLog,
    },
    schema::{auth_tokens, users},
    test::TestDatabase,
};

use super::SERVER;

const WORLD: &str = "
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

fn log_in(email: &str, connection: &mut Connection) -> Result<LoggedIn, LoadError> {
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
    LoggedIn::find_by_token(&token.hash(), connection)
}

/// The local parts of the addresses of those who may.
fn who_may<C: AuthModel>(permission: Permission, context: &C, connection: &mut Connection) -> Vec<String> {
    let emails: Vec<String> = users::table.order(users::id).select(users::email).load(connection).unwrap();
    emails
        .into_iter()
        .filter(|email| check_access(&log_in(email, connection).unwrap(), context, permission).is_allowed())
        .map(|email| email.trim_end_matches("@x").to_owned())
        .collect()
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
        ($context:expr) => {
            [Permission::CREATE_CHILDREN, Permission::READ, Permission::UPDATE, Permission::DELETE]
                .map(|permission| who_may(permission, $context, connection))
        };
    }

    let account = Account::load(1, connection).unwrap();
    check("an account", may!(&account), [&IN_CHARGE, &READERS, &CHANGERS, &ADMIN]);
    let user = User::load(11, connection).unwrap();
    check("a user", may!(&user), [&ADMIN, &READERS, &SELF_OR_IN_CHARGE, &ADMIN]);
    let asset = Asset::load(1, connection).unwrap();
    check("an asset", may!(&asset), [&CHANGERS, &READERS, &CHANGERS, &IN_CHARGE]);
    let sensor = Sensor::load(1, connection).unwrap();
    check("a sensor", may!(&sensor), [&CHANGERS, &READERS, &IN_CHARGE, &IN_CHARGE]);
    let public = Asset::load(2, connection).unwrap();
    check("a public asset", may!(&public), [&ADMIN, &ALL, &ADMIN, &ADMIN]);
    let public = Sensor::load(2, connection).unwrap();
    check("a public sensor", may!(&public), [&ADMIN, &ALL, &ADMIN, &ADMIN]);
    let consultants = &["own-consultant", "consultant", "admin"];
    check("the platform", may!(&Platform), [consultants, &ADMINS, &ADMIN, &ADMIN]);
    check("the public assets", may!(&PublicAssets), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    let entry = AuditLog::load(1, connection).unwrap();
    check("an entry", may!(&entry), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    let entry = AssetAuditLog::load(1, connection).unwrap();
    check("an entry about an asset", may!(&entry), [&ADMIN, &ADMINS, &ADMIN, &ADMIN]);
    let log = AccountAuditLog::load(1, connection).unwrap();
    let readers = &["account-admin", "consultant", "admin", "admin-reader"];
    check("the log of an account", may!(&log), [&ADMIN, readers, &ADMIN, &ADMIN]);
    let log = UserAuditLog::load(11, connection).unwrap();
    let readers = &["member", "account-admin", "consultant", "admin", "admin-reader"];
    check("the log of a user", may!(&log), [&ADMIN, readers, &ADMIN, &ADMIN]);
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
    let token = Token::generate().unwrap().hash();
    diesel::insert_into(auth_tokens::table)
        .values((
            auth_tokens::token_hash.eq(token.as_bytes().as_slice()),
            auth_tokens::user_id.eq(12),
            auth_tokens::created_at.eq(Instant::now()),
        ))
        .execute(connection)
        .unwrap();

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

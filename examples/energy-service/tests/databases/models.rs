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
    AccessError, LoadContext, LoadError, Permission, Scoped, Stored,
    mechanism::{FindByToken, Token},
    test::PolicyTable,
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

/// Rights that somebody gave: shares of assets with the stranger and with the second account, a part of a shared asset that
/// inherits its readers and one that does not, and an account of the consultancy that has assigned consultants alone.
const MORE: &str = "
    INSERT INTO accounts (id, name, consultancy_account_id, assigned_consultants_only) VALUES
        (5, 'of assigned consultants', 3, TRUE), (6, 'of no consultant', 3, TRUE);
    INSERT INTO assigned_consultants (account_id, user_id) VALUES (5, 31), (5, 32), (5, 21), (2, 31);
    INSERT INTO users (id, account_id, email, username, password_hash) VALUES (51, 5, 'client@x', 'client', '');
    INSERT INTO assets (id, name, account_id, parent_asset_id, inherits_access) VALUES
        (3, 'shared with the stranger', 1, NULL, FALSE), (4, 'shared to be changed', 1, NULL, TRUE),
        (5, 'no longer shared', 1, NULL, FALSE), (6, 'a part', 5, 3, FALSE), (7, 'a part that inherits', 5, 3, TRUE),
        (8, 'further down', 6, 7, TRUE), (9, 'in a circle', 6, NULL, TRUE), (10, 'in a circle, too', 6, 9, TRUE);
    UPDATE assets SET parent_asset_id = 10 WHERE id = 9;
    INSERT INTO sensors (id, asset_id, name, unit, event_resolution_minutes) VALUES (3, 8, 'power', 'kW', 15);
    INSERT INTO asset_shares (asset_id, user_id, account_id, can_update, expires_at) VALUES
        (3, 21, NULL, FALSE, NULL), (4, NULL, 2, TRUE, '2100-01-01 00:00:00'), (4, 41, NULL, FALSE, NULL),
        (5, 21, NULL, TRUE, '2020-01-01 00:00:00'), (5, NULL, 4, TRUE, '2020-01-01 00:00:00');
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

/// The names of the users who may.
fn who(connection: &mut Connection, may: impl Fn(&LoggedIn, &mut Connection) -> bool) -> Vec<String> {
    let subjects = subjects(connection).into_iter();
    subjects.filter_map(|(name, subject)| may(&subject, connection).then_some(name)).collect()
}

/// All users, by the local parts of their addresses.
fn subjects(connection: &mut Connection) -> Vec<(String, LoggedIn)> {
    let emails: Vec<String> = users::table.order(users::id).select(users::email).load(connection).unwrap();
    let named = |email: String| {
        let subject = log_in(&email, connection).unwrap();
        (email.trim_end_matches("@x").to_owned(), subject)
    };
    emails.into_iter().map(named).collect()
}

/// Checks that the list of rows and the lock for a change agree with the decision about a row.
fn assert_agreement<C>(id: i32, subjects: &[(String, LoggedIn)], connection: &mut Connection)
where
    C: Stored<Id = i32, Connection = Connection> + Scoped<Query: LoadQuery<'static, Connection, C>>,
{
    for ((name, subject), permission) in
        subjects.iter().flat_map(|subject| Permission::BUILT_IN.map(|permission| (subject, permission)))
    {
        let decided = C::check_access(connection, subject, id, permission).unwrap().is_allowed();
        let rows: Vec<C> = C::accessible_by(subject, permission).load(connection).unwrap();
        let listed = rows.iter().any(|row| C::key_of(row) == id);
        let locked = connection.immediate_transaction(|connection| {
            C::authorize_for_update(connection, subject, id, permission).map(|row| C::key_of(&row))
        });
        let locked = match locked {
            Ok(found) => found == id,
            Err(error) => {
                assert!(matches!(error, AccessError::Denied(_)), "{error}");
                false
            }
        };
        assert_eq!((listed, locked), (decided, decided), "{permission} by list and by lock: {name}");
    }
}

#[test]
fn the_lists_let_in_whom_they_should() {
    let place = SERVER.database();
    let database = world(&place);
    let connection = &mut *database.connection().unwrap();
    connection.batch_execute(MORE).unwrap();
    let subjects = subjects(connection);
    let mut table = PolicyTable::new(subjects.clone(), Permission::BUILT_IN);
    macro_rules! rows {
        ($($name:literal: $context:ty, $id:expr;)+) => {$(
            table = table.row::<$context>($name, $id, connection).unwrap();
            assert_agreement::<$context>($id, &subjects, connection);
        )+};
    }
    rows! {
        "account": Account, 1;
        "user": User, 11;
        "asset": Asset, 1;
        "sensor": Sensor, 1;
        "public asset": Asset, 2;
        "public sensor": Sensor, 2;
        "audit log entry": AuditLog, 1;
        "asset audit log entry": AssetAuditLog, 1;
        "audit log of an account": AccountAuditLog, 1;
        "audit log of a user": UserAuditLog, 11;
        "asset shared with the stranger": Asset, 3;
        "asset shared to be changed with the strangers' account": Asset, 4;
        "asset whose shares have ended": Asset, 5;
        "part of the shared asset": Asset, 6;
        "part that inherits its readers": Asset, 7;
        "sensor of a part of that part": Sensor, 3;
        "part in a circle": Asset, 9;
        "account of assigned consultants": Account, 5;
        "user of assigned consultants": User, 51;
        "audit log of a user of assigned consultants": UserAuditLog, 51;
        "account of no consultant": Account, 6;
        "audit log of an account of no consultant": AccountAuditLog, 6;
    }
    table
        .context("platform", &Platform)
        .context("public assets", &PublicAssets)
        .assert_matches("tests/databases/policies.md");
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
    let may_read_the_asset = who(connection, |subject, connection| {
        Asset::check_access(connection, subject, 1, Permission::READ).unwrap().is_allowed()
    });
    assert_eq!(may_read(Permission::READ, connection), may_read_the_asset);
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
    let stranger = log_in("stranger@x", connection).unwrap();

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
    let read = &mut |connection: &mut Connection| {
        assert!(!Sensor::check_access(connection, &stranger, 1, Permission::READ).unwrap().is_allowed());
    };
    assert_eq!(count(read), 1, "at shares, and up a tree");
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

//! A small world: resources of two accounts, and users that are found by their tokens.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use auth_core::{
    Acl, AdminRoles, Auth, AuthModel, IdRef, LoadContext, LoadError, Permission, Subject, account, allow,
    mechanism::{BearerToken, FindBySession, FindByToken, SessionCookie, TokenHash},
    role, user,
};
use diesel::{
    connection::{InstrumentationEvent, SimpleConnection},
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
    sqlite::Sqlite,
};
use serde::Serialize;

diesel::table! {
    resources (id) {
        id -> Integer,
        account_id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    members (id) {
        id -> Integer,
        account_id -> Integer,
        roles -> Text,
        account_roles -> Text,
        token_hash -> Binary,
    }
}

pub(crate) const PUBLISH: Permission = Permission::new("publish");

/// Resource 1 belongs to account 1, resource 2 to account 2.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, LoadContext)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
pub(crate) struct Resource {
    pub(crate) id: i32,
    pub(crate) account_id: i32,
    pub(crate) name: String,
}

impl AuthModel for Resource {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(self.account_id))
            .allow(Permission::UPDATE, account(self.account_id) & role("chef"))
            .allow(PUBLISH, user(2))
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = members, check_for_backend(Sqlite))]
pub(crate) struct Member {
    id: i32,
    account_id: i32,
    roles: String,
    account_roles: String,
}

impl Member {
    pub(crate) fn without_roles(id: i32) -> Self {
        Self { id, account_id: 1, roles: String::new(), account_roles: String::new() }
    }
}

impl Subject for Member {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        Some(self.account_id.into())
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.split(' ').any(|own| own == role)
    }

    fn account_has_role(&self, role: &str) -> bool {
        self.account_roles.split(' ').any(|own| own == role)
    }

    /// A chef cooks, a waiter serves.
    fn has_permission(&self, permission: &str) -> bool {
        [("chef", "cook"), ("waiter", "serve")]
            .iter()
            .any(|(role, carried)| *carried == permission && self.has_role(role))
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::flexmeasures()
    }
}

impl FindByToken for Member {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let with_token = members::table.filter(members::token_hash.eq(token.as_bytes().as_slice()));
        Ok(with_token.select(Self::as_select()).first(connection)?)
    }

    /// The chef's token is an hour old, that of the crew is new. It is unknown when the others were issued.
    fn token_issued_at(&self) -> Option<SystemTime> {
        match self.id {
            2 => SystemTime::now().checked_sub(Duration::from_secs(3600)),
            3 => Some(SystemTime::now()),
            _ => None,
        }
    }
}

impl FindBySession for Member {
    type Id = i32;
    type Connection = SqliteConnection;

    fn find_by_id(id: i32, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        Ok(members::table.find(id).select(Self::as_select()).first(connection)?)
    }

    /// The users of account 3 were logged out everywhere just now, and those of account 4, too, in whole seconds.
    fn logged_out_at(&self) -> Option<SystemTime> {
        let now = SystemTime::now();
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        match self.account_id {
            3 => Some(now),
            4 => Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            _ => None,
        }
    }
}

/// Id, token, account, roles, roles of the account.
const MEMBERS: [(i32, &str, i32, &str, &str); 6] = [
    (1, "member", 1, "", "hotel"),
    (2, "chef", 1, "chef", "hotel bar"),
    (3, "crew", 1, "chef waiter", "bar"),
    (4, "stranger", 2, "", ""),
    (5, "admin", 2, "admin", ""),
    (6, "reader", 2, "admin-reader", ""),
];

pub(crate) type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

/// A database of its own in memory, and the statements that it gets.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) pool: SqlitePool,
    statements: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        static WORLDS: AtomicUsize = AtomicUsize::new(0);

        let name = format!("file:/fixture-{}?vfs=memdb", WORLDS.fetch_add(1, Ordering::Relaxed));
        let statements = Arc::default();
        let pool = Pool::builder()
            .max_size(2)
            .connection_timeout(Duration::from_millis(200))
            .test_on_check_out(false)
            .connection_customizer(Box::new(Recorder(Arc::clone(&statements))))
            .build(ConnectionManager::new(name))
            .unwrap();
        let world = Self { pool, statements };
        world.fill();
        world
    }

    fn fill(&self) {
        let mut connection = self.pool.get().unwrap();
        connection
            .batch_execute(
                "CREATE TABLE resources (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, name TEXT NOT NULL);
                 CREATE TABLE members (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, roles TEXT NOT NULL,
                                       account_roles TEXT NOT NULL, token_hash BLOB NOT NULL UNIQUE);
                 INSERT INTO resources VALUES (1, 1, 'one'), (2, 2, 'two');",
            )
            .unwrap();
        for (id, token, account_id, roles, account_roles) in MEMBERS {
            diesel::insert_into(members::table)
                .values((
                    members::id.eq(id),
                    members::account_id.eq(account_id),
                    members::roles.eq(roles),
                    members::account_roles.eq(account_roles),
                    members::token_hash.eq(TokenHash::of(token).as_bytes().as_slice()),
                ))
                .execute(&mut connection)
                .unwrap();
        }
        self.statements();
    }

    pub(crate) fn auth(&self) -> Auth {
        Auth::builder()
            .mechanism(BearerToken::<Member>::new(self.pool.clone()))
            .connections(self.pool.clone())
            .build()
            .unwrap()
    }

    /// With sessions as well as tokens.
    pub(crate) fn auth_with_sessions(&self) -> Auth {
        let sessions = SessionCookie::<Member>::new(self.pool.clone());
        Auth::builder()
            .mechanism(BearerToken::<Member>::new(self.pool.clone()))
            .mechanism(sessions.trust_origin("https://app.example.org").unwrap())
            .connections(self.pool.clone())
            .build()
            .unwrap()
    }

    /// Runs this statement, which is not recorded.
    pub(crate) fn execute(&self, statement: &str) {
        self.pool.get().unwrap().batch_execute(statement).unwrap();
        self.statements();
    }

    /// The statements since the last call.
    pub(crate) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }
}

#[derive(Debug)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl<E> CustomizeConnection<SqliteConnection, E> for Recorder {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), E> {
        let statements = Arc::clone(&self.0);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                statements.lock().unwrap().push(query.to_string());
            }
        });
        Ok(())
    }
}

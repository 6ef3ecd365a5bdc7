//! The database: its tables, its connections, and its first rows.

use std::error::Error;

use actix_web::web;
use auth_core::mechanism::Passwords;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{connection::SimpleConnection, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::ServiceError;

diesel::table! {
    users (id) { id -> Integer, account_id -> Integer, email -> Text, password_hash -> Text, role -> Text }
}

diesel::table! {
    log_ins (id) { id -> Integer, user_id -> Integer, token_hash -> Binary, expires_at -> TimestamptzSqlite }
}

diesel::table! {
    notes (id) {
        id -> Integer, account_id -> Integer, author_id -> Integer,
        title -> Text, text -> Text, private_remark -> Text,
    }
}

diesel::table! {
    shares (note_id, user_id) {
        note_id -> Integer, user_id -> Integer, expires_at -> Nullable<TimestamptzSqlite>,
    }
}

diesel::joinable!(log_ins -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(log_ins, users);

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The password of all users of `seed.sql`. It is public: a service of your own has no such users.
pub(crate) const SEED_PASSWORD: &str = "rye and wheat";

#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) pool: Pool<ConnectionManager<SqliteConnection>>,
}

impl Database {
    /// Opens the database, brings its tables up to date, and fills it if there is no user.
    pub(crate) fn open(file: &str) -> Result<Self, Box<dyn Error>> {
        // SQLite has one writer at a time, and a database in memory lives as long as its one connection does.
        let pool = Pool::builder().max_size(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.build(ConnectionManager::<SqliteConnection>::new(file))?;
        let connection = &mut *pool.get()?;
        connection.run_pending_migrations(MIGRATIONS).map_err(|error| error.to_string())?;
        if users::table.count().get_result::<i64>(connection)? == 0 {
            connection.batch_execute(include_str!("../seed.sql"))?;
            let hash = Passwords::new().hash(SEED_PASSWORD)?;
            diesel::update(users::table).set(users::password_hash.eq(hash.as_str())).execute(connection)?;
        }
        Ok(Self { pool })
    }

    /// Works with a connection, on a thread for work that blocks.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let pool = self.pool.clone();
        let done = web::block(move || work(&mut *pool.get().map_err(ServiceError::unavailable)?));
        done.await.map_err(ServiceError::unavailable)?
    }
}

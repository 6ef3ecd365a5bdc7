//! The database of all handlers that are measured: SQLite in memory, so that it costs as little as a database can.

use std::sync::{Arc, Mutex, PoisonError};

use auth_core::{
    LoadError,
    mechanism::{FindByToken, TokenHash},
};
use diesel::{
    connection::{InstrumentationEvent, SimpleConnection},
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Pool as R2d2},
};

use crate::{
    Error,
    rule::{Asset, Caller, Case},
};

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        consultancy_id -> Nullable<Integer>,
        name -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        roles -> Text,
        token_hash -> Binary,
    }
}

pub type Pool = R2d2<ConnectionManager<SqliteConnection>>;

/// The statements that were executed.
#[derive(Debug, Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// The statements since the last call.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, event: &InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(query.to_string());
        }
    }
}

/// An asset of account 1, a public one, and a user for each case, whose token is the name of the case.
///
/// # Errors
///
/// If SQLite fails.
pub fn filled() -> Result<Pool, Error> {
    fill(None)
}

/// The database of [`filled`], with a log of its statements from now on.
///
/// # Errors
///
/// If SQLite fails.
pub fn recorded() -> Result<(Pool, Statements), Error> {
    let statements = Statements::default();
    let pool = fill(Some(statements.clone()))?;
    drop(statements.taken());
    Ok((pool, statements))
}

fn fill(statements: Option<Statements>) -> Result<Pool, Error> {
    // A database in memory lives as long as its one connection does, so the pool need not test that by a statement.
    let pool = Pool::builder()
        .max_size(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_on_check_out(false)
        .connection_customizer(Box::new(Recorded(statements)))
        .build(ConnectionManager::new(":memory:"))?;
    let connection = &mut *pool.get()?;
    connection.batch_execute(
        "CREATE TABLE assets (id INTEGER PRIMARY KEY, account_id INTEGER, consultancy_id INTEGER,
                              name TEXT NOT NULL);
         CREATE TABLE users (id INTEGER PRIMARY KEY, account_id INTEGER, roles TEXT NOT NULL,
                             token_hash BLOB NOT NULL UNIQUE);
         INSERT INTO assets VALUES (1, 1, 2, 'heat pump'), (2, NULL, 2, 'weather station');",
    )?;
    for (id, case) in (1..).zip(Case::ALL) {
        let Caller { account_id, roles, .. } = case.caller();
        diesel::insert_into(users::table)
            .values((
                users::id.eq(id),
                users::account_id.eq(account_id),
                users::roles.eq(roles.join(",")),
                users::token_hash.eq(TokenHash::of(&token(case)).as_bytes().as_slice()),
            ))
            .execute(connection)?;
    }
    Ok(pool)
}

/// As long as one that is made of random numbers.
#[must_use]
pub fn token(case: Case) -> String {
    format!("{:0>64}", case.name())
}

#[must_use]
pub fn asset_id(case: Case) -> i32 {
    if case == Case::Public { 2 } else { 1 }
}

#[derive(Debug)]
struct Recorded(Option<Statements>);

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Recorded {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        if let Some(statements) = self.0.clone() {
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| statements.add(&event));
        }
        Ok(())
    }
}

/// The user who has the token.
///
/// # Errors
///
/// If no user has it, or SQLite fails.
pub fn caller(token: &TokenHash, connection: &mut SqliteConnection) -> QueryResult<Caller> {
    let (id, account_id, roles): (i32, Option<i32>, String) = users::table
        .filter(users::token_hash.eq(token.as_bytes().as_slice()))
        .select((users::id, users::account_id, users::roles))
        .get_result(connection)?;
    Ok(Caller { id, account_id, roles: roles.split(',').map(str::to_owned).collect() })
}

/// The row of this id.
///
/// # Errors
///
/// If there is none, or SQLite fails.
pub fn asset(id: i32, connection: &mut SqliteConnection) -> QueryResult<Asset> {
    assets::table.find(id).select(Asset::as_select()).get_result(connection)
}

impl FindByToken for Caller {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        Ok(caller(token, connection)?)
    }
}

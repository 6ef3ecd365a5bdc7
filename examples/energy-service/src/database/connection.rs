//! One connection, to one of the three databases: how it is opened and configured, and the few things that each database
//! has its own words for. Not for queries: those are the same for all.

use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

use auth_core::{LockRows, RowLock};
#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::{
    Connection as _, ConnectionError, RunQueryDsl, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    dsl::sql,
    r2d2::{ManageConnection, R2D2Connection},
    result::{Error as DieselError, QueryResult},
    sql_types::BigInt,
};
#[cfg(feature = "mysql")]
use diesel::{MysqlConnection, connection::CacheSize};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Limits, Location};
use crate::error::is_conflict;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
#[cfg(feature = "mysql")]
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// The settings of each connection to `SQLite`: how long a statement waits for another connection's lock. (`SQLite`
/// checks foreign keys only with this setting, and does not end a statement that takes too long.)
fn sqlite_settings(Limits { statement, .. }: Limits) -> String {
    format!(
        "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = {}; PRAGMA synchronous = NORMAL;",
        statement.as_millis()
    )
}

/// The settings of each connection to `PostgreSQL`: it ends a statement that takes too long, also one that waits for a
/// lock. (Diesel sets its time zone to UTC.)
#[cfg(feature = "postgres")]
fn postgres_settings(Limits { statement, .. }: Limits) -> String {
    format!("SET statement_timeout = {}", statement.as_millis())
}

/// The URL with the settings that libpq needs before there is a connection: how long to wait for one, and for a server
/// that disappears, as without power. Settings of the URL itself come later, and override these.
#[cfg(feature = "postgres")]
fn postgres_url(url: &str, Limits { connect, statement, .. }: Limits) -> String {
    let (server, settings) = url.split_once('?').unwrap_or((url, ""));
    // It takes 1 for 2, and 0 for ever.
    let connect = whole_seconds(connect).max(2);
    let (idle, gone) = (whole_seconds(statement), statement.as_millis());
    format!(
        "{server}?connect_timeout={connect}&tcp_user_timeout={gone}&keepalives_idle={idle}&keepalives_interval={idle}\
         &keepalives_count=2&{settings}"
    )
    .trim_end_matches('&')
    .to_owned()
}

/// The settings of each connection to `MariaDB`: it ends a statement that takes too long, or waits for locks; refuses
/// values that do not fit; and reports errors in English, as we recognize them by their words. (Diesel sets its time zone
/// to UTC.)
#[cfg(feature = "mysql")]
fn mysql_settings(Limits { statement, .. }: Limits) -> String {
    // MySQL has another name for it, and limits only reads with it. Each takes the other's for a comment.
    format!(
        "SET /*M! max_statement_time = {}, */ /*!50708 max_execution_time = {}, */ \
         innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, lc_messages = 'en_US', \
         sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        statement.as_secs_f64(),
        statement.as_millis(),
        seconds = whole_seconds(statement),
    )
}

/// At least one.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

/// For how long work is tried again that other transactions are in the way of: as long as we wait for locks.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause between two of these attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// A connection to the database with which the service was started. `SQLite` is always there, the others are features.
///
/// Queries are written once, in the SQL that all databases understand: without `RETURNING`, for example, which `MySQL`
/// does not have. [`last_id`](Self::last_id) tells the id of a new row.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// `SQLite`.
    Sqlite(SqliteConnection),
    /// `PostgreSQL`.
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    /// `MariaDB` or `MySQL`.
    #[cfg(feature = "mysql")]
    Mysql(MysqlConnection),
}

impl AnyConnection {
    /// Opens a connection, and applies its settings.
    pub(crate) fn open(location: &Location, limits: Limits) -> Result<Self, diesel::r2d2::Error> {
        match location {
            Location::Memory => Err(ConnectionError::BadConnection(
                "a database in memory has a name by which its connections share it".to_owned(),
            )
            .into()),
            Location::File(path) => {
                let mut connection = SqliteConnection::establish(path)?;
                connection.batch_execute(&sqlite_settings(limits))?;
                Ok(Self::Sqlite(connection))
            }
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => {
                let mut connection = PgConnection::establish(&postgres_url(url, limits))?;
                connection.batch_execute(&postgres_settings(limits))?;
                Ok(Self::Postgres(connection))
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(_) => Err(not_built("PostgreSQL", "postgres").into()),
            #[cfg(feature = "mysql")]
            Location::Mysql(url) => {
                let mut connection = MysqlConnection::establish(url)?;
                connection.batch_execute(&mysql_settings(limits))?;
                // MariaDB's client library waits forever when a statement is run again whose rows could not be read
                // before, after a deadlock for example. So none is.
                connection.set_prepared_statement_cache_size(CacheSize::Disabled);
                Ok(Self::Mysql(connection))
            }
            #[cfg(not(feature = "mysql"))]
            Location::Mysql(_) => Err(not_built("MariaDB and MySQL", "mysql").into()),
        }
    }

    /// Brings the tables up to date, however long that takes. Services that start at once do so one after the other.
    pub(super) fn migrate(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self {
            Self::Sqlite(connection) => connection
                .immediate_transaction(|connection| connection.run_pending_migrations(SQLITE).map(drop)),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.transaction(|connection| {
                connection.batch_execute(
                    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; \
                     SELECT pg_advisory_xact_lock(hashtext('energy-service ' || current_schema()))",
                )?;
                connection.run_pending_migrations(POSTGRES).map(drop)
            }),
            // Not a transaction: here, each change of a table ends it.
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => {
                // For the rest of this connection, which serves no requests.
                connection.batch_execute("SET /*M! max_statement_time = 0, */ lock_wait_timeout = 60")?;
                let lock = "GET_LOCK(CONCAT('energy-service ', MD5(DATABASE())), 60)";
                if diesel::select(sql::<BigInt>(lock)).get_result::<i64>(connection)? != 1 {
                    return Err("another service that starts has been at it for a minute".into());
                }
                connection.run_pending_migrations(MYSQL)?;
                let release = "RELEASE_LOCK(CONCAT('energy-service ', MD5(DATABASE())))";
                diesel::select(sql::<BigInt>(release)).get_result::<i64>(connection)?;
                Ok(())
            }
        }
    }

    /// Does `work` in a transaction, as if no other changed anything between its first statement and its last: on
    /// `SQLite` the others wait, elsewhere it is serializable, and `work` is done again when another transaction
    /// was in its way.
    ///
    /// # Errors
    ///
    /// The error of `work`, or of the database at the begin or the end. No row is changed then.
    pub fn immediate_transaction<T, E, W>(&mut self, mut work: W) -> Result<T, E>
    where
        E: From<DieselError> + Error + 'static,
        W: FnMut(&mut Self) -> Result<T, E>,
    {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        loop {
            match self.attempt(Self::begin_immediate, &mut work) {
                Err(error) if is_conflict(&error) && Instant::now() < deadline => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Does `work`, which only reads, as of one moment: all of its statements see the same rows, also if other
    /// transactions change them meanwhile. It waits for no other transaction, and none waits for it (except on an
    /// `SQLite` database in memory).
    ///
    /// # Errors
    ///
    /// The error of `work`, or of the database at the begin or the end.
    pub fn read_transaction<T, E: From<DieselError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.attempt(Self::begin_read, work)
    }

    fn attempt<T, E: From<DieselError>>(
        &mut self,
        begin: impl FnOnce(&mut Self) -> QueryResult<()>,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        begin(self)?;
        let result = work(self).and_then(|value| {
            Self::commit_transaction(self)?;
            Ok(value)
        });
        if result.is_err() {
            // The error says why. When this fails as well, the connection is broken, and the pool drops it.
            let _ = Self::rollback_transaction(self);
        }
        result
    }

    fn begin_immediate(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "BEGIN ISOLATION LEVEL SERIALIZABLE",
            ),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN",
            ),
        }
    }

    fn begin_read(&mut self) -> QueryResult<()> {
        match self {
            // The first statement fixes the moment.
            Self::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN DEFERRED")
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ),
        }
    }

    /// The id that the database gave to the row that this connection inserted last.
    ///
    /// # Errors
    ///
    /// When the database fails, or there is no such row.
    pub fn last_id(&mut self) -> QueryResult<i32> {
        let function = match self {
            Self::Sqlite(_) => "last_insert_rowid()",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "lastval()",
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => "LAST_INSERT_ID()",
        };
        let id: i64 = diesel::select(sql::<BigInt>(function)).get_result(self)?;
        i32::try_from(id).map_err(|error| DieselError::DeserializationError(error.into()))
    }

    /// Has the next row of this table numbered behind those that were inserted with an id. Only `PostgreSQL` counts
    /// without a look at the rows.
    ///
    /// # Errors
    ///
    /// When the database fails, or there is no such table with a numbered `id`.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "the others look at the rows"))]
    pub fn number_on(&mut self, table: &'static str) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let statement = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'id'), COALESCE(MAX(id), 1), \
                     MAX(id) IS NOT NULL) FROM {table}"
                );
                diesel::sql_query(statement).execute(connection)?;
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => {}
        }
        Ok(())
    }
}

impl LockRows for AnyConnection {
    fn row_lock(&self) -> RowLock {
        match self {
            Self::Sqlite(_) => RowLock::Transaction,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => RowLock::Postgres,
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => RowLock::Mysql,
        }
    }
}

#[cfg(not(all(feature = "postgres", feature = "mysql")))]
fn not_built(database: &str, feature: &str) -> ConnectionError {
    ConnectionError::BadConnection(format!(
        "this service is built without {database}; build it with `--features {feature}`"
    ))
}

/// Opens the connections of the pool.
#[derive(Debug)]
pub struct Manager {
    pub(super) location: Location,
    pub(super) limits: Limits,
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, Self::Error> {
        AnyConnection::open(&self.location, self.limits)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Self::Error> {
        Ok(connection.ping()?)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        thread::panicking() || connection.is_broken()
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::{Limits, postgres_url};

    #[test]
    fn what_the_url_says_counts_more_than_the_limits() {
        let ours = "connect_timeout=5&tcp_user_timeout=5000&keepalives_idle=5&keepalives_interval=5&keepalives_count=2";
        for (url, with_limits) in [
            ("postgres://host/energy", format!("postgres://host/energy?{ours}")),
            ("postgres://host", format!("postgres://host?{ours}")),
            (
                "postgres://host/energy?connect_timeout=9",
                format!("postgres://host/energy?{ours}&connect_timeout=9"),
            ),
        ] {
            assert_eq!(postgres_url(url, Limits::default()), with_limits);
        }
    }
}

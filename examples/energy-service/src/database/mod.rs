//! The database: where it is, its pool of connections, its migrations, and the one way from a
//! handler to it, [`Database::run`]. Not for queries: those are with the models and the routes.

use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::rt::task::{JoinHandle, spawn_blocking};
use diesel::{
    connection::SimpleConnection,
    r2d2::{HandleError, ManageConnection, Pool, PooledConnection},
};
use tokio::time::timeout;

use crate::error::ServiceError;

mod connection;
mod instant;
mod location;

pub use self::{
    connection::{AnyConnection as Connection, Manager, MultiBackend as Backend},
    instant::{Datetime, Instant},
    location::{Location, LocationError},
};

/// How long the database may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How long a server may take to let a connection in; whole seconds, at least 2. For `PostgreSQL`.
    pub connect: Duration,
    /// How long a statement may take, and wait for locks, before the database ends it. `SQLite` has a limit for locks
    /// alone, and `MySQL` one for reads.
    pub statement: Duration,
    /// How long a guard waits for mechanisms and loads, and a handler for all its work, before the answer is 503. This is
    /// the limit where the others do not help, as with a server that accepts connections and does not answer: work that
    /// has begun goes on then, and a change may still take place.
    pub answer: Duration,
}

impl Default for Limits {
    /// 5, 5 and 15 seconds.
    fn default() -> Self {
        let [connect, statement, answer] = [5, 5, 15].map(Duration::from_secs);
        Self { connect, statement, answer }
    }
}

/// The connections that handlers and guards share.
pub type ConnectionPool = Pool<Manager>;

/// The pool, with a connection that keeps a database in memory alive. Clones share both.
#[derive(Clone)]
pub struct Database {
    pool: ConnectionPool,
    location: Location,
    limits: Limits,
    /// A database in memory ends with its last connection, and a pool may drop each of its own: a broken one,
    /// for example. This one stays. The mutex is never locked; it makes the connection `Sync`.
    _keep_alive: Option<Arc<Mutex<Connection>>>,
}

impl Database {
    /// Opens the database and brings its tables up to date. `pool_size` is the number of connections,
    /// `pool_wait` how long a request waits for a free one before the answer is 503.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, or a migration fails.
    pub fn open(location: &Location, pool_size: u32, pool_wait: Duration) -> Result<Self, DatabaseError> {
        Self::open_within(Limits::default(), location, pool_size, pool_wait)
    }

    /// Opens the database with these limits, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_within(
        limits: Limits,
        location: &Location,
        pool_size: u32,
        pool_wait: Duration,
    ) -> Result<Self, DatabaseError> {
        let in_memory = *location == Location::Memory;
        let shared = if in_memory { Location::File(memory_url()) } else { location.clone() };
        let manager = Manager { location: shared.clone(), limits };
        let open_error = |source| DatabaseError::Open { location: location.clone(), source };
        let mut first = manager.connect().map_err(open_error)?;
        if matches!(location, Location::File(_)) {
            first
                .batch_execute("PRAGMA journal_mode = WAL;")
                .map_err(|error| open_error(diesel::r2d2::Error::QueryError(error)))?;
        }
        first.migrate().map_err(DatabaseError::Migrate)?;

        let on_server = matches!(location, Location::Postgres(_) | Location::Mysql(_));
        let mut pool = Pool::builder()
            .max_size(pool_size)
            .connection_timeout(pool_wait)
            // A server that was restarted has closed its connections, which shows only when a statement fails. So each is
            // tried with one of its own each time it is taken.
            .test_on_check_out(on_server)
            .error_handler(Box::new(LogError));
        if !on_server {
            // A connection to SQLite does not go stale, so it is not replaced after a time.
            pool = pool.max_lifetime(None).idle_timeout(None);
        }
        // `build` would wait `pool_wait` for the connections, which may be set to a few milliseconds.
        let pool = pool.build_unchecked(manager);
        drop(pool.get_timeout(FIRST_CONNECTION).map_err(DatabaseError::Pool)?);
        Ok(Self {
            pool,
            location: shared,
            limits,
            _keep_alive: in_memory.then(|| Arc::new(Mutex::new(first))),
        })
    }

    /// The connections, for [`Auth`](auth_core::Auth) and for code outside of requests.
    #[must_use]
    pub fn pool(&self) -> &ConnectionPool {
        &self.pool
    }

    /// A connection for code outside of requests; it waits as long as a request would.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Unavailable`] when no connection becomes free in time.
    pub fn connection(&self) -> Result<PooledConnection<Manager>, ServiceError> {
        self.pool.get().map_err(ServiceError::unavailable)
    }

    /// A connection of the caller's own, for work in the background: it takes none from requests, and does not wait for
    /// any.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Unavailable`] when it cannot be opened.
    pub(crate) fn connect(&self) -> Result<Connection, ServiceError> {
        Connection::open(&self.location, self.limits).map_err(ServiceError::unavailable)
    }

    /// Runs `work` with a connection, on a thread that may block: the event loop, which serves all other
    /// requests meanwhile, never waits for the database. Work whose request has ended is not begun.
    ///
    /// # Errors
    ///
    /// The error of `work`; [`ServiceError::Unavailable`] when no connection becomes free in time, or the work takes
    /// longer than the [limit](Limits::answer).
    pub async fn run<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<T, ServiceError> + Send + 'static,
    {
        let database = self.clone();
        let mut work = Awaited(spawn_blocking(move || work(&mut *database.connection()?)));
        let done = timeout(self.limits.answer, &mut work.0).await.map_err(ServiceError::unavailable)?;
        done.map_err(ServiceError::internal)?
    }
}

/// Work on a thread. It ends with this, if it has not begun.
struct Awaited<T>(JoinHandle<T>);

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How long the service waits for its first connection when it starts.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);

/// A name that no other database of this process has: the file system of `memdb` shares a database among the
/// connections of one process that name it alike, if the name begins with a slash.
fn memory_url() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("file:/energy-{}?vfs=memdb", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[derive(Debug)]
struct LogError;

impl HandleError<diesel::r2d2::Error> for LogError {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        tracing::error!(%error, "the pool could not open a connection");
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no such file, it is no database, or it may not be written; or the server does not let us in, or is of
    /// a kind that the service is built without.
    #[error("cannot open the database `{location}`")]
    Open {
        /// The location from the configuration.
        location: Location,
        /// The error of diesel.
        source: diesel::r2d2::Error,
    },
    /// A migration failed.
    #[error("cannot bring the tables of the database up to date")]
    Migrate(#[source] Box<dyn Error + Send + Sync>),
    /// The pool could not open a connection of its own.
    #[error("cannot open more connections to the database")]
    Pool(#[source] diesel::r2d2::PoolError),
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, thread, time::Duration};

    use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, connection::TransactionManager};

    use super::{Connection, Database, Limits, Location};
    #[cfg(not(feature = "postgres"))]
    use crate::error::chain;
    use crate::{error::ServiceError, schema::accounts};

    fn memory(pool_size: u32, pool_wait: Duration) -> Database {
        Database::open(&Location::Memory, pool_size, pool_wait).unwrap()
    }

    fn insert(name: &str, connection: &mut Connection) -> Result<(), diesel::result::Error> {
        diesel::insert_into(accounts::table).values(accounts::name.eq(name)).execute(connection).map(drop)
    }

    fn count(database: &Database) -> i64 {
        accounts::table.count().get_result(&mut database.connection().unwrap()).unwrap()
    }

    #[test]
    fn connections_share_a_database_in_memory_and_wait_for_each_other() {
        let database = memory(4, Duration::from_secs(5));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let mut connection = database.connection().unwrap();
                        connection
                            .immediate_transaction(|connection| {
                                accounts::table.count().get_result::<i64>(connection)?;
                                insert("one of a hundred", connection)
                            })
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(count(&database), 100);
        assert_eq!(count(&memory(1, Duration::from_secs(5))), 0, "another database shares nothing");
    }

    #[test]
    fn a_database_in_memory_outlives_the_connections_of_its_pool() {
        let database = memory(1, Duration::from_secs(5));
        insert("kept", &mut database.connection().unwrap()).unwrap();
        // The pool drops a connection that comes back within a transaction.
        let mut broken = database.connection().unwrap();
        Connection::begin_transaction(&mut *broken).unwrap();
        drop(broken);
        assert_eq!(count(&database), 1);
    }

    #[test]
    fn foreign_keys_are_checked_on_every_connection() {
        let database = memory(3, Duration::from_secs(5));
        let mut all = [(); 3].map(|()| database.connection().unwrap());
        for connection in &mut all {
            let orphan = (accounts::name.eq("orphan"), accounts::consultancy_account_id.eq(99));
            assert!(diesel::insert_into(accounts::table).values(orphan).execute(&mut **connection).is_err());
        }
    }

    #[actix_web::test]
    async fn without_a_free_connection_the_answer_is_unavailable() {
        let database = memory(1, Duration::from_millis(20));
        let taken = database.connection().unwrap();
        assert!(matches!(database.run(|_| Ok(())).await, Err(ServiceError::Unavailable(_))));
        drop(taken);
        assert!(database.run(|_| Ok(())).await.is_ok());
    }

    #[actix_web::test]
    async fn work_that_takes_too_long_is_not_waited_for() {
        let limits = Limits { answer: Duration::from_millis(20), ..Limits::default() };
        let database = Database::open_within(limits, &Location::Memory, 1, Duration::from_secs(5)).unwrap();
        let (free, taken) = channel::<()>();
        let hangs = database.run(move |_| {
            let _ = taken.recv();
            Ok(())
        });
        assert!(matches!(hangs.await, Err(ServiceError::Unavailable(_))));
        // It goes on, and gives its connection back when it has ended.
        drop(free);
        drop(database.connection().unwrap());
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_server_that_the_service_is_built_without_is_refused_with_the_remedy() {
        let location = "postgres://me:secret@127.0.0.1/energy".parse().unwrap();
        let Err(error) = Database::open(&location, 1, Duration::from_secs(5)) else { panic!("opened") };
        let text = chain(&error);
        assert!(text.contains("`--features postgres`"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

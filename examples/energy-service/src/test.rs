//! For tests: databases of their own, on each server that the service is built for.
//!
//! The servers are those of `AUTH_TEST_POSTGRES_URL` and `AUTH_TEST_MYSQL_URL`, or else of this machine. Where none
//! answers, its tests run on `SQLite`, with a line that says so, unless `CI` is set.
#![expect(clippy::panic, reason = "a test fails by a panic")]

use std::{
    env, fmt,
    io::{self, Write as _},
    process,
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use diesel::connection::SimpleConnection;

use crate::{
    Config,
    audit::AuditConfig,
    database::{Connection, Limits, Location},
    error::is_conflict,
};

/// A kind of database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    /// `SQLite`, in memory.
    Sqlite,
    /// The `PostgreSQL` of `AUTH_TEST_POSTGRES_URL`, or else of this machine.
    Postgres,
    /// The `MariaDB` or `MySQL` of `AUTH_TEST_MYSQL_URL`, or else of this machine.
    Mysql,
}

impl Server {
    /// A database on it of the test's own.
    ///
    /// # Panics
    ///
    /// When `CI` is set and the server does not answer, or when it does not make the database.
    #[must_use]
    pub fn database(self) -> TestDatabase {
        let memory = || TestDatabase { location: Location::Memory, server: None };
        let (server, said) = match self {
            Self::Sqlite => {
                static SAID: Once = Once::new();
                SAID.call_once(say_what_is_not_built);
                return memory();
            }
            Self::Postgres => {
                static SAID: Once = Once::new();
                (setting("AUTH_TEST_POSTGRES_URL", "postgres://127.0.0.1/postgres"), &SAID)
            }
            Self::Mysql => {
                static SAID: Once = Once::new();
                (setting("AUTH_TEST_MYSQL_URL", "mysql://root@127.0.0.1"), &SAID)
            }
        };
        let name = name();
        match Connection::open(&server, Limits::default()) {
            Ok(mut connection) => {
                run(&mut connection, format_args!("CREATE SCHEMA {name}"));
                TestDatabase { location: within(&server, &name), server: Some((server, name)) }
            }
            Err(error) => {
                assert!(env::var_os("CI").is_none(), "{server} does not answer, and CI is set: {error}");
                said.call_once(|| {
                    say(format_args!(
                        "{server} does not answer: its tests are left out, and run on SQLite once more ({error})"
                    ));
                });
                memory()
            }
        }
    }
}

/// Prints which tests are left out, because their feature is missing.
fn say_what_is_not_built() {
    for (suite, feature, built) in [
        ("on PostgreSQL", "postgres", cfg!(feature = "postgres")),
        ("on MariaDB", "mysql", cfg!(feature = "mysql")),
        ("of instances that share sessions", "redis", cfg!(feature = "redis")),
    ] {
        if !built {
            say(format_args!(
                "tests {suite} are left out: energy-service is built without its feature `{feature}`"
            ));
        }
    }
}

/// The harness captures `eprintln!`, and a terminal may be closed.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A database for one test. It is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    location: Location,
    /// Where the database is, and its name there.
    server: Option<(Location, String)>,
}

impl TestDatabase {
    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The configuration of a service that uses it. Denials are in the audit log when the test
    /// [flushes](crate::Service::flush) them, and not after a time.
    #[must_use]
    pub fn config(&self) -> Config {
        let audit = AuditConfig { interval: Duration::MAX, ..AuditConfig::default() };
        Config { database: self.location.clone(), audit, ..Config::default() }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            let cascade = if matches!(server, Location::Postgres(_)) { "CASCADE" } else { "" };
            match Connection::open(server, Limits::default()) {
                Ok(mut connection) => run(&mut connection, format_args!("DROP SCHEMA {name} {cascade}")),
                // A test may fail for this reason, and must not panic once more.
                Err(error) => eprintln!("cannot drop {name}: {error}"),
            }
        }
    }
}

fn setting(variable: &str, default: &str) -> Location {
    let url = env::var(variable).unwrap_or_else(|_| default.to_owned());
    match url.parse() {
        Ok(location @ (Location::Postgres(_) | Location::Mysql(_))) => location,
        _ => panic!("`{variable}` is not the URL of a server"),
    }
}

/// A name that no other test has, of this process or another.
fn name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("energy_test_{now}_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The schema of a database in `PostgreSQL`; in `MySQL`, a schema is the database itself.
fn within(server: &Location, name: &str) -> Location {
    match server {
        Location::Postgres(url) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            Location::Postgres(format!("{url}{separator}options=-csearch_path%3D{name}"))
        }
        Location::Mysql(url) => {
            let (server, settings) = url.split_once('?').unwrap_or((url, ""));
            let server = match server.match_indices('/').nth(2) {
                Some((slash, _)) => server.get(..slash).unwrap_or(server),
                None => server,
            };
            Location::Mysql(format!("{server}/{name}?{settings}"))
        }
        elsewhere => elsewhere.clone(),
    }
}

/// Tries again while another connection is in the way: a service that ends still stores denials.
fn run(connection: &mut Connection, statement: fmt::Arguments<'_>) {
    let statement = statement.to_string();
    let mut attempts = 0;
    while let Err(error) = connection.batch_execute(&statement) {
        attempts += 1;
        assert!(attempts < 10 && is_conflict(&error), "{statement}: {error}");
    }
}

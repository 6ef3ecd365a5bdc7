//! A page and the count of a list and the decision about one row, among 1,000, 100,000 and 1,000,000 sensors on SQLite and
//! PostgreSQL, against the same query with the rule written by hand: joins, as an engineer would write them. Then the same
//! among 1,000,000 projects through 5,000,000 memberships, and in a tree of 840,000 folders. Prints the plans as well, and
//! fails where one of ours reads all sensors.
//!
//! ```sh
//! cargo bench -p auth-benches --features postgres --bench scopes
//! cargo bench -p auth-benches --features postgres --bench scopes -- abilities
//! ```
//!
//! The latter is about what a reader may do with each row of a page, and changes, alone.
//!
//! SQLite is in memory, and needs no feature. The server is that of `AUTH_TEST_POSTGRES_URL`, or else of this machine; the
//! tables are in a schema of their own, which is dropped at the end.
#![expect(clippy::print_stdout, reason = "the results are for a person")]
#![allow(clippy::duplicate_mod, reason = "the same lists for each database")]

#[cfg(feature = "postgres")]
#[path = "scopes/postgres.rs"]
mod postgres;
#[path = "scopes/sqlite.rs"]
mod sqlite;

use auth_benches::Error;
use diesel::{Connection as _, connection::SimpleConnection as _};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

fn main() -> Result<(), Error> {
    println!("| database | sensors | what | who | ours, µs | by hand, µs | ours / by hand |");
    println!("|---|---|---|---|---|---|---|");
    let connection = &mut sqlite::Connection::establish(":memory:")?;
    if std::env::args().any(|argument| argument == "abilities") {
        connection.batch_execute(&sqlite::lists::world(1_000_000))?;
        sqlite::abilities::measure("SQLite", 100_000, connection)?;
        #[cfg(feature = "postgres")]
        postgres::in_schema(|connection| {
            connection.batch_execute(&postgres::lists::world(1_000_000))?;
            postgres::abilities::measure("PostgreSQL", 100_000, connection)
        })?;
        return Ok(());
    }
    for size in SIZES {
        sqlite::lists::measure("SQLite", size, connection)?;
    }
    sqlite::abilities::measure("SQLite", 100_000, connection)?;
    sqlite::lists::explain("SQLite", connection)?;
    sqlite::tenants::measure("SQLite", connection)?;
    sqlite::tenants::explain("SQLite", connection)?;
    #[cfg(feature = "postgres")]
    postgres::in_schema(|connection| {
        for size in SIZES {
            postgres::lists::measure("PostgreSQL", size, connection)?;
        }
        postgres::abilities::measure("PostgreSQL", 100_000, connection)?;
        postgres::lists::explain("PostgreSQL", connection)?;
        postgres::tenants::measure("PostgreSQL", connection)?;
        postgres::tenants::explain("PostgreSQL", connection)
    })?;
    Ok(())
}

/// The purpose of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Page,
    Row,
}

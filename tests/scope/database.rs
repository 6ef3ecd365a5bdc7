//! A database for a test, and the statements that each kind of database writes in its own way.

use diesel::Connection;
use energy_service::{
    database::Location,
    test::{Server, TestDatabase},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    Mysql,
}

/// A database for this test alone, as long as the second value lives. `None` where the server does not answer; then a
/// line on standard error says so, or the test fails where `CI` is set.
pub(crate) fn open<C: Connection>(server: Server) -> Option<(C, TestDatabase)> {
    let database = server.database();
    let connection = connect(server, &database)?;
    Some((connection, database))
}

/// Another connection to the same database. In memory it is another database.
pub(crate) fn connect<C: Connection>(server: Server, database: &TestDatabase) -> Option<C> {
    let url = match database.location() {
        Location::Postgres(url) | Location::Mysql(url) => url,
        _ if server == Server::Sqlite => ":memory:",
        // The place of a server that does not answer.
        _ => return None,
    };
    Some(C::establish(url).unwrap())
}

impl Dialect {
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            #[cfg(feature = "mysql")]
            Self::Mysql => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> String {
        use std::fmt::Write as _;

        let mut hex = String::new();
        for byte in bytes {
            write!(hex, "{byte:02x}").unwrap();
        }
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("'\\x{hex}'"),
            _ => format!("x'{hex}'"),
        }
    }
}

/// A text as SQL writes it.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

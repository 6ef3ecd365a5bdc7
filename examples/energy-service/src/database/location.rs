//! Where the database is, and so which of the three it is.

use std::{convert::Infallible, fmt, str::FromStr};

/// Where the database is. Parsed from text:
///
/// | text | location |
/// |---|---|
/// | nothing, `:memory:` | [`Location::Memory`] |
/// | `postgres://…`, `postgresql://…` | [`Location::Postgres`] |
/// | `mysql://…`, `mariadb://…` | [`Location::Mysql`] |
/// | anything else | [`Location::File`] |
///
/// What is shown of a URL, also by `Debug`, is its scheme alone: there may be a password in the rest.
#[derive(Clone, Default, Eq, PartialEq)]
pub enum Location {
    /// In this process, a new one for each [`Database`](super::Database); it ends with its last clone.
    #[default]
    Memory,
    /// A path, or a `file:` URI as `SQLite` defines them. Made when it does not exist.
    File(String),
    /// A database of a `PostgreSQL` server, as libpq's URL. For a service that is built with the feature `postgres`.
    Postgres(String),
    /// A database of a `MariaDB` or `MySQL` server, as diesel's URL. For a service that is built with the feature
    /// `mysql`.
    Mysql(String),
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once("://") {
            // SQLite takes both for "a private database for this connection", which no pool can use.
            _ if text.is_empty() || text == ":memory:" => Self::Memory,
            Some(("postgres" | "postgresql", _)) => Self::Postgres(text.to_owned()),
            // The client library knows only one of the names.
            Some(("mysql" | "mariadb", rest)) => Self::Mysql(format!("mysql://{rest}")),
            _ => Self::File(text.to_owned()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Memory => ":memory:",
            Self::File(path) => path,
            Self::Postgres(_) => "postgres://…",
            Self::Mysql(_) => "mysql://…",
        })
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Location;

    #[test]
    fn the_text_tells_which_database_it_is() {
        for (text, location) in [
            // What SQLite takes for private is shared.
            ("", Location::Memory),
            (":memory:", Location::Memory),
            ("energy.sqlite", Location::File("energy.sqlite".to_owned())),
            ("file:energy?mode=ro", Location::File("file:energy?mode=ro".to_owned())),
            ("postgres://host/energy", Location::Postgres("postgres://host/energy".to_owned())),
            ("postgresql://host/energy", Location::Postgres("postgresql://host/energy".to_owned())),
            ("mysql://host/energy", Location::Mysql("mysql://host/energy".to_owned())),
            ("mariadb://host/energy", Location::Mysql("mysql://host/energy".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(location), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for url in ["postgres://me:secret@host/energy", "mysql://host/energy?password=secret"] {
            let location: Location = url.parse().unwrap();
            assert!(!format!("{location} {location:?}").contains("secret"));
        }
    }
}

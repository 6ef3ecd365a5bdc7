//! Where the database is, and so which of the three it is.

use std::{fmt, str::FromStr};

/// Where the database is. Parsed from text:
///
/// | text | location |
/// |---|---|
/// | nothing, `:memory:` | [`Location::Memory`] |
/// | `postgres://…`, `postgresql://…` | [`Location::Postgres`] |
/// | `mysql://…`, `mariadb://…` | [`Location::Mysql`] |
/// | anything else, but the URL of something else | [`Location::File`] |
///
/// Only the scheme of a URL is shown, also by `Debug`: there may be a password in the rest.
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
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // SQLite takes both for "a private database for this connection", which no pool can use.
        if text.is_empty() || text == ":memory:" {
            return Ok(Self::Memory);
        }
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        let scheme = scheme.trim().to_ascii_lowercase();
        match (scheme.as_str(), rest.strip_prefix("//")) {
            ("postgres" | "postgresql", Some(rest)) => {
                check(rest).map(|()| Self::Postgres(format!("{scheme}://{rest}")))
            }
            // The client library knows only one of the names.
            ("mysql" | "mariadb", Some(rest)) => check(rest).map(|()| Self::Mysql(format!("mysql://{rest}"))),
            ("postgres" | "postgresql" | "mysql" | "mariadb", None) => Err(LocationError::Scheme),
            ("file", _) | (_, None) => Ok(Self::File(text.to_owned())),
            // The name of a file is shown.
            (_, Some(_)) => Err(LocationError::Scheme),
        }
    }
}

/// Checks that the client libraries can read the text behind the scheme. They quote a part that they cannot read, and so
/// a part of a password, as of `me:secret/energy`, where `secret` stands for a port.
fn check(rest: &str) -> Result<(), LocationError> {
    let (user, _) = rest.rsplit_once('@').unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte);
    if !user.bytes().all(plain) {
        return Err(LocationError::Written);
    }
    let encoded = |part: &str| {
        part.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let hosts = path.split('/').next().unwrap_or_default();
    let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
    // The colons of an address by IPv6 stand in brackets.
    let port = |host: &str| {
        host.rsplit_once(']').unwrap_or(("", host)).1.split_once(':').map_or("", |(_, port)| port).to_owned()
    };
    let written = rest.split('%').skip(1).all(encoded)
        && !rest.contains(|character: char| {
            character.is_whitespace() || character.is_control() || character == '#'
        })
        && hosts.split(',').all(|host| port(host).bytes().all(|digit| digit.is_ascii_digit()))
        && query.split('&').all(|setting| query.is_empty() || setting.split('=').count() == 2);
    if written { Ok(()) } else { Err(LocationError::Written) }
}

/// Why a text does not say where a database is. Shows nothing of the text: there may be a password in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LocationError {
    /// It is the URL of something else.
    #[error("the URL of a database begins with `postgres://` or `mysql://`")]
    Scheme,
    /// It is not written as a URL.
    #[error(
        "the URL of the database has not the form `postgres://user:password@host:port/database?name=value`; in the \
         user and the password, all but letters and digits is written as `%` and two digits, as `%40` for `@`"
    )]
    Written,
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
    use super::{Location, LocationError};

    #[test]
    fn the_text_tells_which_database_it_is() {
        for (text, location) in [
            // A database that is private in SQLite is shared here.
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
    fn what_a_client_library_would_quote_is_refused() {
        for url in [
            "postgres://me:sec%zret@host/energy",
            "postgres://me:secret%@host/energy",
            "postgres://me:secret/energy",
            "postgres://me:sec/ret@host/energy",
            "postgres://me:12/ret@host/energy",
            "postgres://me:sec ret@host/energy",
            "postgres://me:sec#ret@host/energy",
            "postgres://me:se@cret@host/energy",
            "postgres://host/energy?password=sec&ret",
            "postgres://host/energy?password=sec%zret",
            "mysql://me:secret/energy",
        ] {
            assert_eq!(url.parse::<Location>(), Err(LocationError::Written), "{url}");
        }
        for url in
            ["postgres:/me:secret@host/energy", "mysql:me:secret@host", "postgre://me:secret@host/energy"]
        {
            assert_eq!(url.parse::<Location>(), Err(LocationError::Scheme), "{url}");
        }
        for url in [
            "postgres://me:s%40cret@host:5432/energy",
            "postgres:///energy?host=/tmp&port=5433",
            "postgres://[::1]:5432/energy",
            "postgres://one:5432,two/energy",
            "mysql://root@127.0.0.1",
            "mysql://root:@127.0.0.1:3306/energy?",
        ] {
            assert_eq!(url.parse::<Location>().map(|_| ()), Ok(()), "{url}");
        }
        assert_eq!(
            " Postgres://host/energy".parse(),
            Ok(Location::Postgres("postgres://host/energy".to_owned()))
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        for url in ["postgres://me:secret@host/energy", "mysql://host/energy?password=secret"] {
            let location: Location = url.parse().unwrap();
            assert!(!format!("{location} {location:?}").contains("secret"));
        }
    }
}

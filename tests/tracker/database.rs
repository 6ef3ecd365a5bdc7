//! The database of the tracker, on each server that the tests are built for.

use auth_core::{LockRows, RowLock};
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use energy_service::database::Location;
use energy_service::test::{Server, TestDatabase};

use crate::models::indexes;

#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
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

pub(crate) const SCHEMA: &str = "
    CREATE TABLE organisations (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
    CREATE TABLE memberships (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
        level VARCHAR(20) NOT NULL, ends_at TIMESTAMP(3) NULL);
    CREATE TABLE projects (id INTEGER PRIMARY KEY, organisation_id INTEGER NOT NULL, name VARCHAR(80) NOT NULL,
        state VARCHAR(20) NOT NULL, is_locked BOOLEAN NOT NULL, opens_at TIMESTAMP(3) NULL, deleted_at TIMESTAMP(3) NULL);
    CREATE TABLE shares (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, user_id INTEGER, team_id INTEGER,
        level VARCHAR(20) NOT NULL, expires_at TIMESTAMP(3) NULL);
    CREATE TABLE teams (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
    CREATE TABLE team_members (team_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (team_id, user_id));
    CREATE TABLE folders (id INTEGER PRIMARY KEY, parent_id INTEGER, project_id INTEGER, owner_id INTEGER,
        name VARCHAR(80) NOT NULL, inherits BOOLEAN NOT NULL);
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, folder_id INTEGER, assignee_id INTEGER, text VARCHAR(80) NOT NULL,
        priority SMALLINT NOT NULL, is_done BOOLEAN NOT NULL);
    CREATE TABLE notices (id INTEGER PRIMARY KEY, begins_at TIMESTAMP(3) NULL, ends_at TIMESTAMP(3) NULL);
";

/// A database of its own, with these rows, as long as the second value lives. `None` where the server does not answer; then a
/// line on standard error says so, or the test fails where `CI` is set.
pub(crate) fn open(server: Server, rows: &str) -> Option<(AnyConnection, TestDatabase)> {
    let (mut connection, database) = open_empty(server)?;
    connection.batch_execute(rows).unwrap();
    Some((connection, database))
}

/// Such a database without rows: the tables, with the indexes that the policies want.
pub(crate) fn open_empty(server: Server) -> Option<(AnyConnection, TestDatabase)> {
    let database = server.database();
    let mut connection = connect(server, &database)?;
    connection.batch_execute(SCHEMA).unwrap();
    connection.batch_execute(&indexes().to_string()).unwrap();
    Some((connection, database))
}

/// Another connection to the same database. In memory it is another database.
pub(crate) fn connect(server: Server, database: &TestDatabase) -> Option<AnyConnection> {
    Some(match database.location() {
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => {
            let mut connection = diesel::PgConnection::establish(url).unwrap();
            // Without statistics the estimates are high, and statements would be compiled first, for seconds.
            connection.batch_execute("SET jit = off").unwrap();
            AnyConnection::Postgres(connection)
        }
        #[cfg(feature = "mysql")]
        Location::Mysql(url) => AnyConnection::Mysql(diesel::MysqlConnection::establish(url).unwrap()),
        _ if server == Server::Sqlite => {
            AnyConnection::Sqlite(SqliteConnection::establish(":memory:").unwrap())
        }
        // The place of a server that does not answer.
        _ => return None,
    })
}

//! One policy decides alike everywhere: the rows of a list, the condition of a change, a row that is loaded, an
//! explanation; on each database that the tests are built for. The expected decisions are evaluated in memory, from the
//! words of the documentation.
#![allow(clippy::duplicate_mod, reason = "the same tests on each database, of which there may be one")]

mod added;
mod bound;
mod collation;
mod database;
mod drafts;
mod evaluate;
mod held;
mod indexes;
mod library;
#[macro_use]
mod models;
mod moments;
mod person;
mod policies;
#[macro_use]
mod services;
#[macro_use]
mod times;
mod tables;
mod world;

#[path = "."]
mod sqlite {
    use diesel::SqliteConnection;
    use energy_service::test::Server;

    use crate::database::Dialect;

    const SERVER: Server = Server::Sqlite;
    const DIALECT: Dialect = Dialect::Sqlite;

    type Connection = SqliteConnection;

    models!(SqliteConnection);
    services!(SqliteConnection);
    times!(SqliteConnection, diesel::sqlite::sql_types::Timestamptz, "TEXT");

    /// Runs `work` in the transaction of a handler that reads, decides and writes.
    fn in_transaction(connection: &mut Connection, work: impl FnOnce(&mut Connection)) {
        let transaction = |connection: &mut Connection| {
            work(connection);
            Ok(())
        };
        connection.immediate_transaction::<_, diesel::result::Error, _>(transaction).unwrap();
    }

    mod changed;
    mod changes;
    mod composed;
    mod cut_off;
    mod decisions;
    mod derived;
    mod guarded;
    mod narrowed;
    mod narrowing;
    mod oracle;
    mod texts;
    mod values;
}

#[cfg(feature = "postgres")]
#[path = "."]
mod postgres {
    use diesel::{Connection as _, PgConnection};
    use energy_service::test::Server;

    use crate::database::Dialect;

    const SERVER: Server = Server::Postgres;
    const DIALECT: Dialect = Dialect::Postgres;

    type Connection = PgConnection;

    models!(PgConnection);
    services!(PgConnection);
    times!(PgConnection, diesel::pg::sql_types::Timestamptz, "TIMESTAMPTZ");

    /// Runs `work` in the transaction of a handler that reads, decides and writes.
    fn in_transaction(connection: &mut Connection, work: impl FnOnce(&mut Connection)) {
        let transaction = |connection: &mut Connection| {
            work(connection);
            Ok(())
        };
        connection.transaction::<_, diesel::result::Error, _>(transaction).unwrap();
    }

    mod changed;
    mod changes;
    mod composed;
    mod cut_off;
    mod decisions;
    mod derived;
    mod guarded;
    mod locked;
    mod narrowed;
    mod narrowing;
    mod texts;
    mod values;
}

#[cfg(feature = "mysql")]
#[path = "."]
mod mysql {
    use diesel::{Connection as _, MysqlConnection};
    use energy_service::test::Server;

    use crate::database::Dialect;

    const SERVER: Server = Server::Mysql;
    const DIALECT: Dialect = Dialect::Mysql;

    type Connection = MysqlConnection;

    models!(MysqlConnection);
    services!(MysqlConnection);
    times!(MysqlConnection, diesel::mysql::sql_types::Datetime, "DATETIME(3)");

    /// Runs `work` in the transaction of a handler that reads, decides and writes.
    fn in_transaction(connection: &mut Connection, work: impl FnOnce(&mut Connection)) {
        let transaction = |connection: &mut Connection| {
            work(connection);
            Ok(())
        };
        connection.transaction::<_, diesel::result::Error, _>(transaction).unwrap();
    }

    mod changed;
    mod changes;
    mod composed;
    mod cut_off;
    mod decisions;
    mod derived;
    mod guarded;
    mod locked;
    mod narrowed;
    mod narrowing;
    mod texts;
    mod values;
}

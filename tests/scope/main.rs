//! One policy decides alike everywhere: the rows of a list, the condition of a change, a row that is loaded, an
//! explanation; on each database that the tests are built for. What is expected is evaluated in memory, from the words
//! of the documentation.

mod database;
mod evaluate;
#[macro_use]
mod models;
mod policies;
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

    mod decisions;
}

#[cfg(feature = "postgres")]
#[path = "."]
mod postgres {
    use diesel::PgConnection;
    use energy_service::test::Server;

    use crate::database::Dialect;

    const SERVER: Server = Server::Postgres;
    const DIALECT: Dialect = Dialect::Postgres;

    type Connection = PgConnection;

    models!(PgConnection);

    mod decisions;
}

#[cfg(feature = "mysql")]
#[path = "."]
mod mysql {
    use diesel::MysqlConnection;
    use energy_service::test::Server;

    use crate::database::Dialect;

    const SERVER: Server = Server::Mysql;
    const DIALECT: Dialect = Dialect::Mysql;

    type Connection = MysqlConnection;

    models!(MysqlConnection);

    mod decisions;
}

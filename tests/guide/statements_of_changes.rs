//! The statements that the chapter about columns and changes shows are those that each database gets.

/// The test on one database, whose name begins its rows of the table.
macro_rules! statements {
    ($name:literal, $backend:ident, $connection:ident, |$place:pat_param| $establish:expr) => {
        use std::sync::{Arc, Mutex};

        use auth_core::{AuthChangeset, AuthModel, Stored, User};
        use diesel::{
            connection::{InstrumentationEvent, SimpleConnection},
            prelude::*,
        };

        use crate::changes::{CHAPTER, WORLD, accounts, projects};

        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = accounts, check_for_backend($backend))]
        #[acl(update = account(id) & role("account-admin"))]
        struct Account {
            id: i32,
        }

        #[expect(dead_code, reason = "nobody looks at what is found")]
        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = projects, check_for_backend($backend))]
        #[auth(belongs_to(account: Account, account_id))]
        #[acl(update = account.update | user(owner_id), becomes = account.update)]
        struct Project {
            id: i32,
            account_id: i32,
            owner_id: i32,
            name: String,
        }

        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = projects, check_for_backend($backend))]
        #[auth(belongs_to(account: Account, account_id))]
        #[acl(update = account.update | user(owner_id))]
        struct WithoutBecomes {
            id: i32,
        }

        #[derive(AuthChangeset)]
        #[diesel(table_name = projects)]
        struct Changes {
            id: Option<i32>,
            account_id: Option<i32>,
            owner_id: Option<i32>,
            name: Option<&'static str>,
        }

        #[test]
        fn the_chapter_shows_what_the_database_gets() {
            let $place = SERVER.database();
            let connection: &mut $connection = &mut $establish;
            for statement in WORLD {
                connection.batch_execute(statement).unwrap();
            }
            let seen = Arc::new(Mutex::new(Vec::new()));
            let log = Arc::clone(&seen);
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event {
                    let text = query.to_string();
                    if text.contains("__auth_1") {
                        log.lock().unwrap().push(text);
                    }
                }
            });
            let subject = &User::new(2).with_account(3).with_roles(["account-admin"]);
            let name = Changes { id: None, account_id: None, owner_id: None, name: Some("water wheel") };
            WithoutBecomes::change(connection, subject, 7, &name).unwrap();
            let account = Changes { id: None, account_id: Some(3), owner_id: None, name: None };
            Project::change(connection, subject, 7, &account).unwrap();
            let new = Changes { id: Some(8), account_id: Some(3), owner_id: Some(2), name: Some("roof") };
            Project::create(connection, subject, &new).unwrap();
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 3, "{seen:?}");
            for (use_of_it, statement) in
                ["change", "change with `becomes`", "new row"].into_iter().zip(&*seen)
            {
                // A row of a table is one line.
                let text = statement.split(" -- binds").next().unwrap().replace('\n', " ");
                let row = format!("| {use_of_it} | {} | `` {text} `` |", $name);
                assert!(CHAPTER.contains(&row), "this row is not in the chapter:\n{row}");
            }
        }
    };
}

mod sqlite {
    use diesel::sqlite::Sqlite;
    use energy_service::test::Server;

    const SERVER: Server = Server::Sqlite;

    statements!("SQLite", Sqlite, SqliteConnection, |_| SqliteConnection::establish(":memory:").unwrap());
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::Pg;
    use energy_service::{database::Location, test::Server};

    const SERVER: Server = Server::Postgres;

    statements!("PostgreSQL", Pg, PgConnection, |place| {
        let Location::Postgres(url) = place.location() else { return };
        PgConnection::establish(url).unwrap()
    });
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::Mysql;
    use energy_service::{database::Location, test::Server};

    const SERVER: Server = Server::Mysql;

    statements!("MariaDB", Mysql, MysqlConnection, |place| {
        let Location::Mysql(url) = place.location() else { return };
        MysqlConnection::establish(url).unwrap()
    });
}

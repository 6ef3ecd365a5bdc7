//! The statements that the chapter about policies in SQL shows are those that each database gets.

const CHAPTER: &str = include_str!("../../docs/sql.md");

const WORLD: [&str; 4] = [
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER)",
    "CREATE TABLE sensors (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, owner_id INTEGER, \
     is_public BOOLEAN NOT NULL)",
    "INSERT INTO accounts (id, consultancy_id) VALUES (3, NULL), (4, 3)",
    "INSERT INTO sensors (id, account_id, owner_id, is_public) VALUES (7, 4, 2, FALSE)",
];

/// The test on one database, whose name begins its rows of the table.
macro_rules! statements {
    ($name:literal, $backend:ident, $connection:ident, $begin:ident, |$place:pat_param| $establish:expr) => {
        use std::sync::{Arc, Mutex};

        use auth_core::{AuthModel, Permission, Scoped, Stored, User};
        use diesel::{
            connection::{InstrumentationEvent, SimpleConnection},
            prelude::*,
        };

        use super::{CHAPTER, WORLD};

        diesel::table! {
            accounts (id) {
                id -> Integer,
                consultancy_id -> Nullable<Integer>,
            }
        }

        diesel::table! {
            sensors (id) {
                id -> Integer,
                account_id -> Integer,
                owner_id -> Nullable<Integer>,
                is_public -> Bool,
            }
        }

        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = accounts, check_for_backend($backend))]
        #[acl(
                                            read = account(id) | account(consultancy_id) & role("consultant"),
                                            update = account(id) & role("account-admin"),
                                        )]
        struct Account {
            id: i32,
            consultancy_id: Option<i32>,
        }

        #[expect(dead_code, reason = "nobody looks at what is found")]
        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = sensors, check_for_backend($backend))]
        #[auth(belongs_to(account: Account, account_id))]
        #[acl(read = account.read | is_public, update = account.update | user(owner_id))]
        struct Sensor {
            id: i32,
            account_id: i32,
            owner_id: Option<i32>,
            is_public: bool,
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
            let subject = &User::new(2).with_account(3).with_roles(["consultant", "account-admin"]);
            Sensor::check_access(connection, subject, 7, Permission::READ).unwrap().into_result().unwrap();
            Sensor::accessible_by(subject, Permission::READ).load::<Sensor>(connection).unwrap();
            let change = diesel::update(Sensor::changeable_by(subject, Permission::UPDATE).find(7))
                .set(sensors::is_public.eq(true));
            assert_eq!(change.execute(connection), Ok(1));
            connection
                .$begin(|connection| Sensor::authorize_for_update(connection, subject, 7, Permission::UPDATE))
                .unwrap();
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 4);
            for (use_of_it, statement) in ["point check", "list", "change", "locked"].into_iter().zip(&*seen)
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

    statements!("SQLite", Sqlite, SqliteConnection, immediate_transaction, |_| {
        SqliteConnection::establish(":memory:").unwrap()
    });
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::Pg;
    use energy_service::{database::Location, test::Server};

    const SERVER: Server = Server::Postgres;

    statements!("PostgreSQL", Pg, PgConnection, transaction, |place| {
        let Location::Postgres(url) = place.location() else { return };
        PgConnection::establish(url).unwrap()
    });
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::Mysql;
    use energy_service::{database::Location, test::Server};

    const SERVER: Server = Server::Mysql;

    statements!("MariaDB", Mysql, MysqlConnection, transaction, |place| {
        let Location::Mysql(url) = place.location() else { return };
        MysqlConnection::establish(url).unwrap()
    });
}

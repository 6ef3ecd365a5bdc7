//! Properties of a database on a server alone: it can go away, and several services share it.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{thread, time::Duration};

use diesel::{
    ExpressionMethods, QueryDsl, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::BigInt,
};
use energy_service::{
    Config, Service,
    database::{Connection, Database, Limits, Location},
    error::ServiceError,
    schema::{accounts, users},
    test::TestDatabase,
};

use super::SERVER;

fn open(place: &TestDatabase, pool_size: u32) -> Database {
    Database::open(place.location(), pool_size, Duration::from_secs(20)).unwrap()
}

/// As when the server is restarted: between two requests, within one, and within a transaction.
#[actix_web::test]
async fn a_lost_connection_is_replaced() {
    let place = SERVER.database();
    if *place.location() == Location::Memory {
        return;
    }
    let (database, killer) = (open(&place, 1), open(&place, 1));
    let kill = move |connection: &mut Connection| -> Result<(), ServiceError> {
        let session = match connection {
            Connection::Sqlite(_) => return Ok(()),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => "CAST(pg_backend_pid() AS BIGINT)",
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => "CONNECTION_ID()",
        };
        let id: i64 = diesel::select(sql::<BigInt>(session)).get_result(connection)?;
        let killer = &mut *killer.connection()?;
        let kill = match killer {
            Connection::Sqlite(_) => return Ok(()),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => format!("SELECT pg_terminate_backend({id}, 5000)"),
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => format!("KILL {id}"),
        };
        Ok(killer.batch_execute(&kill)?)
    };
    let count = |connection: &mut Connection| -> Result<i64, ServiceError> {
        Ok(accounts::table.count().get_result(connection)?)
    };
    database.run(kill.clone()).await.unwrap();
    assert!(matches!(database.run(count).await, Ok(0)));

    let within = kill.clone();
    let result = database.run(move |connection| within(connection).and_then(|()| count(connection))).await;
    assert!(matches!(result, Err(ServiceError::Unavailable(_))), "{result:?}");
    assert!(matches!(database.run(count).await, Ok(0)));

    let result = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                diesel::insert_into(accounts::table)
                    .values(accounts::name.eq("never there"))
                    .execute(connection)?;
                kill(connection)?;
                count(connection)
            })
        })
        .await;
    assert!(matches!(result, Err(ServiceError::Unavailable(_))), "{result:?}");
    assert!(matches!(database.run(count).await, Ok(0)));
}

/// By the server, so that the connection is free for the next one.
#[actix_web::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let place = SERVER.database();
    if *place.location() == Location::Memory {
        return;
    }
    let limits =
        Limits { statement: Duration::from_secs(1), answer: Duration::from_secs(60), ..Limits::default() };
    let database = Database::open_within(limits, place.location(), 1, Duration::from_secs(20)).unwrap();
    let result = database
        .run(|connection| {
            let sleep = match connection {
                Connection::Sqlite(_) => return Ok(()),
                #[cfg(feature = "postgres")]
                Connection::Postgres(_) => "SELECT pg_sleep(3600)",
                #[cfg(feature = "mysql")]
                Connection::Mysql(_) => "SELECT SLEEP(3600)",
            };
            Ok(connection.batch_execute(sleep)?)
        })
        .await;
    assert!(matches!(result, Err(ServiceError::Unavailable(_))), "{result:?}");
    let count = database.run(|connection| Ok(accounts::table.count().get_result::<i64>(connection)?)).await;
    assert!(matches!(count, Ok(0)), "{count:?}");
}

#[test]
fn services_that_start_at_once_make_the_tables_and_the_demo_once() {
    let place = SERVER.database();
    if *place.location() == Location::Memory {
        return;
    }
    let config = Config { demo: true, pool_size: 1, ..place.config() };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Service::open(&config).unwrap());
        }
    });
    let connection = &mut *open(&place, 1).connection().unwrap();
    assert_eq!(users::table.count().get_result(connection), Ok(6));
}

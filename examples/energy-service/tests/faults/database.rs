//! A `PostgreSQL` that is stopped, killed, frozen, or does not come to an end.

use std::{thread, time::Duration};

use diesel::connection::SimpleConnection as _;
use energy_service::database::Database;

use crate::{
    faults::{
        load::{Client, OF_USERS, Outcomes, REQUESTS},
        servers::Postgres,
    },
    process::{PATIENCE, Process},
};

/// Twice the longest time of the service in these tests, which waits for the caller, for the context and for the work of
/// the handler: the machine may be busy. Without limits it would wait for ever.
const ANSWERED: Duration = Duration::from_secs(20);

/// Few connections, and little patience.
fn start(postgres: &Postgres) -> Process {
    let url = postgres.url();
    Process::demo(&[
        "--database",
        &url,
        "--pool-size",
        "4",
        "--pool-wait",
        "500",
        "--connect-wait",
        "2000",
        "--statement-wait",
        "1000",
        "--answer-wait",
        "3000",
    ])
}

#[test]
fn a_database_that_is_stopped_under_load_comes_back() {
    let Some(mut postgres) = Postgres::start() else { return };
    let service = start(&postgres);
    let client = Client::new(service.address);
    let ((seen, recovered), traces) = service.leaves_nothing_behind(1, || {
        client.load(8, &REQUESTS, || {
            thread::sleep(Duration::from_millis(500));
            postgres.stop();
            thread::sleep(Duration::from_millis(1500));
            postgres.start_again();
            let recovered = client.recovers();
            postgres.kill();
            thread::sleep(Duration::from_millis(500));
            postgres.start_again();
            recovered.max(client.recovers())
        })
    });
    seen.assert_survived();
    assert!(seen.slowest() < ANSWERED, "{seen}");
    client.assert_stored(&seen);
    println!("database stopped and killed under load: {seen}; recovered after {recovered:.1?}; {traces}");
}

#[test]
fn a_database_that_is_frozen_is_not_waited_for() {
    let Some(postgres) = Postgres::start() else { return };
    let service = start(&postgres);
    let client = Client::new(service.address);
    let ((seen, recovered), traces) = service.leaves_nothing_behind(1, || {
        postgres.freeze();
        // First, requests that have a connection get no answer; then none has one.
        let seen = client.ask_at_once(&REQUESTS).and(client.ask_at_once(&REQUESTS));
        postgres.thaw();
        seen.assert_survived();
        assert!(seen.slowest() < ANSWERED, "{seen}");
        (seen, client.recovers())
    });
    client.assert_stored(&seen);
    println!("database frozen: {seen}; recovered after {recovered:.1?}; {traces}");
}

/// Sends requests that do not come to an end, and meanwhile requests that need other tables alone.
fn hangs(client: &Client) -> (Outcomes, Outcomes) {
    let hanging = client.ask_at_once(&REQUESTS);
    hanging.assert_survived();
    assert!(hanging.slowest() < ANSWERED, "{hanging}");
    let others = client.ask_each(&OF_USERS);
    assert!(others.all_right(), "the connections are not free: {others}");
    (hanging, others)
}

/// A fault of the database, and the way to undo it.
fn while_it_is_so(name: &str, begin: &str, end: &str) {
    let Some(postgres) = Postgres::start() else { return };
    let service = start(&postgres);
    let client = Client::new(service.address);
    let other = Database::open(&postgres.url().parse().unwrap(), 1, PATIENCE).unwrap();
    let ((hanging, others, recovered), traces) = service.leaves_nothing_behind(1, || {
        let mut other = other.connection().unwrap();
        other.batch_execute(begin).unwrap();
        let (hanging, others) = hangs(&client);
        other.batch_execute(end).unwrap();
        (hanging, others, client.recovers())
    });
    client.assert_stored(&hanging);
    println!(
        "{name}: {hanging}; meanwhile, of other tables: {others}; recovered after {recovered:.1?}; {traces}"
    );
}

#[test]
fn a_statement_that_waits_for_a_lock_is_ended() {
    while_it_is_so(
        "statements that wait for a lock",
        "BEGIN; LOCK TABLE assets IN ACCESS EXCLUSIVE MODE",
        "ROLLBACK",
    );
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    while_it_is_so(
        "statements that take too long",
        "ALTER TABLE assets RENAME TO kept; \
         CREATE VIEW assets AS SELECT kept.* FROM kept, LATERAL (SELECT pg_sleep(3600)) AS forever",
        "DROP VIEW assets; ALTER TABLE kept RENAME TO assets",
    );
}

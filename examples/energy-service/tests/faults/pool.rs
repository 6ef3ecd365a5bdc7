//! More requests than connections, while those that have one wait for a lock.

use std::{thread, time::Duration};

use diesel::connection::SimpleConnection as _;
use energy_service::database::Database;

use crate::{
    faults::load::{Client, REQUESTS},
    process::{Folder, PATIENCE, Process},
};

/// On `SQLite`, a writer waits for another writer. Both connections of the pool do so, and all other requests wait for
/// them.
#[test]
fn an_exhausted_pool_answers_and_recovers() {
    let folder = Folder::new();
    let file = folder.file("energy.sqlite");
    let service = Process::demo(&[
        "--database",
        &file,
        "--pool-size",
        "2",
        "--pool-wait",
        "300",
        "--statement-wait",
        "1000",
    ]);
    let other = Database::open(&file.parse().unwrap(), 1, PATIENCE).unwrap();
    let client = Client::new(service.address);
    let ((seen, recovered), traces) = service.leaves_nothing_behind(1, || {
        let (seen, ()) = client.load(32, &REQUESTS, || {
            let mut writer = other.connection().unwrap();
            writer.batch_execute("BEGIN IMMEDIATE").unwrap();
            thread::sleep(Duration::from_secs(2));
            writer.batch_execute("ROLLBACK").unwrap();
        });
        (seen, client.recovers())
    });
    seen.assert_survived();
    client.assert_stored(&seen);
    println!("pool exhausted: {seen}; recovered after {recovered:.1?}; {traces}");
}

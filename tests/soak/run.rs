//! The run.

use std::{
    env,
    io::{self, Write as _},
    str::FromStr,
    thread,
    time::Instant,
};

use energy_service::{database::Location, test::Server};

use crate::soak::{client::Instances, tally::Tally, walk::Walk, world::World};

/// Seconds, and enough to see each kind of change.
const STEPS: u64 = 2_000;
/// As many as each instance has connections to the database.
const CLIENTS: u64 = 8;

#[test]
fn every_answer_of_two_instances_is_right() {
    let steps = setting("AUTH_TEST_SOAK_STEPS").unwrap_or(STEPS);
    let seed = setting("AUTH_TEST_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let place = Server::Postgres.database();
    if *place.location() == Location::Memory {
        // Each instance would have a database of its own.
        return;
    }
    let instances = Instances::start(&place);
    let world = World::create(instances.services[0].database());

    let began = Instant::now();
    let mut alone = Walk::new(&world, &instances, seed);
    alone.log_everybody_in();
    let mut tally = alone.go(steps / 5);
    let raced_alone = tally.raced;
    for part in together(&world, &instances, seed, steps - steps / 5) {
        tally.add(&part);
    }
    // The harness captures `println!`.
    let _ = writeln!(
        io::stderr(),
        "soak run of {:.0?} with AUTH_TEST_SOAK_SEED={seed}\n{tally}",
        began.elapsed()
    );

    let wrong = world.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "with AUTH_TEST_SOAK_SEED={seed}\n{}", wrong.join("\n"));
    assert_eq!(raced_alone, 0, "a single client races with nobody");
    let differences = world.differences();
    assert!(differences.is_empty(), "with AUTH_TEST_SOAK_SEED={seed}\n{}", differences.join("\n"));
    // A run that sees nothing finds nothing.
    assert!(tally.turned > 0 && tally.raced > 0 && tally.several > 0, "nothing was changed: {tally}");
}

fn together(world: &World, instances: &Instances, seed: u64, steps: u64) -> Vec<Tally> {
    let walk = |client: u64| {
        let walk = Walk::new(world, instances, seed.wrapping_add(client));
        move || walk.go(steps / CLIENTS)
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS).map(|client| scope.spawn(walk(client))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let value = text.parse().ok();
    assert!(value.is_some(), "`{name}` is not a number: `{text}`");
    value
}

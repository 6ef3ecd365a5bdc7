//! A denied POST with a body of 0, 64 KiB and 1 MiB: ours, and with checks by hand in a handler that takes the body, and
//! in one that does not.
//!
//! ```sh
//! cargo bench -p auth-benches --bench bodies
//! ```
//!
//! Prints the time of a request over a connection of its own, and then the instructions, which Valgrind counts: without
//! a socket, and of a whole server.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

use auth_benches::{
    Error,
    bodies::{Place, SIZES, Way, denied, denied_head, instructions},
    client::{Server, send},
    counting::worked,
    database,
};
use divan::Bencher;

fn main() -> Result<(), Error> {
    if worked()? {
        return Ok(());
    }
    divan::main();
    println!("\n| instructions of a denied POST | 0 | 64 KiB | 1 MiB | 1 MiB / 0 |\n|---|---|---|---|---|");
    for place in Place::ALL {
        for way in Way::ALL {
            let [none, some, all] = SIZES.map(|size| instructions(place, way, size));
            let (none, some, all) = (none?, some?, all?);
            println!(
                "| {}, {} | {none:.0} | {some:.0} | {all:.0} | {:.3} |",
                way.name(),
                place.name(),
                all / none
            );
        }
    }
    Ok(())
}

#[divan::bench(args = SIZES)]
fn by_hand(bencher: Bencher<'_, '_>, size: usize) {
    time(bencher, Way::ByHand, size);
}

#[divan::bench(args = SIZES)]
fn guarded(bencher: Bencher<'_, '_>, size: usize) {
    time(bencher, Way::Guarded, size);
}

#[divan::bench(args = SIZES)]
fn by_hand_without_body(bencher: Bencher<'_, '_>, size: usize) {
    time(bencher, Way::Bodiless, size);
}

fn time(bencher: Bencher<'_, '_>, way: Way, size: usize) {
    if let Err(error) = try_time(bencher, way, size) {
        println!("{way:?}: {error}");
    }
}

fn try_time(bencher: Bencher<'_, '_>, way: Way, size: usize) -> Result<(), Error> {
    let configure = way.configure(database::filled()?)?;
    let server = Server::start(move |config| configure(config))?;
    let (head, body) = (denied_head(size), vec![b'x'; size]);
    denied(send(server.address, &head, &body)?)?;
    bencher.bench(|| send(server.address, &head, &body));
    Ok(())
}

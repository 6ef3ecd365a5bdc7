//! A GET of one row: without auth, with checks by hand, ours, and with other libraries.
//!
//! ```sh
//! cargo bench -p auth-benches --features peers --bench requests
//! ```
//!
//! Prints the time of a request over a connection to a server, and then the instructions of a request without a socket,
//! as Valgrind counts them, the database and all threads included.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

use std::{cell::RefCell, net::TcpStream};

use auth_benches::{
    Error,
    client::{Server, ask, head},
    counting::{allocations, instructions, worked},
    database,
    requests::{self, Way},
    rule::Case,
};
use divan::Bencher;

fn main() -> Result<(), Error> {
    if worked()? {
        return Ok(());
    }
    divan::main();
    println!("\n| a request of a member | instructions | allocations | statements |\n|---|---|---|---|");
    for way in Way::ALL {
        row(*way, Case::Member)?;
    }
    println!(
        "\n| a request of a stranger, which is denied | instructions | allocations | statements |\n|---|---|---|---|"
    );
    for way in Way::ALL.iter().filter(|way| **way != Way::Open) {
        row(*way, Case::Stranger)?;
    }
    Ok(())
}

fn row(way: Way, case: Case) -> Result<(), Error> {
    let work = format!("requests/{}/{}", way.name(), case.name());
    let instructions = instructions(&work, 500)?;
    let allocations = allocations(&work, 200)?;
    let statements = requests::statements(way, case)?.len();
    println!("| {} | {instructions:.0} | {allocations:.1} | {statements} |", way.described());
    Ok(())
}

#[divan::bench(args = Way::ALL.iter().map(|way| way.name()))]
fn over_a_connection(bencher: Bencher<'_, '_>, way: &str) {
    if let Err(error) = time(bencher, way) {
        println!("{way}: {error}");
    }
}

fn time(bencher: Bencher<'_, '_>, way: &str) -> Result<(), Error> {
    let way = Way::named(way).ok_or("no such way")?;
    let configure = way.configure(database::filled()?)?;
    let server = Server::start(move |config| configure(config))?;
    let stream = RefCell::new(TcpStream::connect(server.address)?);
    stream.borrow().set_nodelay(true)?;
    let head = head("GET", &requests::path(Case::Member), Some(&database::token(Case::Member)), 0);
    let status = ask(&mut stream.borrow_mut(), &head)?;
    if status != 200 {
        return Err(format!("answered with {status}").into());
    }
    bencher.bench_local(|| ask(&mut stream.borrow_mut(), &head));
    Ok(())
}

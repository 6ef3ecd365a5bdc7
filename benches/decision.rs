//! One decision on a loaded context: an `if`, ours, and other libraries.
//!
//! ```sh
//! cargo bench -p auth-benches --features peers --bench decision
//! ```
//!
//! Prints the time, and then the instructions and the allocations, which repeat, as Valgrind counts them.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

use std::fmt::Write as _;

use auth_benches::{
    Error,
    counting::{allocations, instructions, worked},
    decision::{self, WAYS},
    rule::Case,
};
use divan::Bencher;

fn main() -> Result<(), Error> {
    if worked()? {
        return Ok(());
    }
    divan::main();
    println!(
        "\n| instructions (allocations) of a decision about | {} |",
        Case::ALL.map(Case::name).join(" | ")
    );
    println!("|---|{}", "---|".repeat(Case::ALL.len()));
    let nothing = instructions("decision/nothing/member", 10_000)?;
    for way in WAYS.iter().filter(|way| **way != "nothing") {
        let mut row = format!("| {} |", decision::described(way));
        for case in Case::ALL {
            let times = if is_slow(way) { 100 } else { 10_000 };
            let work = format!("decision/{way}/{}", case.name());
            let net = instructions(&work, times)? - nothing;
            let allocated = allocations(&work, times)?;
            write!(row, " {net:.0} ({allocated:.0}) |")?;
        }
        println!("{row}");
    }
    Ok(())
}

fn is_slow(way: &str) -> bool {
    matches!(way, "casbin" | "cedar")
}

#[divan::bench(args = Case::ALL.map(Case::name))]
fn an_if(bencher: Bencher<'_, '_>, case: &str) {
    time(bencher, case, decision::by_hand);
}

#[divan::bench(args = Case::ALL.map(Case::name))]
fn declared(bencher: Bencher<'_, '_>, case: &str) {
    time(bencher, case, decision::declared);
}

#[divan::bench(args = Case::ALL.map(Case::name))]
fn expressed(bencher: Bencher<'_, '_>, case: &str) {
    time(bencher, case, decision::expressed);
}

#[divan::bench(args = Case::ALL.map(Case::name))]
fn as_a_guard(bencher: Bencher<'_, '_>, case: &str) {
    time(bencher, case, decision::guard);
}

fn time(
    bencher: Bencher<'_, '_>,
    case: &str,
    decide: impl Fn(&auth_benches::rule::Caller, &auth_benches::rule::Asset) -> bool + Sync,
) {
    let case = Case::named(case).unwrap_or(Case::Stranger);
    let (caller, asset) = (case.caller(), case.asset());
    bencher.bench(|| decide(&caller, &asset));
}

#[cfg(feature = "peers")]
mod peers {
    use auth_benches::{
        peers::{casbin::Casbin, cedar::Cedar, grants},
        rule::Case,
    };
    use auth_core::Permission;
    use divan::Bencher;

    use super::time;

    #[divan::bench(args = Case::ALL.map(Case::name))]
    fn actix_web_grants(bencher: Bencher<'_, '_>, case: &str) {
        let granted = Case::named(case).map(|case| grants::granted(&case.caller()));
        time(bencher, case, |caller, asset| {
            granted.as_ref().is_some_and(|granted| grants::may_read(granted, caller, asset))
        });
    }

    #[divan::bench(args = Case::ALL.map(Case::name))]
    fn casbin(bencher: Bencher<'_, '_>, case: &str) {
        if let Ok(casbin) = Casbin::new() {
            time(bencher, case, |caller, asset| casbin.may(caller, asset, Permission::READ).unwrap_or(false));
        }
    }

    #[divan::bench(args = Case::ALL.map(Case::name))]
    fn cedar(bencher: Bencher<'_, '_>, case: &str) {
        if let Ok(cedar) = Cedar::new() {
            time(bencher, case, |caller, asset| cedar.may(caller, asset, Permission::READ).unwrap_or(false));
        }
    }
}

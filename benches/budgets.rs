//! The budgets and the measured costs, side by side.
//!
//! ```sh
//! cargo bench -p auth-benches --bench budgets
//! ```
//!
//! Valgrind counts everything. Counts of one thread repeat; those of a request that changes threads vary by up to 4 %, more
//! on a busy machine. Fails where a budget is not met. Without `CARGO_INCREMENTAL=1`: an incremental build inlines less.
#![expect(clippy::print_stdout, reason = "the results are for a person")]

use std::fmt::Write as _;

use auth_benches::{
    Error,
    bodies::{self, Place},
    counting::{allocations, instructions, worked},
    decision::described,
    requests::{self, Way},
    rule::Case,
};

const REQUESTS: u32 = 1_000;
const DECISIONS: u32 = 10_000;

fn main() -> Result<(), Error> {
    if worked()? {
        return Ok(());
    }
    println!("| budget | at most | measured | met |\n|---|---|---|---|");
    let met =
        [decision()?, statements()?, request()?, public()?, body(Place::Service)?, body(Place::Server)?];
    if met.contains(&false) { Err("a budget is not met".into()) } else { Ok(()) }
}

/// The worst of the cases, for each way to decide.
fn decision() -> Result<bool, Error> {
    let count = |way: &str, case: Case| instructions(&format!("decision/{way}/{}", case.name()), DECISIONS);
    let nothing = count("nothing", Case::Member)?;
    let mut met = true;
    for way in ["declared", "expressed", "guard"] {
        let mut allocated = 0.0_f64;
        for case in Case::ALL {
            allocated = allocated.max(allocations(&format!("decision/{way}/{}", case.name()), DECISIONS)?);
        }
        met &= row(&format!("decision, {way}: allocations"), 0.0, allocated, "");
    }
    for (way, by_hand) in [("declared", "if"), ("expressed", "if"), ("guard", "if"), ("guard", "unknown-if")]
    {
        let (mut worst, mut figures) = (0.0_f64, String::new());
        for case in Case::ALL {
            let (ours, by_hand) = (count(way, case)? - nothing, count(by_hand, case)? - nothing);
            worst = worst.max(ours / by_hand);
            write!(figures, " {} {ours:.0}/{by_hand:.0}", case.name())?;
        }
        let what = format!("decision, {way}: instructions / those of {}", described(by_hand));
        // A guard knows nothing of its subject but that it is one, and pays for that as an `if` does. The cost of both is
        // shown, and is no budget.
        if way == "guard" && by_hand == "if" {
            println!("| {what} | | {worst:.3}{figures} | |");
        } else {
            met &= row(&what, 2.0, worst, &figures);
        }
    }
    Ok(met)
}

fn statements() -> Result<bool, Error> {
    let ours = requests::statements(Way::Guarded, Case::Member)?;
    let by_hand = requests::statements(Way::ByHand, Case::Member)?;
    let figures =
        format!(" {}/{}, {}", ours.len(), by_hand.len(), if ours == by_hand { "the same" } else { "others" });
    let more = f64::from(u32::try_from(ours.len())?) - f64::from(u32::try_from(by_hand.len())?);
    Ok(row("guarded GET: statements more than by hand", 0.0, more, &figures))
}

fn request() -> Result<bool, Error> {
    let count =
        |way: Way| instructions(&format!("requests/{}/{}", way.name(), Case::Member.name()), REQUESTS);
    let (ours, by_hand) = (count(Way::Guarded)?, count(Way::ByHand)?);
    let figures = format!(" {ours:.0}/{by_hand:.0}");
    Ok(row("guarded GET: instructions / those by hand", 1.03, ours / by_hand, &figures))
}

/// A plain `App` is wrapped in nothing. A protected scope is, for its guarded handlers; what its public ones pay is shown.
fn public() -> Result<bool, Error> {
    let count =
        |way: Way| instructions(&format!("requests/{}/{}", way.name(), Case::Stranger.name()), REQUESTS);
    let (without, public, in_scope) =
        (count(Way::WithoutAttribute)?, count(Way::Public)?, count(Way::PublicInScope)?);
    let figures = format!(" {public:.0}/{without:.0}, in a protected scope {in_scope:.0}");
    Ok(row(
        "public GET: instructions / those of a handler without attribute",
        1.01,
        public / without,
        &figures,
    ))
}

fn body(place: Place) -> Result<bool, Error> {
    let count = |way, size| bodies::instructions(place, way, size);
    let both = |way| Ok::<_, Error>((count(way, 1024 * 1024)?, count(way, 0)?));
    let (full, empty) = both(bodies::Way::Guarded)?;
    let mut figures = format!(" {full:.0}/{empty:.0}");
    // actix-web treats a body that no handler reads alike, with a guard or without.
    let of_actix = if place == Place::Server {
        let (full, empty) = both(bodies::Way::Bodiless)?;
        write!(figures, ", without a guard {full:.0}/{empty:.0}")?;
        full - empty
    } else {
        0.0
    };
    write!(figures, ", all in all {:.3}", full / empty)?;
    let what =
        format!("denied POST of 1 MiB, {}: instructions of ours / those of an empty one", place.name());
    Ok(row(&what, 1.05, (full - of_actix) / empty, &figures))
}

fn row(what: &str, most: f64, measured: f64, figures: &str) -> bool {
    let met = measured <= most;
    println!("| {what} | {most} | {measured:.3}{figures} | {} |", if met { "yes" } else { "**no**" });
    met
}

//! Mutants of the energy service: each attribute of its handlers is deleted, weakened or exchanged in turn, and the access
//! matrix of the service has to notice every one of them.
//!
//! In the matrix, no handler depends on another. So one build changes many of them at once, and each has to differ in a row
//! of its own; where nothing was changed, nothing may differ.
//!
//! All of them take many minutes, so they are left out unless `AUTH_TEST_MUTANTS` is set: to `sample` for a mutant of nearly
//! each handler, in a single build, as in `.ci/run`; to `1` for all of them, as in `.ci/release`.

mod copy;
mod operators;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{self, Write as _},
    path::Path,
};

use energy_service::{Config, Service};

use self::{
    copy::Copy,
    operators::{Mutant, mutants},
    sources::Source,
};

/// Mutants that answer every request as the service does: operator, handler, and reason.
const EQUIVALENT: &[(&str, &str, &str)] = &[];

/// The routes of each handler, as `METHOD path`.
type Routes = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_access_matrix_notices_every_mutant() {
    let is_sample = match env::var("AUTH_TEST_MUTANTS").as_deref() {
        Ok("1") => false,
        Ok("sample") => true,
        Ok(other) => panic!("AUTH_TEST_MUTANTS is `1` or `sample`, not `{other}`"),
        Err(_) => {
            say(
                "mutants of the energy service are left out: they take minutes; AUTH_TEST_MUTANTS=1 tries them",
            );
            return;
        }
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let routes = routes();
    let sources = Source::all(&workspace.join("examples/energy-service/src"));
    let mut mutants = mutants(&sources, &routes);
    if is_sample {
        // So that it has some of each operator, and is the same one again.
        fastrand::Rng::with_seed(0).shuffle(&mut mutants);
    }
    let changed: BTreeSet<&String> = mutants.iter().flat_map(|mutant| &mutant.handlers).collect();
    assert_eq!(changed, routes.keys().collect(), "each handler with a guard is changed");

    let copy = Copy::of(workspace);
    assert_eq!(copy.differing(&sources, &[]), BTreeSet::new(), "in the service as it is");
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut missed = BTreeSet::new();
    let mut rounds = rounds(&mutants);
    if is_sample {
        rounds.truncate(1);
    }
    for round in &rounds {
        let differing = copy.differing(&sources, round);
        for Mutant { operator, handlers, is_whole, is_refused, .. } in round {
            let caught = |handler: &String| routes[handler].iter().any(|route| differing.contains(route));
            let count = counts.entry(operator).or_default();
            if *is_whole {
                count.add(handlers.iter().any(caught), *is_refused);
                if !handlers.iter().any(caught) {
                    missed.insert((*operator, handlers[0].as_str()));
                }
            } else {
                for handler in handlers {
                    count.add(caught(handler), *is_refused);
                    if !caught(handler) {
                        missed.insert((*operator, handler.as_str()));
                    }
                }
            }
        }
        let changed: BTreeSet<String> = round
            .iter()
            .flat_map(|mutant| &mutant.handlers)
            .flat_map(|handler| routes[handler].clone())
            .collect();
        let others: Vec<&String> = differing.difference(&changed).collect();
        assert!(others.is_empty(), "these differ, and were not changed: {others:?}");
    }
    for (operator, count) in &counts {
        say(&format!("{operator}: {count}"));
    }
    let tried: usize = rounds.iter().map(Vec::len).sum();
    say(&format!("{tried} of {} mutants in {} builds", mutants.len(), rounds.len()));
    let expected: BTreeSet<(&str, &str)> =
        EQUIVALENT.iter().map(|(operator, handler, _)| (*operator, *handler)).collect();
    if is_sample {
        assert!(missed.is_subset(&expected), "what the matrix does not notice: {missed:?}");
    } else {
        assert_eq!(missed, expected, "what the matrix does not notice (left), and what it cannot (right)");
    }
}

#[derive(Default)]
struct Count {
    caught: usize,
    all: usize,
    refused: usize,
}

impl Count {
    fn add(&mut self, caught: bool, is_refused: bool) {
        self.all += 1;
        self.caught += usize::from(caught);
        self.refused += usize::from(is_refused);
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caught, all, refused } = self;
        write!(f, "{caught} of {all} caught")?;
        if *refused > 0 { write!(f, ", {refused} of them by the compiler as well") } else { Ok(()) }
    }
}

/// As few as possible, with no more than one mutant of a handler in each.
fn rounds(mutants: &[Mutant]) -> Vec<Vec<&Mutant>> {
    let mut rounds: Vec<Vec<&Mutant>> = Vec::new();
    for mutant in mutants {
        let is_free = |round: &&mut Vec<&Mutant>| {
            round.iter().all(|other| other.handlers.iter().all(|handler| !mutant.handlers.contains(handler)))
        };
        match rounds.iter_mut().find(is_free) {
            Some(round) => round.push(mutant),
            None => rounds.push(vec![mutant]),
        }
    }
    rounds
}

/// Those of the handlers that are not public, as the guard report of the service has them.
fn routes() -> Routes {
    let service = Service::open(&Config::default()).unwrap();
    let registered = actix_web::rt::System::new().block_on(service.guards());
    let mut routes = Routes::new();
    for entry in registered.report().entries().iter().filter(|entry| !entry.is_public()) {
        let handler = format!("{}::{}", entry.handler().module(), entry.handler().name());
        let of_entry = entry.methods().iter().map(|method| format!("{method} {}", entry.path()));
        routes.entry(handler).or_default().extend(of_entry);
    }
    routes
}

/// The harness captures `eprintln!`, and a terminal may be closed.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

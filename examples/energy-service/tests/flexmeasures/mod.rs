//! The official client of FlexMeasures, in Python, makes each of its calls against the demo: as a user who may, and as one who
//! may not. `docs/flexmeasures-client.md` has the answers, which people review.
//!
//! The client is that of `AUTH_TEST_FLEXMEASURES_PYTHON`, an interpreter that has what `requirements.txt` names, or else of
//! `python3`.
#![expect(clippy::unwrap_used, reason = "the functions of a test may panic, too")]

use std::{
    env, fs,
    io::{self, Write as _},
    process::Command,
};

use crate::process::Process;

const REVIEWED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/flexmeasures-client.md");
const CALLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flexmeasures/calls.py");
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Whether the interpreter has the client, in the version that is required.
fn has_client(python: &str) -> bool {
    let (name, version) = REQUIREMENTS.trim().split_once("==").unwrap();
    let find = format!("import importlib.metadata as m; assert m.version({name:?}) == {version:?}");
    Command::new(python).args(["-c", &find]).output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_official_client_gets_what_its_user_may() {
    let python = env::var("AUTH_TEST_FLEXMEASURES_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !has_client(&python) {
        assert!(env::var_os("CI").is_none(), "{python} has no {REQUIREMENTS}");
        // The harness captures `eprintln!`.
        let _ =
            writeln!(io::stderr(), "the client of FlexMeasures: left out, as {python} has no {REQUIREMENTS}");
        return;
    }
    let service = Process::demo(&[]);
    let output = Command::new(&python).arg(CALLS).arg(service.address.to_string()).output().unwrap();
    let (table, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(table.lines().count() > 30, "{table}");

    let reviewed = fs::read_to_string(REVIEWED).unwrap();
    let (before, table_of_file) = reviewed.split_once("| call |").unwrap();
    if env::var_os("UPDATE_REVIEWED").is_some() {
        fs::write(REVIEWED, format!("{before}{table}")).unwrap();
        return;
    }
    let expected = format!("| call |{table_of_file}");
    assert_eq!(
        *table, expected,
        "this is not what was reviewed in {REVIEWED}; UPDATE_REVIEWED=1 rewrites it"
    );
}

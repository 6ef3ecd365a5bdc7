//! `SECURITY.md` names a test for each promise. Reviewers check that the test proves the promise; this file checks that
//! it exists.

use std::{collections::BTreeSet, fs, path::Path};

const SECURITY: &str = include_str!("../../SECURITY.md");

/// The texts in backquotes, as the file and the function of a test.
fn named_tests() -> BTreeSet<(&'static str, &'static str)> {
    SECURITY.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs::")).collect()
}

#[test]
fn every_test_that_holds_a_promise_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = named_tests();
    assert!(named.len() > 20, "only {} tests are named", named.len());
    for (file, function) in named {
        let path = root.join(format!("{file}.rs"));
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let before =
            source.split(&format!("fn {function}(")).next().filter(|before| before.len() < source.len());
        let attributes = before.and_then(|before| before.rsplit("\n\n").next()).unwrap_or_default();
        let is_test = attributes.contains("#[test]") || attributes.contains("#[actix_web::test]");
        assert!(is_test, "{file}.rs has no test `{function}`");
    }
}

#[test]
fn every_promise_names_a_test() {
    let (_, promises) = SECURITY.split_once("## What is promised").unwrap();
    let (promises, _) = promises.split_once("## What is not promised").unwrap();
    let rows = promises.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    for row in rows {
        assert!(row.contains(".rs::"), "no test holds this promise: {row}");
    }
}

//! Reads the cases, and counts how they are answered.

use std::{
    collections::BTreeMap,
    env,
    fmt::Debug,
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use serde::{Deserialize, de::DeserializeOwned};

/// The tags whose `alternative` this library answers. `DEVIATIONS.md` has the reasons.
const DEVIATIONS: [&str; 8] = [
    "anonymous-matches-every-logged-in-user",
    "empty-role-name",
    "every-logged-in-user-in-and",
    "inactive-user",
    "leading-zeros",
    "own-roles",
    "repeated-prefix",
    "unicode-digits",
];

/// As [`DEVIATIONS`], in `check-access.jsonl` alone.
const DEVIATION_OF_GUARDS: &str = "unknown-permission-anonymous";

/// The folder of the cases: `AUTH_CONFORMANCE_DIR`, or the one of this file.
pub(crate) fn path(file: &str) -> PathBuf {
    let folder = env::var_os("AUTH_CONFORMANCE_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance")), PathBuf::from);
    folder.join(file)
}

pub(crate) fn read<Q: DeserializeOwned, A: DeserializeOwned>(file: &str) -> Vec<Vector<Q, A>> {
    let path = path(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let parse = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error} in {line}", path.display()))
    };
    text.lines().map(parse).collect()
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "Q: DeserializeOwned, A: DeserializeOwned"))]
pub(crate) struct Vector<Q, A> {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) question: Q,
    expected: Option<A>,
    surprise: Option<String>,
    alternative: Option<A>,
}

impl<Q, A: PartialEq> Vector<Q, A> {
    /// Whether this is the answer of FlexMeasures.
    pub(crate) fn expects(&self, answer: A) -> bool {
        self.expected == Some(answer)
    }
}

#[derive(Deserialize)]
pub(crate) struct VectorUser {
    pub(crate) id: i64,
    pub(crate) roles: Vec<String>,
    pub(crate) account: VectorAccount,
    #[serde(default = "yes")]
    pub(crate) active: bool,
}

#[derive(Deserialize)]
pub(crate) struct VectorAccount {
    pub(crate) id: i64,
    pub(crate) roles: Vec<String>,
    pub(crate) consultancy_account_id: Option<i64>,
}

fn yes() -> bool {
    true
}

/// Principals, as the data has them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Terms {
    Nobody,
    One(String),
    Any { any: Vec<Terms> },
    All { all: Vec<Terms> },
}

/// The answers to the cases of a file.
#[derive(Default)]
pub(crate) struct Count {
    agreed: usize,
    deviating: BTreeMap<String, usize>,
    disagreeing: Vec<String>,
    note: Option<String>,
}

impl Count {
    pub(crate) fn add<Q, A: PartialEq + Debug>(&mut self, vector: &Vector<Q, A>, answer: A) {
        let deviation = vector.surprise.as_deref().filter(|tag| deviates(tag));
        let right = if deviation.is_some() { &vector.alternative } else { &vector.expected };
        let answer = Some(answer);
        if answer != *right {
            self.disagreeing.push(format!("{}: {answer:?} instead of {right:?}", vector.id));
        } else if let Some(tag) = deviation {
            self.deviate(tag);
        } else {
            self.agreed += 1;
        }
    }

    /// A case that this library decides otherwise on purpose, for a reason that is no tag of the data.
    pub(crate) fn deviate(&mut self, reason: &str) {
        *self.deviating.entry(reason.to_owned()).or_default() += 1;
    }

    pub(crate) fn cases(&self) -> usize {
        self.agreed + self.deviating.values().sum::<usize>() + self.disagreeing.len()
    }

    /// Printed behind the counts: the source of the answers.
    pub(crate) fn note(&mut self, note: String) {
        self.note = Some(note);
    }

    /// Prints the counts, and fails if an answer is wrong.
    pub(crate) fn assert(self, file: &str) {
        let cases = self.cases();
        let Self { agreed, deviating, disagreeing, note } = self;
        let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
        say(&format!(
            "{file}: {cases} cases, {agreed} agreed, deviating {deviating:?}, disagreeing: {}{note}",
            disagreeing.len()
        ));
        assert!(cases > 0, "{file} has no cases");
        assert!(disagreeing.is_empty(), "{file}: {disagreeing:#?}");
    }
}

/// Prints a line past the test harness, which hides the output of a passing test.
pub(crate) fn say(line: &str) {
    io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn deviates(tag: &str) -> bool {
    DEVIATIONS.contains(&tag) || tag == DEVIATION_OF_GUARDS
}

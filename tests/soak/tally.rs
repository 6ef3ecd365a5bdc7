//! Counts of the run.

use std::{collections::BTreeMap, fmt};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) steps: u64,
    /// Requests by kind, and by the status of the answer.
    pub(crate) requests: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Changes of permissions that took place, by kind; among them those in the database itself.
    pub(crate) changes: BTreeMap<&'static str, u64>,
    /// Answers that were compared with the model, of requests that read and of those that change.
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    /// Requests to both instances right after a change, before anything else could change there, of which the change made
    /// the right answer another one.
    pub(crate) turned: u64,
    /// Requests during which something may have changed.
    pub(crate) raced: u64,
    /// Those among them for which more than one answer would have been right.
    pub(crate) several: u64,
    /// Those among them whose answer was right at no single moment, and how many of these were let in.
    pub(crate) between: u64,
    pub(crate) let_in_between: u64,
    pub(crate) wrong: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (kind, statuses) in &other.requests {
            for (status, number) in statuses {
                *self.requests.entry(kind).or_default().entry(*status).or_default() += number;
            }
        }
        for (kind, number) in &other.changes {
            *self.changes.entry(kind).or_default() += number;
        }
        for (sum, number) in [
            (&mut self.reads, other.reads),
            (&mut self.writes, other.writes),
            (&mut self.turned, other.turned),
            (&mut self.raced, other.raced),
            (&mut self.several, other.several),
            (&mut self.between, other.between),
            (&mut self.let_in_between, other.let_in_between),
            (&mut self.wrong, other.wrong),
        ] {
            *sum += number;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut statuses = BTreeMap::<u16, u64>::new();
        for (status, number) in self.requests.values().flatten() {
            *statuses.entry(*status).or_default() += number;
        }
        writeln!(formatter, "steps: {}", self.steps)?;
        writeln!(formatter, "requests: {}, by status {statuses:?}", statuses.values().sum::<u64>())?;
        for (kind, statuses) in &self.requests {
            writeln!(formatter, "  {kind}: {statuses:?}")?;
        }
        writeln!(formatter, "changes of who may do what: {}", self.changes.values().sum::<u64>())?;
        for (kind, number) in &self.changes {
            writeln!(formatter, "  {kind}: {number}")?;
        }
        writeln!(formatter, "answers compared: {} of reads, {} of changes", self.reads, self.writes)?;
        writeln!(formatter, "asked right after a change that turned the answer: {}", self.turned)?;
        writeln!(formatter, "raced with a change: {}", self.raced)?;
        writeln!(formatter, "  more than one answer would have been right: {}", self.several)?;
        let (between, let_in) = (self.between, self.let_in_between);
        writeln!(formatter, "  right at no single moment: {between}, of which let in: {let_in}")?;
        write!(formatter, "wrong answers: {}", self.wrong)
    }
}

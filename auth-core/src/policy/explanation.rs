//! A policy, evaluated for one subject term by term: what the subject alone decides is known, and what a row decides is
//! left for the database.

use super::{
    Column, Policy, Relation, RelationKind, Rule,
    evaluate::{Evaluation, Row},
    text::written_related,
};
use crate::{
    acl::Leaf,
    vocabulary::{Condition, Permission, Subject},
};

/// The alternatives for a permission before the database has answered.
pub(crate) type Sketch = Condition<TermAnswer>;

/// Whether a term matches.
pub(crate) enum TermAnswer {
    Known(bool),
    /// As the database says of the [`OpenTerm`] of this index.
    Open(usize),
}

/// A term that a row decides: the row of the context itself, or that of an ancestor.
pub(crate) struct OpenTerm {
    /// From the context on.
    pub(crate) path: Vec<&'static Relation>,
    pub(crate) term: Term,
}

/// A term that a row decides.
pub(crate) enum Term {
    Leaf(&'static Leaf<Column>),
    /// A rule about any number of rows, which has one answer.
    Related(&'static Relation, &'static Rule),
}

impl Sketch {
    /// Evaluates the policy for a permission: the sketch, and the terms that it leaves open.
    pub(crate) fn of(
        policy: &'static Policy,
        permission: Permission,
        subject: &dyn Subject,
    ) -> (Self, Vec<OpenTerm>) {
        let mut sketching = Sketching { subject, open: Vec::new() };
        let sketch = sketching.granted(permission, &Row::of(policy));
        (sketch, sketching.open)
    }

    /// With the answers of the database, in the order of the open terms. A term without an answer does not match.
    pub(crate) fn with_answers(self, answers: &[bool]) -> Condition {
        self.map(&|answer| match answer {
            TermAnswer::Known(matches) => matches,
            TermAnswer::Open(index) => answers.get(index).copied().unwrap_or_default(),
        })
    }
}

struct Sketching<'a> {
    subject: &'a dyn Subject,
    open: Vec<OpenTerm>,
}

impl Evaluation for Sketching<'_> {
    type Outcome = Sketch;

    fn any(sketches: impl Iterator<Item = Sketch>) -> Sketch {
        Sketch::Any(sketches.collect())
    }

    fn all(sketches: impl Iterator<Item = Sketch>) -> Sketch {
        Sketch::All(sketches.collect())
    }

    fn leaf(&mut self, leaf: &'static Leaf<Column>, row: &Row<'_>) -> Sketch {
        let path = row.path();
        let through = through(&path);
        let text = leaf.written(|column| column.through(through.as_deref())).to_string();
        match (leaf.decided_by(self.subject), through) {
            // No row of the ancestor decides it, but the ancestor has to be there.
            (Some(true), Some(through)) => {
                self.open(format!("{text} through {through}"), path, Term::Leaf(leaf))
            }
            (Some(matches), _) => Sketch::Term { text, matches: TermAnswer::Known(matches) },
            (None, _) => self.open(text, path, Term::Leaf(leaf)),
        }
    }

    /// A parent is explained term by term. Of many rows, none is the one that a term of its own would be about.
    fn related(&mut self, relation: &'static Relation, rule: &'static Rule, row: &Row<'_>) -> Sketch {
        if relation.kind != RelationKind::Many && row.climbs(relation, rule).is_none() {
            return self.rule(rule, &row.behind(relation));
        }
        let (path, text) = (row.path(), written_related(relation, rule).to_string());
        let text = match through(&path) {
            Some(through) => format!("{text} of {through}"),
            None => text,
        };
        self.open(text, path, Term::Related(relation, rule))
    }
}

impl Sketching<'_> {
    fn open(&mut self, text: String, path: Vec<&'static Relation>, term: Term) -> Sketch {
        self.open.push(OpenTerm { path, term });
        Sketch::Term { text, matches: TermAnswer::Open(self.open.len() - 1) }
    }
}

/// The names of the relations, as a rule writes them.
fn through(path: &[&'static Relation]) -> Option<String> {
    let names: Vec<_> = path.iter().map(|relation| relation.name).collect();
    (!names.is_empty()).then(|| names.join("."))
}

//! A policy, evaluated for one subject term by term: what the subject alone decides is known, and what a row decides is
//! left for the database.

use super::{
    Column, Policy, Relation,
    evaluate::{Outcome, RelationPath, evaluate},
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
    /// As the database says of the [`OpenLeaf`] of this index.
    Open(usize),
}

/// A term that a row decides: the row of the context itself, or that of an ancestor.
pub(crate) struct OpenLeaf {
    /// From the context on.
    pub(crate) path: Vec<&'static Relation>,
    pub(crate) leaf: &'static Leaf<Column>,
}

impl Outcome for Sketch {
    fn any(sketches: impl Iterator<Item = Self>) -> Self {
        Self::Any(sketches.collect())
    }

    fn all(sketches: impl Iterator<Item = Self>) -> Self {
        Self::All(sketches.collect())
    }

    // Each open term below says by its path that the parent has to be there.
    fn of_parent(_relation: &'static Relation, sketch: Self) -> Self {
        sketch
    }
}

impl Sketch {
    /// Evaluates the policy for a permission: the sketch, and the terms that it leaves open.
    pub(crate) fn of(
        policy: &'static Policy,
        permission: Permission,
        subject: &dyn Subject,
    ) -> (Self, Vec<OpenLeaf>) {
        let mut open = Vec::new();
        let sketch = evaluate(policy, permission, |leaf, path| term(leaf, path, subject, &mut open));
        (sketch, open)
    }

    /// With the answers of the database, in the order of the open terms. A term without an answer does not match.
    pub(crate) fn with_answers(self, answers: &[bool]) -> Condition {
        self.map(&|answer| match answer {
            TermAnswer::Known(matches) => matches,
            TermAnswer::Open(index) => answers.get(index).copied().unwrap_or_default(),
        })
    }
}

fn term(
    leaf: &'static Leaf<Column>,
    path: Option<&RelationPath<'_>>,
    subject: &dyn Subject,
    open: &mut Vec<OpenLeaf>,
) -> Sketch {
    let path = RelationPath::relations(path);
    let names: Vec<_> = path.iter().map(|relation| relation.name).collect();
    let through = (!names.is_empty()).then(|| names.join("."));
    let text = leaf.written(|column| column.through(through.as_deref())).to_string();
    let (text, known) = match (known(leaf, subject), through) {
        // No row of the ancestor decides it, but the ancestor has to be there.
        (Some(true), Some(through)) => (format!("{text} through {through}"), None),
        (known, _) => (text, known),
    };
    let matches = known.map_or_else(
        || {
            open.push(OpenLeaf { path, leaf });
            TermAnswer::Open(open.len() - 1)
        },
        TermAnswer::Known,
    );
    Condition::Term { text, matches }
}

/// Whether a term matches the subject on every row, or on none; `None` where that depends on the row.
fn known(leaf: &Leaf<Column>, subject: &dyn Subject) -> Option<bool> {
    let Leaf::Subject(principal) = leaf else { return None };
    principal.evaluate(subject, |_, _| None)
}

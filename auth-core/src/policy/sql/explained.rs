//! The statements of an explanation.

use std::collections::VecDeque;

use super::{
    GrantedColumn, Scope, Scoped,
    tree::{Planter, Tree},
};
use crate::{
    acl::Explanation,
    context::Granted,
    policy::{Policy, Sketch},
    vocabulary::{Permission, Subject},
};

/// The terms of an explanation, as many at once as one answer holds.
pub(super) struct Explained<M> {
    permission: Permission,
    sketch: Sketch,
    /// The terms of each statement that is still to be sent.
    statements: VecDeque<Vec<Scope<M>>>,
    answers: Vec<bool>,
    there: Tree,
    /// How many terms the last statement had.
    last: usize,
}

impl<M: Scoped> Explained<M> {
    pub(super) fn of(policy: &'static Policy, subject: &dyn Subject, permission: Permission) -> Self {
        let (sketch, terms) = Sketch::of(policy, permission, subject);
        let mut planter = Planter::of(subject);
        let scopes: Vec<_> = terms.iter().map(|term| Scope::of_term(term, &mut planter)).collect();
        let mut statements: VecDeque<_> = scopes.chunks(Granted::MOST).map(<[Scope<M>]>::to_vec).collect();
        if statements.is_empty() {
            // No term is open, so the statement says only whether the row is there.
            statements.push_back(Vec::new());
        }
        let there = planter.rows_of(M::POLICY);
        Self { permission, sketch, statements, answers: Vec::new(), there, last: 0 }
    }

    pub(super) fn next(&mut self) -> Option<GrantedColumn<M>> {
        let scopes = self.statements.pop_front()?;
        self.last = scopes.len();
        Some(GrantedColumn { scopes, there: self.there.clone(), lock: "" })
    }

    pub(super) fn take(&mut self, answer: Granted) {
        self.answers.extend((0..self.last).map(|index| answer.holds(index)));
    }

    pub(super) fn explanation(self, subject: &dyn Subject) -> Explanation {
        Explanation::new(subject, self.permission, &self.sketch.with_answers(&self.answers))
    }
}

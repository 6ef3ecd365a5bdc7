//! The evaluation of a policy for one permission: the one walk that decides. A function answers each term, and the
//! [`Outcome`] says what answers come to together.

use std::iter;

use super::{Column, Policy, Relation, Rule};
use crate::{acl::Leaf, vocabulary::Permission};

/// The result of an evaluation.
pub(crate) trait Outcome: Sized {
    /// One of these suffices. None at all match nobody.
    fn any(outcomes: impl Iterator<Item = Self>) -> Self;

    /// All of these are needed. None at all match nobody, too.
    fn all(outcomes: impl Iterator<Item = Self>) -> Self;

    /// The outcome of a rule about the parent, which has to be there.
    fn of_parent(relation: &'static Relation, outcome: Self) -> Self;
}

/// Evaluates what a policy says about a permission.
pub(crate) fn evaluate<O: Outcome>(
    policy: &'static Policy,
    permission: Permission,
    answer: impl FnMut(&'static Leaf<Column>, Option<&RelationPath<'_>>) -> O,
) -> O {
    Evaluator { answer }.granted(policy, permission, None)
}

/// The relations that lead from a context to one of its ancestors.
#[derive(Clone, Copy)]
pub(crate) struct RelationPath<'a> {
    before: Option<&'a Self>,
    relation: &'static Relation,
}

impl RelationPath<'_> {
    /// The relations, the first one first.
    pub(crate) fn relations(path: Option<&Self>) -> Vec<&'static Relation> {
        let mut relations: Vec<_> =
            iter::successors(path, |step| step.before).map(|step| step.relation).collect();
        relations.reverse();
        relations
    }
}

struct Evaluator<F> {
    answer: F,
}

impl<F> Evaluator<F> {
    fn granted<O>(
        &mut self,
        policy: &'static Policy,
        permission: Permission,
        path: Option<&RelationPath<'_>>,
    ) -> O
    where
        O: Outcome,
        F: FnMut(&'static Leaf<Column>, Option<&RelationPath<'_>>) -> O,
    {
        O::any(policy.rules(permission).map(|rule| self.rule(rule, path)))
    }

    fn rule<O>(&mut self, rule: &'static Rule, path: Option<&RelationPath<'_>>) -> O
    where
        O: Outcome,
        F: FnMut(&'static Leaf<Column>, Option<&RelationPath<'_>>) -> O,
    {
        match rule {
            Rule::Leaf(leaf) => (self.answer)(leaf, path),
            Rule::Through(relation, leaf) => {
                let path = RelationPath { before: path, relation };
                O::of_parent(relation, (self.answer)(leaf, Some(&path)))
            }
            Rule::Granted(relation, permission) => {
                let path = RelationPath { before: path, relation };
                O::of_parent(relation, self.granted(relation.policy, *permission, Some(&path)))
            }
            Rule::Any(rules) => O::any(rules.iter().map(|rule| self.rule(rule, path))),
            Rule::All(rules) => O::all(rules.iter().map(|rule| self.rule(rule, path))),
        }
    }
}

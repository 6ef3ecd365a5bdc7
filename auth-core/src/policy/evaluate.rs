//! The evaluation of a policy for one permission: the one walk that decides. An [`Evaluation`] says what its terms come to,
//! and follows relations.

use std::iter;

use super::{Column, Policy, Relation, RelationKind, Rule};
use crate::{acl::Leaf, vocabulary::Permission};

/// The result of rules.
pub(crate) trait Evaluation: Sized {
    type Outcome;

    /// One of these suffices. None at all match nobody.
    fn any(outcomes: impl Iterator<Item = Self::Outcome>) -> Self::Outcome;

    /// All of these are needed. None at all match nobody, too.
    fn all(outcomes: impl Iterator<Item = Self::Outcome>) -> Self::Outcome;

    /// The outcome of a term.
    fn leaf(&mut self, leaf: &'static Leaf<Column>, row: &Row<'_>) -> Self::Outcome;

    /// The outcome of a rule that a related row has to meet.
    fn related(&mut self, relation: &'static Relation, rule: &'static Rule, row: &Row<'_>) -> Self::Outcome;

    /// The result of the rule for a permission in the row's policy.
    fn granted(&mut self, permission: Permission, row: &Row<'_>) -> Self::Outcome {
        // An answer for the parent is one about the permission of the walk.
        let above = row.above.filter(|_| row.permission == Some(permission));
        let row = Row { permission: Some(permission), above, ..*row };
        Self::any(row.policy.rules(permission).map(|rule| self.rule(rule, &row)))
    }

    fn rule(&mut self, rule: &'static Rule, row: &Row<'_>) -> Self::Outcome {
        match rule {
            Rule::Leaf(leaf) => self.leaf(leaf, row),
            Rule::Related(relation, rule) => self.related(relation, rule, row),
            Rule::Granted(permission) => self.granted(*permission, row),
            Rule::Any(rules) => Self::any(rules.iter().map(|rule| self.rule(rule, row))),
            Rule::All(rules) => Self::all(rules.iter().map(|rule| self.rule(rule, row))),
        }
    }
}

/// A row that a rule is about: that of the context, or one to which relations lead.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) policy: &'static Policy,
    /// The permission for which a rule is evaluated.
    permission: Option<Permission>,
    path: Option<RelationPath<'a>>,
    /// Whether the permission on the parent is taken for granted, or for refused, where it is that of the rule itself.
    pub(crate) above: Option<bool>,
}

/// The relation that leads to a row, and the row before it.
#[derive(Clone, Copy)]
struct RelationPath<'a> {
    before: &'a Row<'a>,
    relation: &'static Relation,
}

impl<'a> Row<'a> {
    /// The row of the context itself.
    pub(crate) const fn of(policy: &'static Policy) -> Self {
        Self { policy, permission: None, path: None, above: None }
    }

    /// A row of a tree for which this permission is evaluated, with this answer for its parent.
    pub(crate) const fn below(policy: &'static Policy, permission: Permission, above: bool) -> Self {
        Self { policy, permission: Some(permission), path: None, above: Some(above) }
    }

    /// The row to which a relation leads from this one.
    pub(crate) const fn behind(&'a self, relation: &'static Relation) -> Self {
        let path = Some(RelationPath { before: self, relation });
        Self { policy: relation.policy, permission: None, path, above: None }
    }

    /// The permission of a rule about the parent that is evaluated for this row as well: it goes up the tree.
    pub(crate) fn climbs(&self, relation: &Relation, rule: &Rule) -> Option<Permission> {
        let (RelationKind::Ancestors, Rule::Granted(permission)) = (relation.kind, rule) else { return None };
        (self.permission == Some(*permission)).then_some(*permission)
    }

    /// Whether a rule depends on the answer for the parent.
    pub(crate) fn depends(&self, rule: &Rule) -> bool {
        match rule {
            Rule::Related(relation, rule) => self.climbs(relation, rule).is_some(),
            Rule::Any(rules) | Rule::All(rules) => rules.iter().any(|rule| self.depends(rule)),
            Rule::Leaf(_) | Rule::Granted(_) => false,
        }
    }

    /// The relations from the context to here, the first one first.
    pub(crate) fn path(&self) -> Vec<&'static Relation> {
        let steps = iter::successors(self.path.as_ref(), |step| step.before.path.as_ref());
        let mut relations: Vec<_> = steps.map(|step| step.relation).collect();
        relations.reverse();
        relations
    }
}

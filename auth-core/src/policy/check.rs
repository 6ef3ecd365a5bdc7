//! The checks of a policy that need the policies of its parents. The derive asserts each in a constant at the word that it
//! is about, so a failure is an error at compile time. The derive writes the messages, for it knows the words.

use super::{
    Column, Grant, Policy, Relation, RelationKind, Rule,
    assertion::{assert_that, fail, same},
};
use crate::vocabulary::Permission;

/// A relation to a parent with this key.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn relation(
    name: &'static str,
    kind: RelationKind,
    foreign_key: Column,
    policy: &'static Policy,
    key: Option<Column>,
    composite: &str,
    mistyped: &str,
) -> Relation {
    let Some(key) = key else { fail(composite) };
    assert_that(key.kind as u8 == foreign_key.kind as u8 && key.kind.is_id(), mistyped);
    Relation { name, kind, own: foreign_key, related: key, policy }
}

/// A relation to rows that refer to this key.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn relation_to_many(
    name: &'static str,
    key: Option<Column>,
    policy: &'static Policy,
    foreign_key: Column,
    composite: &str,
    mistyped: &str,
) -> Relation {
    let Some(key) = key else { fail(composite) };
    assert_that(key.kind as u8 == foreign_key.kind as u8 && key.kind.is_id(), mistyped);
    Relation { name, kind: RelationKind::Many, own: key, related: foreign_key, policy }
}

/// A relation of another policy, by its name.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn relation_of(
    policy: &Policy,
    name: &str,
    is_many: bool,
    unknown: &str,
    mistaken: &str,
) -> &'static Relation {
    let mut relations = policy.relations;
    while let [relation, rest @ ..] = relations {
        if same(relation.name, name) {
            assert_that(matches!(relation.kind, RelationKind::Many) == is_many, mistaken);
            return relation;
        }
        relations = rest;
    }
    fail(unknown)
}

/// The policy of the rows to which a relation leads.
#[doc(hidden)]
#[must_use]
pub const fn policy_of(relation: &Relation) -> &'static Policy {
    relation.policy
}

/// That each permission is declared once.
#[doc(hidden)]
#[track_caller]
pub const fn assert_distinct(policy: &Policy, permission: Permission, message: &str) {
    let mut grants = policy.grants;
    let mut count = 0;
    while let [grant, rest @ ..] = grants {
        if grant.permission.is(permission) {
            count += 1;
        }
        grants = rest;
    }
    assert_that(count == 1, message);
}

/// That a parent has a rule for a permission.
#[doc(hidden)]
#[track_caller]
pub const fn assert_grants(parent: &Policy, permission: Permission, message: &str) {
    let mut grants = parent.grants;
    while let [grant, rest @ ..] = grants {
        if grant.permission.is(permission) {
            return;
        }
        grants = rest;
    }
    fail(message)
}

/// That the rule for a permission does not depend on itself in the end, but by going up a tree.
#[doc(hidden)]
#[track_caller]
pub const fn assert_acyclic(
    policy: &Policy,
    permission: Permission,
    parent: &Policy,
    granted: Permission,
    is_tree: bool,
    message: &str,
) {
    // The next row of the tree answers for it.
    if is_tree && granted.is(permission) {
        return;
    }
    let child = Dependency { policy, permission, before: None };
    let parent = Dependency { policy: parent, permission: granted, before: Some(&child) };
    assert_that(parent.ends(), message);
}

/// That a permission goes down one tree at the most: what several grant together is not found by going up one of them.
#[doc(hidden)]
#[track_caller]
pub const fn assert_one_tree(policy: &Policy, permission: Permission, message: &str) {
    let (mut grants, mut climbed) = (policy.grants, None);
    while let [grant, rest @ ..] = grants {
        if grant.permission.is(permission) {
            climbed = climbed_by(&grant.rule, permission, climbed, message);
        }
        grants = rest;
    }
}

/// The name of the relation by which a rule goes up a tree, if it does, or else that of those before.
#[track_caller]
const fn climbed_by<'a>(
    rule: &'a Rule,
    permission: Permission,
    mut before: Option<&'a str>,
    message: &str,
) -> Option<&'a str> {
    match rule {
        Rule::Related(Relation { name, kind: RelationKind::Ancestors, .. }, Rule::Granted(granted))
            if granted.is(permission) =>
        {
            if let Some(other) = before {
                assert_that(same(name, other), message);
            }
            Some(*name)
        }
        Rule::Any(rules) | Rule::All(rules) => {
            let mut rules: &[Rule] = rules;
            while let [rule, rest @ ..] = rules {
                before = climbed_by(rule, permission, before, message);
                rules = rest;
            }
            before
        }
        Rule::Leaf(_) | Rule::Related(..) | Rule::Granted(_) => before,
    }
}

/// A permission of a policy, and the dependency of which a rule names it.
struct Dependency<'a> {
    policy: &'a Policy,
    permission: Permission,
    before: Option<&'a Self>,
}

impl Dependency<'_> {
    /// Whether following each rule comes to an end.
    const fn ends(&self) -> bool {
        let mut before = self.before;
        while let Some(dependency) = before {
            if dependency.permission.is(self.permission) && is_same(dependency.policy, self.policy) {
                return false;
            }
            before = dependency.before;
        }
        let mut grants: &[Grant] = self.policy.grants;
        while let [grant, rest @ ..] = grants {
            if grant.permission.is(self.permission) && !self.rule_ends(&grant.rule, self.policy) {
                return false;
            }
            grants = rest;
        }
        true
    }

    /// `policy` is that of the row which the rule is about.
    const fn rule_ends(&self, rule: &Rule, policy: &Policy) -> bool {
        match rule {
            Rule::Related(relation, rule) => {
                self.climbs(relation, rule) || self.rule_ends(rule, relation.policy)
            }
            Rule::Granted(permission) => {
                Dependency { policy, permission: *permission, before: Some(self) }.ends()
            }
            Rule::Any(rules) | Rule::All(rules) => {
                let mut rules: &[Rule] = rules;
                while let [rule, rest @ ..] = rules {
                    if !self.rule_ends(rule, policy) {
                        return false;
                    }
                    rules = rest;
                }
                true
            }
            Rule::Leaf(_) => true,
        }
    }

    /// Whether a rule about the parent is the same one, for the next row of the tree.
    const fn climbs(&self, relation: &Relation, rule: &Rule) -> bool {
        match rule {
            Rule::Granted(permission) => {
                matches!(relation.kind, RelationKind::Ancestors)
                    && permission.is(self.permission)
                    && is_same(relation.policy, self.policy)
            }
            _ => false,
        }
    }
}

const fn is_same(one: &Policy, other: &Policy) -> bool {
    same(one.context, other.context) && same(one.module, other.module)
}

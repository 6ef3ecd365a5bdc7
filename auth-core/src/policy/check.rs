//! The checks of a policy that need the policies of its parents. The derive asserts each in a constant at the word that it
//! is about, so a failure is an error at compile time. The derive writes the messages, for it knows the words.

use super::{
    Column, Grant, Policy, Relation, Rule,
    assertion::{assert_that, fail, same},
};
use crate::vocabulary::Permission;

/// A relation to a parent with this key.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn relation(
    name: &'static str,
    foreign_key: Column,
    policy: &'static Policy,
    key: Option<Column>,
    composite: &str,
    mistyped: &str,
) -> Relation {
    let Some(key) = key else { fail(composite) };
    assert_that(key.kind as u8 == foreign_key.kind as u8 && key.kind.is_id(), mistyped);
    Relation { name, foreign_key, key, policy }
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

/// That the rule for a permission does not depend on itself in the end.
#[doc(hidden)]
#[track_caller]
pub const fn assert_acyclic(
    policy: &Policy,
    permission: Permission,
    parent: &Policy,
    granted: Permission,
    message: &str,
) {
    let child = Dependency { policy, permission, before: None };
    let parent = Dependency { policy: parent, permission: granted, before: Some(&child) };
    assert_that(parent.ends(), message);
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
            if dependency.permission.is(self.permission)
                && same(dependency.policy.context, self.policy.context)
                && same(dependency.policy.module, self.policy.module)
            {
                return false;
            }
            before = dependency.before;
        }
        let mut grants: &[Grant] = self.policy.grants;
        while let [grant, rest @ ..] = grants {
            if grant.permission.is(self.permission) && !self.rule_ends(&grant.rule) {
                return false;
            }
            grants = rest;
        }
        true
    }

    const fn rule_ends(&self, rule: &Rule) -> bool {
        match rule {
            Rule::Granted(relation, permission) => {
                Dependency { policy: relation.policy, permission: *permission, before: Some(self) }.ends()
            }
            Rule::Any(rules) | Rule::All(rules) => {
                let mut rules: &[Rule] = rules;
                while let [rule, rest @ ..] = rules {
                    if !self.rule_ends(rule) {
                        return false;
                    }
                    rules = rest;
                }
                true
            }
            Rule::Leaf(_) | Rule::Through(..) => true,
        }
    }
}

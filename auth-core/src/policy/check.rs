//! What is wrong with a policy and needs a look at that of its parents. The derive asserts each of these in a constant
//! at the word that it is about, so they are errors at compile time. The message is the derive's: it knows the words.

use super::{Column, Grant, Policy, Rule};
use crate::vocabulary::Permission;

/// The column of a parent that holds ids.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn id_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.kind.is_id(), mistyped);
    column
}

/// The column of a parent that is true or false.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn flag_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(matches!(column.kind, super::Kind::Bool), mistyped);
    column
}

/// The column of a parent that may be null.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn null_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.nullable, mistyped);
    column
}

#[track_caller]
const fn column_of(mut columns: &[Column], written: &str, unknown: &str) -> Column {
    while let [column, rest @ ..] = columns {
        if same(column.written, written) {
            return *column;
        }
        columns = rest;
    }
    fail(unknown)
}

/// The key of a parent, which a foreign key refers to.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn key_of(key: Option<Column>, foreign_key: &Column, composite: &str, mistyped: &str) -> Column {
    let Some(key) = key else { fail(composite) };
    assert_that(key.kind as u8 == foreign_key.kind as u8 && key.kind.is_id(), mistyped);
    key
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

/// That the rule for a permission does not ask for itself in the end.
#[doc(hidden)]
#[track_caller]
pub const fn assert_acyclic(
    policy: &Policy,
    permission: Permission,
    parent: &Policy,
    granted: Permission,
    message: &str,
) {
    let asked = Asked { policy, permission, before: None };
    let asked = Asked { policy: parent, permission: granted, before: Some(&asked) };
    assert_that(asked.ends(), message);
}

/// A permission of a policy that a rule asks for, and which rule asked.
struct Asked<'a> {
    policy: &'a Policy,
    permission: Permission,
    before: Option<&'a Self>,
}

impl Asked<'_> {
    /// Whether following each rule comes to an end, from the first question on.
    const fn ends(&self) -> bool {
        let mut before = self.before;
        while let Some(asked) = before {
            if asked.permission.is(self.permission)
                && same(asked.policy.context, self.policy.context)
                && same(asked.policy.module, self.policy.module)
            {
                return false;
            }
            before = asked.before;
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
            Rule::Granted(index, permission) => {
                #[expect(clippy::indexing_slicing, reason = "an error at compile time")]
                let policy = self.policy.relations[*index].policy;
                Asked { policy, permission: *permission, before: Some(self) }.ends()
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
            _ => true,
        }
    }
}

const fn same(one: &str, other: &str) -> bool {
    crate::vocabulary::permission::same_bytes(one.as_bytes(), other.as_bytes())
}

#[track_caller]
const fn assert_that(holds: bool, message: &str) {
    if !holds {
        fail(message)
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "an error at compile time")]
const fn fail(message: &str) -> ! {
    panic!("{}", message)
}

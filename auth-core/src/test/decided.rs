//! Assertions about decisions, which say why where they fail.

use std::fmt::Display;

use crate::{
    acl::Explanation,
    vocabulary::{AllowReason, Decision, DenyReason},
};

/// A result of a decision: a [`Decision`], or an [`Explanation`], with which a failing assertion says which alternative
/// failed and why.
pub trait Decided: Display {
    /// The decision.
    fn decision(&self) -> Decision;
}

impl Decided for Decision {
    fn decision(&self) -> Decision {
        *self
    }
}

impl Decided for Explanation {
    fn decision(&self) -> Decision {
        self.decision()
    }
}

/// Asserts that the subject may, for this reason.
///
/// ```
/// use auth_core::{Acl, AllowReason, AuthModel, Permission, User, account, allow, explain, role, test};
///
/// struct Sensor {
///     account_id: i32,
/// }
///
/// impl AuthModel for Sensor {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::UPDATE, account(self.account_id) & role("account-admin"))
///     }
/// }
///
/// let sensor = Sensor { account_id: 3 };
/// let account_admin = User::new(2).with_account(3).with_roles(["account-admin"]);
/// test::assert_allowed(&explain(&account_admin, &sensor, Permission::UPDATE), AllowReason::Match);
/// ```
///
/// # Panics
///
/// If the decision is another one, with the whole explanation.
#[track_caller]
pub fn assert_allowed(decided: &impl Decided, reason: AllowReason) {
    assert_decided(decided, Decision::Allow(reason));
}

/// Asserts that the subject may not, for this reason.
///
/// ```should_panic
/// # use auth_core::{Acl, AuthModel, DenyReason, Permission, User, account, allow, explain, role, test};
/// # struct Sensor { account_id: i32 }
/// # impl AuthModel for Sensor {
/// #     fn acl(&self) -> impl Acl {
/// #         allow(Permission::UPDATE, account(self.account_id) & role("account-admin"))
/// #     }
/// # }
/// # let sensor = Sensor { account_id: 3 };
/// # let account_admin = User::new(2).with_account(3).with_roles(["account-admin"]);
/// // Panics, and shows:
/// //
/// // expected deny (no-match), but it is decided:
/// // allow (match): update
/// // - account:3 & role:account-admin: yes
/// test::assert_denied(&explain(&account_admin, &sensor, Permission::UPDATE), DenyReason::NoMatch);
/// ```
///
/// # Panics
///
/// If the decision is another one, with the whole explanation.
#[track_caller]
pub fn assert_denied(decided: &impl Decided, reason: DenyReason) {
    assert_decided(decided, Decision::Deny(reason));
}

#[track_caller]
fn assert_decided(decided: &impl Decided, expected: Decision) {
    assert!(decided.decision() == expected, "expected {expected}, but it is decided:\n{decided}");
}

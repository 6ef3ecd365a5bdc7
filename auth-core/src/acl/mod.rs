//! Access-control lists: which rule a subject must match for which permission.
//!
//! Written by hand, a list is a typed expression ([`allow`], [`account`], [`role`], `|`, `&`) that the
//! compiler sees through; as data it is an [`AclTable`]. Both give the same decisions. A list only grants:
//! what it does not mention is denied. [`check_access`](crate::check_access) lets admins
//! in before it evaluates a list.

mod check;
pub(crate) mod derived;
mod explanation;
mod field;
mod leaf;
mod literal;
mod rule;
mod table;
#[cfg(test)]
mod tests;

#[cfg(feature = "diesel")]
pub(crate) use self::leaf::{ColumnUse, one_key};
pub use self::{
    check::check_access,
    explanation::{Alternative, Explanation, Term, explain},
    leaf::Leaf,
    literal::{Constant, Literal, assert_literal},
    rule::{
        Expr, Rule, account, account_role, both, either, every_logged_in_user, everyone, nobody, permission,
        role, user,
    },
    table::{AclTable, Principals},
};
use crate::vocabulary::{Condition, Permission, Subject};

/// A context: something that has an access-control list.
///
/// ```
/// use auth_core::{Acl, AuthModel, Permission, account, account_role, allow, role, user};
///
/// struct Resource {
///     owner_id: i32,
///     account_id: Option<i32>,
/// }
///
/// impl AuthModel for Resource {
///     fn acl(&self) -> impl Acl {
///         let members = self.account_id.map(account);
///         allow(Permission::READ, account_role("Auditor") | members)
///             .allow(Permission::UPDATE, user(self.owner_id) | role("account-admin") & members)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access-control list",
    label = "who may do what with it?",
    note = "for a row of a table, derive `auth_core::AuthModel` with a policy: `#[acl(read = account(account_id))]`; else \
            implement it for `{Self}`: `fn acl(&self) -> impl Acl`",
    note = "where it is derived, and its policy needs a parent, the database decides: `{Self}::check_access(connection, …)` \
            of `auth_core::Stored`"
)]
pub trait AuthModel {
    /// The access-control list of this very object.
    fn acl(&self) -> impl Acl;
}

/// Permission → rule, as a typed expression or as data. `()` grants nothing.
///
/// This trait is sealed: lists are made by [`allow`] and [`AclTable`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an access-control list",
    note = "a list says which permission a rule grants: `allow(Permission::READ, rule)`"
)]
pub trait Acl: sealed::Sealed {
    /// Whether a rule of this list grants the permission to the subject.
    #[must_use]
    fn grants<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> bool;

    /// The rules for the permission, evaluated term by term.
    #[doc(hidden)]
    fn condition<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> Condition;
}

/// Starts an access-control list: subjects that match the rule have the permission.
///
/// ```
/// use auth_core::{Acl, Permission, User, account, allow, every_logged_in_user};
///
/// let acl = allow(Permission::READ, every_logged_in_user()).allow(Permission::UPDATE, account(3));
/// assert!(acl.grants(&User::new(1), Permission::READ));
/// assert!(!acl.grants(&User::new(1), Permission::UPDATE));
/// ```
#[inline]
pub fn allow<R: Rule>(permission: Permission, rule: R) -> Allow<(), R> {
    Allow { before: (), permission, rule }
}

/// An access-control list that [`allow`] began.
#[derive(Debug, Clone, Copy)]
#[must_use = "an access-control list does nothing until it is evaluated"]
pub struct Allow<Before, R> {
    before: Before,
    permission: Permission,
    rule: R,
}

impl<Before: Acl, R: Rule> Allow<Before, R> {
    /// Adds: subjects that match the rule have the permission. Several rules for one permission are alternatives.
    #[inline]
    pub fn allow<Next: Rule>(self, permission: Permission, rule: Next) -> Allow<Self, Next> {
        Allow { before: self, permission, rule }
    }
}

impl<Before: Acl, R: Rule> Acl for Allow<Before, R> {
    #[inline]
    fn grants<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> bool {
        self.before.grants(subject, permission)
            || (self.permission == permission && self.rule.matches(subject))
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> Condition {
        let before = self.before.condition(subject, permission);
        if self.permission == permission {
            Condition::Any(vec![before, self.rule.condition(subject)])
        } else {
            before
        }
    }
}

impl Acl for () {
    #[inline]
    fn grants<S: Subject + ?Sized>(&self, _subject: &S, _permission: Permission) -> bool {
        false
    }

    fn condition<S: Subject + ?Sized>(&self, _subject: &S, _permission: Permission) -> Condition {
        Condition::Any(Vec::new())
    }
}

impl<A: Acl> Acl for &A {
    #[inline]
    fn grants<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> bool {
        (**self).grants(subject, permission)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> Condition {
        (**self).condition(subject, permission)
    }
}

mod sealed {
    use super::{AclTable, Allow};

    pub trait Sealed {}

    impl<Before, R> Sealed for Allow<Before, R> {}
    impl Sealed for () {}
    impl Sealed for AclTable {}
    impl<A: Sealed> Sealed for &A {}
}

//! Rules as typed expressions: principals joined by `|` and `&`.
//!
//! Each operator builds a value, so precedence is Rust's own: `a | b & c` is `a | (b & c)`. A rule borrows
//! its ids and names, so building and evaluating it allocates nothing.
#![expect(
    clippy::inline_always,
    reason = "a rule is no more than its comparison where the compiler sees it within a decision"
)]

use std::ops::{BitAnd, BitOr};

use crate::vocabulary::{Condition, IdRef, Principal, Subject};

/// The condition on a subject: a principal, or principals joined by `|` and `&`.
///
/// `Option<rule>` is a rule as well, for an optional field: `None` matches nobody.
/// This trait is sealed: rules are made by this module's functions and [`Principals`](crate::Principals).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule",
    note = "rules are made by `user`, `account`, `role`, `account_role`, `permission`, `everyone`, `every_logged_in_user` and `nobody`, and joined by `|` and `&`"
)]
pub trait Rule: sealed::Sealed {
    /// Whether the subject matches.
    #[must_use]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool;

    /// The rule, evaluated term by term.
    #[doc(hidden)]
    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition;
}

/// Matches the user with this id.
///
/// ```
/// use auth_core::{Rule, User, user};
///
/// assert!(user(2).matches(&User::new(2)));
/// ```
#[inline]
pub fn user<'a>(id: impl Into<IdRef<'a>>) -> Expr<ByHand<'a>> {
    Expr(Principal::User(id.into()))
}

/// Matches every user of the account with this id.
///
/// ```
/// use auth_core::{Rule, User, account};
///
/// assert!(account(3).matches(&User::new(2).with_account(3)));
/// ```
#[inline]
pub fn account<'a>(id: impl Into<IdRef<'a>>) -> Expr<ByHand<'a>> {
    Expr(Principal::Account(id.into()))
}

/// Matches every user with this role.
///
/// ```
/// use auth_core::{Rule, User, account, role};
///
/// let account_admins = account(3) & role("account-admin");
/// assert!(!account_admins.matches(&User::new(2).with_account(3)));
/// ```
#[inline]
pub fn role(name: &str) -> Expr<ByHand<'_>> {
    Expr(Principal::Role(name))
}

/// Matches every user whose account has this role.
///
/// ```
/// use auth_core::{Rule, User, account_role};
///
/// assert!(account_role("Auditor").matches(&User::new(2).with_account(3).with_account_roles(["Auditor"])));
/// ```
#[inline]
pub fn account_role(name: &str) -> Expr<ByHand<'_>> {
    Expr(Principal::AccountRole(name))
}

/// Matches every user whose roles carry this permission.
///
/// ```
/// use auth_core::{Rule, User, permission};
///
/// assert!(permission("projects-delete").matches(&User::new(2).with_permissions(["projects-delete"])));
/// ```
#[inline]
pub fn permission(name: &str) -> Expr<Carried<'_>> {
    Expr(Carried(name))
}

/// Matches every subject.
///
/// ```
/// use auth_core::{Rule, User, everyone};
///
/// assert!(everyone().matches(&User::new(2)));
/// ```
#[inline]
pub fn everyone() -> Expr<Everyone> {
    Expr(Everyone)
}

/// Matches every logged-in user.
///
/// ```
/// use auth_core::{Rule, User, every_logged_in_user};
///
/// assert!(every_logged_in_user().matches(&User::new(2)));
/// ```
#[inline]
pub fn every_logged_in_user() -> Expr<ByHand<'static>> {
    Expr(Principal::EveryLoggedInUser)
}

/// Matches nobody; the neutral start of alternatives that may all be absent.
///
/// ```
/// use auth_core::{Rule, User, account, nobody};
///
/// let (owner, consultancy): (Option<i32>, Option<i32>) = (None, Some(3));
/// let rule = nobody() | owner.map(account) | consultancy.map(account);
/// assert!(rule.matches(&User::new(2).with_account(3)));
/// ```
#[inline]
pub fn nobody() -> Expr<Nobody> {
    Expr(Nobody)
}

/// A rule that can be joined with another by `|` and `&`.
#[derive(Debug, Clone, Copy)]
#[must_use = "a rule does nothing until it is evaluated"]
pub struct Expr<R>(pub(super) R);

impl<R: Rule> Rule for Expr<R> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.0.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        self.0.condition(subject)
    }
}

impl<R: Rule> Rule for Option<R> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.as_ref().is_some_and(|rule| rule.matches(subject))
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        self.as_ref().map_or_else(|| Nobody.condition(subject), |rule| rule.condition(subject))
    }
}

impl<A: Rule, B: Rule> BitOr<B> for Expr<A> {
    type Output = Expr<Either<A, B>>;

    #[inline]
    fn bitor(self, other: B) -> Self::Output {
        Expr(Either(self.0, other))
    }
}

impl<A: Rule, B: Rule> BitAnd<B> for Expr<A> {
    type Output = Expr<Both<A, B>>;

    #[inline]
    fn bitand(self, other: B) -> Self::Output {
        Expr(Both(self.0, other))
    }
}

impl<A: Rule, B: Rule> BitOr<Expr<B>> for Option<Expr<A>> {
    type Output = Expr<Either<Self, B>>;

    #[inline]
    fn bitor(self, other: Expr<B>) -> Self::Output {
        Expr(Either(self, other.0))
    }
}

impl<A: Rule, B: Rule> BitAnd<Expr<B>> for Option<Expr<A>> {
    type Output = Expr<Both<Self, B>>;

    #[inline]
    fn bitand(self, other: Expr<B>) -> Self::Output {
        Expr(Both(self, other.0))
    }
}

/// A principal that borrows its id or name. The compiler knows the variant where it inlines the list into a decision.
pub(super) type ByHand<'a> = Principal<IdRef<'a>, &'a str>;

impl Rule for ByHand<'_> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.evaluate(subject, |id, own| own.is_meant(*id, subject))
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::term(self.to_string(), Rule::matches(self, subject))
    }
}

/// The rule that [`permission`] makes.
#[derive(Debug, Clone, Copy)]
pub struct Carried<'a>(pub(super) &'a str);

impl Rule for Carried<'_> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        subject.has_named_permission(self.0)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::term(format!("permission:{}", self.0), self.matches(subject))
    }
}

/// The rule that [`everyone`] makes.
#[derive(Debug, Clone, Copy)]
pub struct Everyone;

impl Rule for Everyone {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, _subject: &S) -> bool {
        true
    }

    fn condition<S: Subject + ?Sized>(&self, _subject: &S) -> Condition {
        Condition::term("everyone", true)
    }
}

/// The rule that [`nobody`] makes.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Rule for Nobody {
    #[inline]
    fn matches<S: Subject + ?Sized>(&self, _subject: &S) -> bool {
        false
    }

    fn condition<S: Subject + ?Sized>(&self, _subject: &S) -> Condition {
        Condition::Any(Vec::new())
    }
}

/// The rule that `|` makes: one of the two suffices.
#[derive(Debug, Clone, Copy)]
pub struct Either<A, B>(A, B);

impl<A: Rule, B: Rule> Rule for Either<A, B> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.0.matches(subject) || self.1.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::Any(vec![self.0.condition(subject), self.1.condition(subject)])
    }
}

/// `one | other`, for generated code: its precedence is that of the calls.
#[doc(hidden)]
#[inline]
pub fn either<A: Rule, B: Rule>(one: Expr<A>, other: Expr<B>) -> Expr<Either<A, B>> {
    Expr(Either(one.0, other.0))
}

/// `one & other`, for generated code.
#[doc(hidden)]
#[inline]
pub fn both<A: Rule, B: Rule>(one: Expr<A>, other: Expr<B>) -> Expr<Both<A, B>> {
    Expr(Both(one.0, other.0))
}

/// The rule that `&` makes: both are needed.
#[derive(Debug, Clone, Copy)]
pub struct Both<A, B>(A, B);

impl<A: Rule, B: Rule> Rule for Both<A, B> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.0.matches(subject) && self.1.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::All(vec![self.0.condition(subject), self.1.condition(subject)])
    }
}

pub(super) mod sealed {
    use super::{Both, ByHand, Carried, Either, Everyone, Expr, Nobody};

    pub trait Sealed {}

    impl Sealed for ByHand<'_> {}
    impl Sealed for Carried<'_> {}
    impl Sealed for Everyone {}
    impl Sealed for Nobody {}
    impl<R> Sealed for Expr<R> {}
    impl<R: Sealed> Sealed for Option<R> {}
    impl<A, B> Sealed for Either<A, B> {}
    impl<A, B> Sealed for Both<A, B> {}
}

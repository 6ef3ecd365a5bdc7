//! Rules as typed expressions: principals joined by `|` and `&`.
//!
//! Each operator builds a value, so precedence is Rust's own: `a | b & c` is `a | (b & c)`. A rule borrows
//! what it compares with, so building and asking it allocates nothing.

use std::ops::{BitAnd, BitOr};

use crate::vocabulary::{ACCOUNT, ACCOUNT_ROLE, Condition, EVERY_LOGGED_IN_USER, IdRef, ROLE, Subject, USER};

/// What a subject must match: a principal, or principals joined by `|` and `&`.
///
/// `Option<rule>` is a rule as well, for what may be absent: `None` matches nobody.
/// This trait is sealed: rules are made by this module's functions and [`Principals`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule",
    note = "rules are made by `user`, `account`, `role`, `account_role`, `every_logged_in_user` and `nobody`, and joined by `|` and `&`"
)]
pub trait Rule: sealed::Sealed {
    /// Whether the subject matches.
    #[must_use]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool;

    /// The same, term by term.
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
pub fn user<'a>(id: impl Into<IdRef<'a>>) -> Expr<UserIs<'a>> {
    Expr(UserIs(id.into()))
}

/// Matches every user of the account with this id.
///
/// ```
/// use auth_core::{Rule, User, account};
///
/// assert!(account(3).matches(&User::new(2).with_account(3)));
/// ```
#[inline]
pub fn account<'a>(id: impl Into<IdRef<'a>>) -> Expr<AccountIs<'a>> {
    Expr(AccountIs(id.into()))
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
pub fn role(name: &str) -> Expr<HasRole<'_>> {
    Expr(HasRole(name))
}

/// Matches every user whose account has this role.
///
/// ```
/// use auth_core::{Rule, User, account_role};
///
/// assert!(account_role("Auditor").matches(&User::new(2).with_account(3).with_account_roles(["Auditor"])));
/// ```
#[inline]
pub fn account_role(name: &str) -> Expr<AccountHasRole<'_>> {
    Expr(AccountHasRole(name))
}

/// Matches whoever is logged in.
///
/// ```
/// use auth_core::{Rule, User, every_logged_in_user};
///
/// assert!(every_logged_in_user().matches(&User::new(2)));
/// ```
#[inline]
pub fn every_logged_in_user() -> Expr<EveryLoggedInUser> {
    Expr(EveryLoggedInUser)
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
#[must_use = "a rule does nothing until it is asked"]
pub struct Expr<R>(pub(super) R);

impl<R: Rule> Rule for Expr<R> {
    #[inline]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.0.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        self.0.condition(subject)
    }
}

impl<R: Rule> Rule for Option<R> {
    #[inline]
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

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $(<$lifetime:lifetime>)? $(($visibility:vis $field:ty))?: |$this:pat_param, $subject:pat_param| $matches:expr, $text:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $rule $(<$lifetime>)? $(($visibility $field))?;

        impl $(<$lifetime>)? Rule for $rule $(<$lifetime>)? {
            #[inline]
            fn matches<S: Subject + ?Sized>(&self, $subject: &S) -> bool {
                let $this = self;
                $matches
            }

            fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
                let $this = self;
                Condition::term($text, self.matches(subject))
            }
        }

        impl $(<$lifetime>)? sealed::Sealed for $rule $(<$lifetime>)? {}
    )*};
}

rules! {
    /// The rule that [`user`] makes.
    UserIs<'a>(pub(super) IdRef<'a>): |Self(id), subject| subject.is_user(*id), format!("{USER}:{id}");
    /// The rule that [`account`] makes.
    AccountIs<'a>(pub(super) IdRef<'a>): |Self(id), subject| subject.is_of_account(*id), format!("{ACCOUNT}:{id}");
    /// The rule that [`role`] makes.
    HasRole<'a>(&'a str): |Self(name), subject| subject.has_named_role(name), format!("{ROLE}:{name}");
    /// The rule that [`account_role`] makes.
    AccountHasRole<'a>(&'a str): |Self(name), subject| subject.account_has_named_role(name), format!("{ACCOUNT_ROLE}:{name}");
    /// The rule that [`every_logged_in_user`] makes.
    EveryLoggedInUser: |Self, _| true, EVERY_LOGGED_IN_USER;
    /// The rule that [`nobody`] makes.
    Nobody: |Self, _| false, "nobody";
}

/// The rule that `|` makes: one of the two suffices.
#[derive(Debug, Clone, Copy)]
pub struct Either<A, B>(A, B);

impl<A: Rule, B: Rule> Rule for Either<A, B> {
    #[inline]
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
    #[inline]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.0.matches(subject) && self.1.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::All(vec![self.0.condition(subject), self.1.condition(subject)])
    }
}

pub(super) mod sealed {
    use super::{Both, Either, Expr};

    pub trait Sealed {}

    impl<R> Sealed for Expr<R> {}
    impl<R: Sealed> Sealed for Option<R> {}
    impl<A, B> Sealed for Either<A, B> {}
    impl<A, B> Sealed for Both<A, B> {}
}

//! The terms of a derived access-control list, as expansions call them. All of this module is for expansions.

use super::{
    field::{ComparedField, FlagField, IdField},
    leaf::Leaf,
    literal::Literal,
    rule::{ByHand, Carried, Everyone, Expr, Rule, sealed},
};
use crate::vocabulary::{Condition, Principal, Subject};

/// A term of a derived list: a rule over a field of the context or over the subject, with the term as the policy writes it.
///
/// The rule is of a type of its own for each term. A `Leaf` in its place would be built in memory for each decision, and
/// matched there.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Derived<R> {
    rule: R,
    written: Leaf<&'static str>,
}

#[expect(clippy::inline_always, reason = "as all rules are")]
impl<R: Rule> Rule for Derived<R> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.rule.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::term(self.written.to_string(), self.matches(subject))
    }
}

impl<R> sealed::Sealed for Derived<R> {}

/// `user(column)`
#[doc(hidden)]
#[inline]
pub fn user_of<'a, Kind, F: IdField<Kind>>(
    field: &'a F,
    column: &'static str,
) -> Expr<Derived<Option<ByHand<'a>>>> {
    let written = Leaf::Subject(Principal::User(column));
    Expr(Derived { rule: field.id().map(Principal::User), written })
}

/// `account(column)`
#[doc(hidden)]
#[inline]
pub fn account_of<'a, Kind, F: IdField<Kind>>(
    field: &'a F,
    column: &'static str,
) -> Expr<Derived<Option<ByHand<'a>>>> {
    let written = Leaf::Subject(Principal::Account(column));
    Expr(Derived { rule: field.id().map(Principal::Account), written })
}

/// `is_null(column)`
#[doc(hidden)]
#[inline]
pub fn is_null<T>(field: &Option<T>, column: &'static str) -> Expr<Derived<Option<Everyone>>> {
    Expr(Derived { rule: field.is_none().then_some(Everyone), written: Leaf::IsNull(column) })
}

/// A boolean column.
#[doc(hidden)]
#[inline]
pub fn flag<F: FlagField>(field: &F, column: &'static str) -> Expr<Derived<Option<Everyone>>> {
    Expr(Derived { rule: field.is_set().then_some(Everyone), written: Leaf::Flag(column) })
}

/// `is(column, value, …)`
#[doc(hidden)]
#[inline]
pub fn is<F: ComparedField>(
    field: &F,
    column: &'static str,
    values: &'static [Literal],
) -> Expr<Derived<Option<Everyone>>> {
    let passes = values.iter().any(|value| field.equals(value));
    Expr(Derived { rule: passes.then_some(Everyone), written: Leaf::Is(column, values) })
}

/// `role(name)`
#[doc(hidden)]
#[inline]
pub fn of_role(name: &'static str) -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::Role(name), written: Leaf::Subject(Principal::Role(name)) })
}

/// `account_role(name)`
#[doc(hidden)]
#[inline]
pub fn of_account_role(name: &'static str) -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::AccountRole(name), written: Leaf::Subject(Principal::AccountRole(name)) })
}

/// `permission(name)`
#[doc(hidden)]
#[inline]
pub fn of_permission(name: &'static str) -> Expr<Derived<Carried<'static>>> {
    Expr(Derived { rule: Carried(name), written: Leaf::Permission(name) })
}

/// `every_logged_in_user`
#[doc(hidden)]
#[inline]
pub fn of_every_logged_in_user() -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::EveryLoggedInUser, written: Leaf::Subject(Principal::EveryLoggedInUser) })
}

/// `everyone`
#[doc(hidden)]
#[inline]
pub fn of_everyone() -> Expr<Derived<Everyone>> {
    Expr(Derived { rule: Everyone, written: Leaf::Everyone })
}

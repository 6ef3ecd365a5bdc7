//! The terms of derived lists, which compare fields of a context. A field may be absent.

use std::fmt;

use super::{
    leaf::Leaf,
    rule::{Expr, Rule, sealed},
};
use crate::vocabulary::{Condition, IdRef, OwnId, Principal, Subject};

/// A field that holds an id, or may hold none. `Kind` tells the two apart.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of the type `{Self}` does not hold an id",
    note = "an id is an integer, a UUID, a text, or an `Option` of these; for a type of your own, implement \
            `From<&{Self}> for auth_core::IdRef<'_>`"
)]
pub trait IdField<Kind> {
    fn id(&self) -> Option<IdRef<'_>>;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Required;

#[doc(hidden)]
#[derive(Debug)]
pub struct Optional;

#[diagnostic::do_not_recommend]
impl<T> IdField<Required> for T
where
    for<'a> &'a T: Into<IdRef<'a>>,
{
    #[inline]
    fn id(&self) -> Option<IdRef<'_>> {
        Some(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T> IdField<Optional> for Option<T>
where
    for<'a> &'a T: Into<IdRef<'a>>,
{
    #[inline]
    fn id(&self) -> Option<IdRef<'_>> {
        self.as_ref().map(Into::into)
    }
}

/// A field that is true or false; absent, it is false.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of the type `{Self}` is not true or false",
    note = "a column by itself is a `bool` or an `Option<bool>`"
)]
pub trait FlagField {
    fn is_set(&self) -> bool;
}

impl FlagField for bool {
    #[inline]
    fn is_set(&self) -> bool {
        *self
    }
}

impl FlagField for Option<bool> {
    #[inline]
    fn is_set(&self) -> bool {
        *self == Some(true)
    }
}

/// A field of a context, in place of the column that it holds.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    column: &'static str,
    value: Value<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Id(Option<IdRef<'a>>),
    /// Whether the field passes the test of its term.
    Test(bool),
}

impl Value<'_> {
    #[inline]
    fn is_of<S: Subject + ?Sized>(self, subject: &S, own: OwnId) -> bool {
        matches!(self, Self::Id(Some(id)) if own.is_meant(id, subject))
    }

    #[inline]
    fn passes(self) -> bool {
        matches!(self, Self::Test(true))
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.column)
    }
}

#[expect(clippy::inline_always, reason = "as all rules are: the variant is known within a decision")]
impl Rule for Leaf<Field<'_>> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        match self {
            Self::Subject(principal) => {
                principal.evaluate(subject, |field, own| field.value.is_of(subject, own))
            }
            Self::IsNull(field) | Self::Flag(field) => field.value.passes(),
        }
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::term(self.to_string(), self.matches(subject))
    }
}

impl sealed::Sealed for Leaf<Field<'_>> {}

/// `user(column)`
#[doc(hidden)]
#[inline]
pub fn user_of<'a, Kind, F: IdField<Kind>>(field: &'a F, column: &'static str) -> Expr<Leaf<Field<'a>>> {
    Expr(Leaf::Subject(Principal::User(Field { column, value: Value::Id(field.id()) })))
}

/// `account(column)`
#[doc(hidden)]
#[inline]
pub fn account_of<'a, Kind, F: IdField<Kind>>(field: &'a F, column: &'static str) -> Expr<Leaf<Field<'a>>> {
    Expr(Leaf::Subject(Principal::Account(Field { column, value: Value::Id(field.id()) })))
}

/// `is_null(column)`
#[doc(hidden)]
#[inline]
pub fn is_null<T>(field: &Option<T>, column: &'static str) -> Expr<Leaf<Field<'static>>> {
    Expr(Leaf::IsNull(Field { column, value: Value::Test(field.is_none()) }))
}

/// A boolean column.
#[doc(hidden)]
#[inline]
pub fn flag<F: FlagField>(field: &F, column: &'static str) -> Expr<Leaf<Field<'static>>> {
    Expr(Leaf::Flag(Field { column, value: Value::Test(field.is_set()) }))
}

/// A term that concerns the subject alone.
#[doc(hidden)]
#[inline]
pub fn subject(principal: Principal<Field<'static>, &'static str>) -> Expr<Leaf<Field<'static>>> {
    Expr(Leaf::Subject(principal))
}

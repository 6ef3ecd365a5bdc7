//! The fields of a context that derived lists compare. A field may be absent.

use super::literal::Literal;
use crate::vocabulary::IdRef;

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

/// A field that is compared with the values of a policy; absent, it equals none.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a field of the type `{Self}` is not compared with values",
    note = "a field that is compared is a `bool`, an `i16`, `i32`, `i64` or a `String`, or an `Option` of these"
)]
pub trait ComparedField {
    fn equals(&self, value: &Literal) -> bool;
}

impl ComparedField for bool {
    #[inline]
    fn equals(&self, value: &Literal) -> bool {
        matches!(value, Literal::Bool(value) if value == self)
    }
}

impl ComparedField for String {
    #[inline]
    fn equals(&self, value: &Literal) -> bool {
        matches!(value, Literal::Text(value) if value == self)
    }
}

impl<T: ComparedField> ComparedField for Option<T> {
    #[inline]
    fn equals(&self, value: &Literal) -> bool {
        self.as_ref().is_some_and(|field| field.equals(value))
    }
}

macro_rules! integer_fields {
    ($($type:ty)+) => {$(
        impl ComparedField for $type {
            #[inline]
            fn equals(&self, value: &Literal) -> bool {
                matches!(value, Literal::Integer(value) if *value == i64::from(*self))
            }
        }
    )+};
}

integer_fields!(i16 i32 i64);

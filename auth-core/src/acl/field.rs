//! The fields of a context that derived lists compare. A field may be absent.

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

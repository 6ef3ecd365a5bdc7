//! That diesel can load the rows of a context.

use diesel::{Expression, Selectable, backend::Backend, deserialize::FromSqlRow};

/// A struct that diesel makes of a row.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "diesel cannot load `{Self}`",
    label = "a row of a table is `Queryable` and `Selectable`",
    note = "derive both: `#[derive(Queryable, Selectable)]`, with fields of types that diesel makes of their columns"
)]
pub trait LoadedRow<DB> {}

#[diagnostic::do_not_recommend]
impl<R, DB> LoadedRow<DB> for R
where
    DB: Backend,
    R: Selectable<DB> + FromSqlRow<<<R as Selectable<DB>>::SelectExpression as Expression>::SqlType, DB>,
{
}

/// The derives call it first: where one of diesel's own is forgotten, the first error names it. Diesel's errors speak of
/// the queries.
#[doc(hidden)]
pub const fn assert_row<R: LoadedRow<DB>, DB>() {}

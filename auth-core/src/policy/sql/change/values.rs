//! The values that a change or a creation gives to columns.

use std::{fmt, marker::PhantomData};

use diesel::{
    backend::Backend,
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
    serialize::ToSql,
    sql_types::HasSqlType,
};

/// A struct whose fields are values for columns of a table: of a change, those that are set; of a new row, all that are given.
///
/// `#[derive(AuthChangeset)]` implements it, beside diesel's `AsChangeset` or `Insertable` or without them.
/// [`Stored::change`](crate::Stored::change) and [`Stored::create`](crate::Stored::create) take it: they write the columns
/// that they check, and no other.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which columns it sets",
    label = "this is no changeset",
    note = "derive it: `#[derive(auth_core::AuthChangeset)]` with `#[diesel(table_name = …)]`, for fields that diesel binds"
)]
pub trait AuthChangeset<DB: Backend> {
    /// The table of the columns.
    type Table;

    /// The columns that are set, with their values.
    #[doc(hidden)]
    fn values(&self) -> NewValues<'_, DB>;
}

/// Columns with the values that they get.
#[doc(hidden)]
pub struct NewValues<'a, DB: Backend> {
    values: Vec<(&'static str, Box<dyn QueryFragment<DB> + Send + Sync + 'a>)>,
}

impl<'a, DB: Backend> NewValues<'a, DB> {
    #[must_use]
    pub fn none() -> Self {
        Self { values: Vec::new() }
    }

    /// Sets a column. The last value counts: what is checked is what is written.
    pub fn set<ST, T>(&mut self, column: &'static str, value: &'a T)
    where
        ST: 'static,
        T: ToSql<ST, DB> + Sync + ?Sized,
        DB: HasSqlType<ST>,
    {
        self.values.retain(|(other, _)| *other != column);
        self.values.push((column, Box::new(Bound(value, PhantomData::<fn() -> ST>))));
    }

    /// These values, but for columns that nothing changes.
    pub(super) fn without(mut self, columns: &[&str]) -> Self {
        self.values.retain(|(column, _)| !columns.contains(column));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn sets(&self, column: &str) -> bool {
        self.value(column).is_some()
    }

    /// The value of a column, if it is set.
    pub(in super::super) fn value(&self, column: &str) -> Option<&(dyn QueryFragment<DB> + 'a)> {
        let (_, value) = self.values.iter().find(|(set, _)| *set == column)?;
        Some(&**value)
    }

    /// Writes something for each column, with commas between.
    pub(super) fn write_each<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, DB>,
        write: impl Fn(
            &'static str,
            &'b (dyn QueryFragment<DB> + 'a),
            &mut AstPass<'_, 'b, DB>,
        ) -> QueryResult<()>,
    ) -> QueryResult<()> {
        for (index, (column, value)) in self.values.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            write(column, &**value, out)?;
        }
        Ok(())
    }
}

// No value is shown: it may be a secret.
impl<DB: Backend> fmt::Debug for NewValues<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(column, _)| column)).finish()
    }
}

/// A value that is bound.
struct Bound<'a, ST, T: ?Sized>(&'a T, PhantomData<fn() -> ST>);

impl<DB, ST, T> QueryFragment<DB> for Bound<'_, ST, T>
where
    DB: Backend + HasSqlType<ST>,
    T: ToSql<ST, DB> + ?Sized,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_bind_param::<ST, T>(self.0)
    }
}

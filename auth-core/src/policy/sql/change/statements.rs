//! The statements that change a row, and that create one, under the condition of a policy.

use diesel::{
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
};

use super::NewValues;
use crate::policy::sql::{HasKey, KeyedRow, Scope, Scoped, value::BindIds};

/// `UPDATE table SET … WHERE key AND allowed AND becomes`
pub(in super::super) struct Update<'a, M: Scoped + KeyedRow> {
    pub(super) values: &'a NewValues<'a, M::Backend>,
    pub(super) key: HasKey<M>,
    /// The condition on the row as it is.
    pub(super) allowed: &'a Scope<M>,
    /// The condition on the row as it becomes, if the statement can say it.
    pub(super) becomes: Option<&'a Scope<M>>,
}

/// `INSERT INTO table (…) SELECT … WHERE becomes`
pub(in super::super) struct Insert<'a, M: Scoped> {
    pub(super) values: &'a NewValues<'a, M::Backend>,
    /// The condition on the row, if the statement can say it.
    pub(super) becomes: Option<&'a Scope<M>>,
}

/// The row that was inserted last: by its key where that was given, and else by the number that the database gave it. None,
/// where it gave none since [`Forget`].
pub(in super::super) struct Inserted<'a, M: Scoped> {
    pub(super) values: &'a NewValues<'a, M::Backend>,
    /// The columns of the key.
    pub(super) key: &'static [&'static str],
}

/// Has `MySQL` and `MariaDB` forget the number that they gave to a row before, of any table.
#[derive(QueryId)]
pub(super) struct Forget;

/// The texts depend on the values and on the answers of the policy for the subject.
macro_rules! written_each_time {
    ($($statement:ident<M: $($bound:ident)+>)*) => {$(
        impl<M: $($bound +)+> QueryId for $statement<'_, M> {
            type QueryId = ();

            const HAS_STATIC_QUERY_ID: bool = false;
        }
    )*};
}

written_each_time! {
    Update<M: Scoped KeyedRow>
    Insert<M: Scoped>
    Inserted<M: Scoped>
}

impl<M> QueryFragment<M::Backend> for Update<'_, M>
where
    M: Scoped<Backend: BindIds> + KeyedRow<Database = <M as Scoped>::Backend>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        M::write_table(&[], out.reborrow())?;
        out.push_sql(" SET ");
        self.values.write_each(&mut out, |column, value, out| {
            out.push_identifier(column)?;
            out.push_sql(" = ");
            value.walk_ast(out.reborrow())
        })?;
        out.push_sql(" WHERE ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(" AND ");
        self.allowed.write(Some(&self.key), &mut out)?;
        if let Some(becomes) = self.becomes {
            out.push_sql(" AND ");
            becomes.write_of_new(self.values, &mut out)?;
        }
        Ok(())
    }
}

impl<M: Scoped<Backend: BindIds>> QueryFragment<M::Backend> for Insert<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        M::write_table(&[], out.reborrow())?;
        out.push_sql(" (");
        self.values.write_each(&mut out, |column, _, out| out.push_identifier(column))?;
        out.push_sql(") SELECT ");
        self.values.write_each(&mut out, |_, value, out| value.walk_ast(out.reborrow()))?;
        if let Some(becomes) = self.becomes {
            // A condition needs a table in MySQL and in older versions of MariaDB.
            out.push_sql("/*! FROM DUAL*/ WHERE ");
            becomes.write_of_new(self.values, &mut out)?;
        }
        Ok(())
    }
}

impl<DB: Backend> QueryFragment<DB> for Forget {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("DO LAST_INSERT_ID(0)");
        Ok(())
    }
}

impl<M> QueryFragment<M::Backend> for Inserted<'_, M>
where
    M: Scoped<Backend: BindIds>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        out.push_sql("(");
        for (index, column) in self.key.iter().enumerate() {
            if index > 0 {
                out.push_sql(" AND ");
            }
            M::write_table(&[], out.reborrow())?;
            out.push_sql(".");
            out.push_identifier(column)?;
            out.push_sql(" = ");
            match self.values.value(column) {
                Some(value) => value.walk_ast(out.reborrow())?,
                None => out.push_sql("NULLIF(LAST_INSERT_ID(), 0)"),
            }
        }
        out.push_sql(")");
        Ok(())
    }
}

//! A row that meets a condition, or that a statement returns.

use std::marker::PhantomData;

use diesel::{
    RunQueryDsl, Selectable,
    dsl::AsSelect,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::Integer,
};

use super::key::KeyedRow;

/// `SELECT selection FROM table WHERE condition`, or a statement that returns the selection.
pub(super) struct Selected<M, S, Q> {
    select: S,
    of: Part<Q>,
    model: PhantomData<fn() -> M>,
}

/// Where the rows of a selection come from.
pub(super) enum Part<Q> {
    Where(Q),
    Returning(Q),
}

impl<M, Q> Selected<M, M::SelectExpression, Q>
where
    M: KeyedRow + Selectable<M::Database>,
{
    pub(super) fn new(of: Part<Q>) -> Self {
        Self { select: M::construct_selection(), of, model: PhantomData }
    }
}

impl<M, S, Q> Query for Selected<M, S, Q>
where
    M: KeyedRow + Selectable<M::Database>,
{
    // As that of `Rows`, so that one loads as the other does.
    type SqlType = (AsSelect<M, M::Database>, Integer);
}

impl<M, S, Q> QueryId for Selected<M, S, Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<M, S, Q> QueryFragment<M::Database> for Selected<M, S, Q>
where
    M: KeyedRow,
    S: QueryFragment<M::Database>,
    Q: QueryFragment<M::Database>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Database>) -> QueryResult<()> {
        match &self.of {
            Part::Where(condition) => {
                out.push_sql("SELECT ");
                self.select.walk_ast(out.reborrow())?;
                out.push_sql(", 0 FROM ");
                M::TABLE.walk_ast(out.reborrow())?;
                out.push_sql(" WHERE ");
                condition.walk_ast(out)
            }
            Part::Returning(statement) => {
                statement.walk_ast(out.reborrow())?;
                out.push_sql(" RETURNING ");
                self.select.walk_ast(out.reborrow())?;
                out.push_sql(", 0");
                Ok(())
            }
        }
    }
}

impl<C, M, S, Q> RunQueryDsl<C> for Selected<M, S, Q> {}

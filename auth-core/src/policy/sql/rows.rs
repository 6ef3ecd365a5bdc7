//! The statement that loads rows by their keys, with a number about each.
//!
//! It is a query node of our own: diesel's builder writes the same, and costs the compiler of each model far more.

use diesel::{
    Expression, RunQueryDsl,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::Integer,
};

use super::GrantedColumn;

/// `SELECT selection, number FROM table WHERE key`
#[doc(hidden)]
pub struct Rows<T, S, N, K> {
    table: T,
    selection: S,
    number: N,
    key: K,
    lock: &'static str,
}

impl<T, S, N, K> Rows<T, S, N, K> {
    pub fn new(table: T, selection: S, number: N, key: K) -> Self {
        Self { table, selection, number, key, lock: "" }
    }
}

// Only where the text is made anew each time: no statement with a lock is taken for one without.
impl<T, S, M, K> Rows<T, S, GrantedColumn<M>, K> {
    /// Ends with the clause that locks what is found.
    #[must_use]
    pub fn locked(self, clause: &'static str) -> Self {
        Self { lock: clause, ..self }
    }
}

impl<T, S: Expression, N: Expression<SqlType = Integer>, K> Query for Rows<T, S, N, K> {
    type SqlType = (S::SqlType, Integer);
}

impl<T: QueryId, S: QueryId, N: QueryId, K: QueryId> QueryId for Rows<T, S, N, K> {
    type QueryId = Rows<T::QueryId, S::QueryId, N::QueryId, K::QueryId>;

    const HAS_STATIC_QUERY_ID: bool =
        T::HAS_STATIC_QUERY_ID && S::HAS_STATIC_QUERY_ID && N::HAS_STATIC_QUERY_ID && K::HAS_STATIC_QUERY_ID;
}

impl<DB, T, S, N, K> QueryFragment<DB> for Rows<T, S, N, K>
where
    DB: Backend,
    T: QueryFragment<DB>,
    S: QueryFragment<DB>,
    N: QueryFragment<DB>,
    K: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.number.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(self.lock);
        Ok(())
    }
}

impl<C, T, S, N, K> RunQueryDsl<C> for Rows<T, S, N, K> {}

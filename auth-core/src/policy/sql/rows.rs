//! The statement that loads rows by their keys, with a number about each.
//!
//! It is a query node of our own, generic over the model: diesel's builder writes the same, and costs the compiler of each
//! model far more.

use std::marker::PhantomData;

use diesel::{
    Expression, RunQueryDsl, Selectable,
    connection::{Connection, LoadConnection, TransactionManager},
    deserialize::{FromSql, StaticallySizedRow},
    dsl::AsSelect,
    expression::{QueryMetadata, TypedExpressionType},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::{Integer, SqlType},
};

use super::{
    key::{HasKey, KeyColumns, KeyedRow},
    selected::{Part, Selected},
    tree::{Tree, rows_of},
    value::BindIds,
    write::write_rows,
};

/// A number about a row of `M`, which a statement selects beside it.
#[doc(hidden)]
pub trait Number<M: KeyedRow>: QueryId + Send + 'static {
    /// Writes the number. `key` is the condition by which the statement finds the rows.
    fn write<'b>(
        &'b self,
        key: &'b dyn QueryFragment<M::Database>,
        out: &mut AstPass<'_, 'b, M::Database>,
    ) -> QueryResult<()>;

    /// Which rows are there.
    fn there(&self) -> Tree {
        rows_of(M::ROWS)
    }

    /// The clause that locks the row. Statements are cached by their [`QueryId`], which does not include it: only a number
    /// whose id is not static may have a clause.
    fn lock(&self) -> &'static str {
        ""
    }
}

/// `SELECT selection, number FROM table WHERE key`, and the clause that locks what is found.
pub(super) struct Rows<M, S, N, K> {
    selection: S,
    number: N,
    key: K,
    /// Which rows are there.
    there: Tree,
    model: PhantomData<fn() -> M>,
}

impl<M, N, K> Rows<M, M::SelectExpression, N, K>
where
    M: KeyedRow + Selectable<M::Database>,
{
    fn new(number: N, key: K) -> Self
    where
        N: Number<M>,
    {
        let there = number.there();
        Self { selection: M::construct_selection(), number, key, there, model: PhantomData }
    }
}

impl<M, S, N, K> Query for Rows<M, S, N, K>
where
    M: KeyedRow + Selectable<M::Database>,
{
    type SqlType = (AsSelect<M, M::Database>, Integer);
}

// The model has one table and one key, but its selection may be an expression of any text, and which rows are there may depend
// on the time.
impl<M: KeyedRow, S: QueryId, N: QueryId, K: QueryId> QueryId for Rows<M, S, N, K> {
    type QueryId = Rows<M, S::QueryId, N::QueryId, K::QueryId>;

    const HAS_STATIC_QUERY_ID: bool =
        S::HAS_STATIC_QUERY_ID && N::HAS_STATIC_QUERY_ID && K::HAS_STATIC_QUERY_ID && M::ROWS.is_none();
}

impl<M, S, N, K> QueryFragment<M::Database> for Rows<M, S, N, K>
where
    M: KeyedRow<Database: BindIds>,
    S: QueryFragment<M::Database>,
    N: Number<M>,
    K: QueryFragment<M::Database>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Database>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.number.write(&self.key, &mut out)?;
        out.push_sql(" FROM ");
        M::TABLE.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.key.walk_ast(out.reborrow())?;
        if !matches!(self.there, Tree::Always) {
            out.push_sql(" AND (");
            write_rows(&self.there, M::TABLE, &mut out)?;
            out.push_sql(")");
        }
        out.push_sql(self.number.lock());
        Ok(())
    }
}

impl<C, M, S, N, K> RunQueryDsl<C> for Rows<M, S, N, K> {}

/// A model whose rows are loaded through a connection that blocks.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "diesel cannot load `{Self}` through a `{C}`",
    note = "derive `Queryable` and `Selectable`, with fields of types that diesel makes of their columns"
)]
pub trait LoadRows<C>: KeyedRow {
    /// The row with the key, and the number.
    fn load_row(key: HasKey<Self>, number: impl Number<Self>, connection: &mut C)
    -> QueryResult<(Self, i32)>;

    /// The rows with one of the keys, and the number of each.
    fn load_rows(
        keys: <Self::Columns as KeyColumns<Self::Database, Self::Key>>::AnyOf,
        number: impl Number<Self>,
        connection: &mut C,
    ) -> QueryResult<Vec<(Self, i32)>>;

    /// Whether a transaction is under way.
    fn is_in_transaction(connection: &mut C) -> bool;

    /// Sends a statement that returns no rows: how many it hit.
    fn execute(
        statement: impl QueryFragment<Self::Database> + QueryId,
        connection: &mut C,
    ) -> QueryResult<usize>;

    /// Inserts a row, and returns it as it is then.
    fn insert_returning(insert: impl QueryFragment<Self::Database>, connection: &mut C) -> QueryResult<Self>;

    /// The row that meets a condition.
    fn load_by(condition: impl QueryFragment<Self::Database>, connection: &mut C) -> QueryResult<Self>;

    fn begin(connection: &mut C) -> QueryResult<()>;

    fn commit(connection: &mut C) -> QueryResult<()>;

    fn rollback(connection: &mut C) -> QueryResult<()>;
}

#[diagnostic::do_not_recommend]
impl<M, C, DB, S> LoadRows<C> for M
where
    M: KeyedRow<Database = DB> + Selectable<DB, SelectExpression = S> + StaticallySizedRow<S::SqlType, DB>,
    S: Expression<SqlType: SqlType + TypedExpressionType + 'static> + QueryFragment<DB> + QueryId + 'static,
    DB: BindIds + QueryMetadata<S::SqlType> + 'static,
    C: Connection<Backend = DB> + LoadConnection,
    i32: FromSql<Integer, DB>,
{
    fn load_row(key: HasKey<M>, number: impl Number<M>, connection: &mut C) -> QueryResult<(M, i32)> {
        Rows::<M, S, _, _>::new(number, key).get_result(connection)
    }

    fn load_rows(
        keys: <M::Columns as KeyColumns<DB, M::Key>>::AnyOf,
        number: impl Number<M>,
        connection: &mut C,
    ) -> QueryResult<Vec<(M, i32)>> {
        Rows::<M, S, _, _>::new(number, keys).load(connection)
    }

    fn is_in_transaction(connection: &mut C) -> bool {
        let status = C::TransactionManager::transaction_manager_status_mut(connection);
        status.transaction_depth().is_ok_and(|depth| depth.is_some())
    }

    fn execute(statement: impl QueryFragment<DB> + QueryId, connection: &mut C) -> QueryResult<usize> {
        connection.execute_returning_count(&statement)
    }

    fn insert_returning(insert: impl QueryFragment<DB>, connection: &mut C) -> QueryResult<M> {
        let query = Selected::<M, S, _>::new(Part::Returning(insert));
        let (row, _): (M, i32) = RunQueryDsl::get_result(query, connection)?;
        Ok(row)
    }

    fn load_by(condition: impl QueryFragment<DB>, connection: &mut C) -> QueryResult<M> {
        let query = Selected::<M, S, _>::new(Part::Where(condition));
        let (row, _): (M, i32) = RunQueryDsl::get_result(query, connection)?;
        Ok(row)
    }

    fn begin(connection: &mut C) -> QueryResult<()> {
        C::TransactionManager::begin_transaction(connection)
    }

    fn commit(connection: &mut C) -> QueryResult<()> {
        C::TransactionManager::commit_transaction(connection)
    }

    fn rollback(connection: &mut C) -> QueryResult<()> {
        C::TransactionManager::rollback_transaction(connection)
    }
}

/// A model whose rows are loaded through a connection of `diesel-async`: [`LoadRows`].
#[cfg(feature = "diesel-async")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "diesel cannot load `{Self}` through a `{C}`",
    note = "derive `Queryable` and `Selectable`, with fields of types that diesel makes of their columns"
)]
pub trait AsyncLoadRows<C>: KeyedRow {
    fn load_row(
        key: HasKey<Self>,
        number: impl Number<Self>,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<(Self, i32)>> + Send;

    fn load_rows(
        keys: <Self::Columns as KeyColumns<Self::Database, Self::Key>>::AnyOf,
        number: impl Number<Self>,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<Vec<(Self, i32)>>> + Send;

    fn is_in_transaction(connection: &mut C) -> bool;

    fn execute(
        statement: impl QueryFragment<Self::Database> + QueryId + Send,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<usize>> + Send;

    fn insert_returning(
        insert: impl QueryFragment<Self::Database> + Send,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<Self>> + Send;

    fn load_by(
        condition: impl QueryFragment<Self::Database> + Send,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<Self>> + Send;

    fn begin(connection: &mut C) -> impl Future<Output = QueryResult<()>> + Send;

    fn commit(connection: &mut C) -> impl Future<Output = QueryResult<()>> + Send;

    fn rollback(connection: &mut C) -> impl Future<Output = QueryResult<()>> + Send;
}

#[cfg(feature = "diesel-async")]
#[diagnostic::do_not_recommend]
impl<M, C, DB, S> AsyncLoadRows<C> for M
where
    M: KeyedRow<Database = DB>
        + Selectable<DB, SelectExpression = S>
        + StaticallySizedRow<S::SqlType, DB>
        + Send,
    S: Expression<SqlType: SqlType + TypedExpressionType + 'static>
        + QueryFragment<DB>
        + QueryId
        + Send
        + 'static,
    DB: BindIds + QueryMetadata<S::SqlType> + 'static,
    C: diesel_async::AsyncConnection<Backend = DB> + Send,
    i32: FromSql<Integer, DB>,
{
    fn load_row(
        key: HasKey<M>,
        number: impl Number<M>,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<(M, i32)>> + Send {
        diesel_async::RunQueryDsl::get_result(Rows::<M, S, _, _>::new(number, key), connection)
    }

    fn load_rows(
        keys: <M::Columns as KeyColumns<DB, M::Key>>::AnyOf,
        number: impl Number<M>,
        connection: &mut C,
    ) -> impl Future<Output = QueryResult<Vec<(M, i32)>>> + Send {
        diesel_async::RunQueryDsl::load(Rows::<M, S, _, _>::new(number, keys), connection)
    }

    fn is_in_transaction(connection: &mut C) -> bool {
        use diesel_async::TransactionManager as _;

        let status = C::TransactionManager::transaction_manager_status_mut(connection);
        status.transaction_depth().is_ok_and(|depth| depth.is_some())
    }

    async fn execute(
        statement: impl QueryFragment<DB> + QueryId + Send,
        connection: &mut C,
    ) -> QueryResult<usize> {
        connection.execute_returning_count(statement).await
    }

    async fn insert_returning(insert: impl QueryFragment<DB> + Send, connection: &mut C) -> QueryResult<M> {
        let query = Selected::<M, S, _>::new(Part::Returning(insert));
        let (row, _): (M, i32) = diesel_async::RunQueryDsl::get_result(query, connection).await?;
        Ok(row)
    }

    async fn load_by(condition: impl QueryFragment<DB> + Send, connection: &mut C) -> QueryResult<M> {
        let query = Selected::<M, S, _>::new(Part::Where(condition));
        let (row, _): (M, i32) = diesel_async::RunQueryDsl::get_result(query, connection).await?;
        Ok(row)
    }

    async fn begin(connection: &mut C) -> QueryResult<()> {
        use diesel_async::TransactionManager as _;

        C::TransactionManager::begin_transaction(connection).await
    }

    async fn commit(connection: &mut C) -> QueryResult<()> {
        use diesel_async::TransactionManager as _;

        C::TransactionManager::commit_transaction(connection).await
    }

    async fn rollback(connection: &mut C) -> QueryResult<()> {
        use diesel_async::TransactionManager as _;

        C::TransactionManager::rollback_transaction(connection).await
    }
}

#[cfg(test)]
mod tests;

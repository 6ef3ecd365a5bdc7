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
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use diesel::{Queryable, debug_query, sqlite::Sqlite};

    use super::*;
    use crate::policy::{
        self, Rule,
        sql::{GrantedColumn, Misfit},
    };

    diesel::table! { notes (id) { id -> Integer, text -> Text } }

    /// Declares a row of `notes`.
    macro_rules! row {
        ($name:ident { $($field:ident: $type:ty),* }) => {
            #[derive(Queryable, Selectable)]
            #[diesel(table_name = notes)]
            #[allow(dead_code, reason = "nothing is loaded")]
            struct $name { $($field: $type),* }

            impl KeyedRow for $name {
                type Database = Sqlite;
                type Key = i32;
                type Columns = (notes::id,);

                const TABLE: &'static dyn QueryFragment<Sqlite> = &notes::table;
                const COMPARED: &'static [policy::Column] = &[];
                const ROWS: Option<&'static Rule> = None;

                fn key_of(row: &Self) -> i32 {
                    row.id
                }
            }
        };
    }

    row!(Note { id: i32, text: String });
    row!(Same { id: i32, text: String });
    row!(Title { id: i32 });

    fn query_id<M>() -> Option<TypeId>
    where
        M: KeyedRow + Selectable<M::Database, SelectExpression: QueryId>,
    {
        // The number and the key carry the model as well, and are left out here.
        Rows::<M, M::SelectExpression, (), ()>::query_id()
    }

    #[test]
    fn no_model_shares_a_prepared_statement() {
        let [note, same, title] = [query_id::<Note>(), query_id::<Same>(), query_id::<Title>()];
        assert!(note.is_some());
        assert!(note != same && same != title && title != note);
    }

    #[test]
    fn a_statement_that_may_lock_is_written_each_time() {
        type MayLock =
            Rows<Note, <Note as Selectable<Sqlite>>::SelectExpression, GrantedColumn<Note>, HasKey<Note>>;

        assert_eq!(<MayLock as QueryId>::query_id(), None);
    }

    #[test]
    fn a_key_is_bound() {
        let rows = Rows::<Title, _, _, _>::new(Misfit::new(), HasKey::<Title>::new(7).unwrap());
        assert_eq!(
            debug_query::<Sqlite, _>(&rows).to_string(),
            "SELECT `notes`.`id`, 0 FROM `notes` WHERE (`notes`.`id` = ?) -- binds: [7]"
        );
    }

    diesel::table! {
        shares (note_id, user_id, place, part) { note_id -> Integer, user_id -> BigInt, place -> Text, part -> SmallInt }
    }

    #[derive(Queryable, Selectable)]
    #[diesel(table_name = shares)]
    struct Share {
        note_id: i32,
        user_id: i64,
        place: String,
        part: i16,
    }

    impl KeyedRow for Share {
        type Database = Sqlite;
        type Key = (i32, i64, String, i16);
        type Columns = (shares::note_id, shares::user_id, shares::place, shares::part);

        const TABLE: &'static dyn QueryFragment<Sqlite> = &shares::table;
        const COMPARED: &'static [policy::Column] = &[];
        const ROWS: Option<&'static Rule> = None;

        fn key_of(row: &Self) -> Self::Key {
            (row.note_id, row.user_id, row.place.clone(), row.part)
        }
    }

    #[test]
    fn each_part_of_a_key_is_bound() {
        let key = Share::key_of(&Share { note_id: 7, user_id: 8, place: "inbox".to_owned(), part: 9 });
        let rows = Rows::<Share, _, _, _>::new(Misfit::new(), HasKey::<Share>::new(key).unwrap());
        let statement = debug_query::<Sqlite, _>(&rows).to_string();
        assert!(
            statement.ends_with(
                "WHERE ((`shares`.`note_id` = ?) AND (`shares`.`user_id` = ?) AND (`shares`.`place` = ?) \
                 AND (`shares`.`part` = ?)) -- binds: [7, 8, \"inbox\", 9]"
            ),
            "{statement}"
        );
        assert!(HasKey::<Share>::new((7, 8, "in\0box".to_owned(), 9)).is_err(), "no row has such a key");
    }
}

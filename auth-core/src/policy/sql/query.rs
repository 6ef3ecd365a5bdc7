//! The query of a list. A handler can narrow it down, and nothing widens it.

use std::marker::PhantomData;

// For two traits diesel exports to its derives alone: what `eq_any` takes, and the table of a boxed query.
use diesel::internal::{
    derives::multiconnection::array_comparison::AsInExpression,
    table_macro::{BoxedSelectStatement, FromClause},
};
use diesel::{
    Expression, RunQueryDsl, Table,
    associations::HasTable,
    backend::Backend,
    dsl::Filter,
    expression::{AppearsOnTable, ValidGrouping},
    expression_methods::EqAll,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::{
        QueryDsl,
        methods::{
            DistinctDsl, FilterDsl, FindDsl, LimitDsl, LockingDsl, ModifyLockDsl, OffsetDsl, OrderDsl,
            SelectDsl, ThenOrderDsl,
        },
    },
    result::QueryResult,
    sql_types::SqlType,
};

/// The rows that a subject may have, as a query: [`Scoped::accessible_by`](crate::Scoped::accessible_by).
///
/// It is narrowed down, ordered, paged, counted, locked, and loaded as diesel's boxed queries are. Each filter stands in
/// parentheses of its own, so it narrows the rows down even if it is raw SQL with an `OR` in it. It does not take
/// `or_filter`, which is an alternative to all that stands before it, and so to the policy: write alternatives into one
/// filter, `.filter(a.or(b))`. Nor can it be boxed or combined, which would give it such methods. Joins and groups go into a
/// query of one's own, with [`Scoped::scope`](crate::Scoped::scope) as one of its filters, or with this one as a subselect.
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Permission, Scoped, User};
/// use diesel::{dsl::max, prelude::*};
/// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
///
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { comments (id) { id -> Integer, note_id -> Integer } }
/// # diesel::joinable!(comments -> notes (note_id));
/// # diesel::allow_tables_to_appear_in_same_query!(notes, comments);
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[acl(read = account(account_id))]
/// struct Note {
///     id: i32,
///     account_id: i32,
/// }
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let connection = &mut SqliteConnection::establish(":memory:")?;
/// # connection.batch_execute(
/// #     "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
/// #      CREATE TABLE comments (id INTEGER PRIMARY KEY, note_id INTEGER NOT NULL);
/// #      INSERT INTO notes (account_id) VALUES (3), (3), (4);
/// #      INSERT INTO comments (note_id) VALUES (1), (3)",
/// # )?;
/// let mia = User::new(2).with_account(3);
/// let readable = || Note::accessible_by(&mia, Permission::READ);
///
/// let total: i64 = readable().count().get_result(connection)?;
/// let last: Option<i32> = readable().select(max(notes::id)).get_result(connection)?;
/// assert_eq!((total, last), (2, Some(2)));
///
/// // The comments on these notes.
/// let of_notes = comments::note_id.eq_any(readable().select(notes::id));
/// let found: Vec<i32> = comments::table.filter(of_notes).select(comments::id).load(connection)?;
/// assert_eq!(found, [1]);
///
/// // The same, by a predicate that names columns of the query around it.
/// let has_note = readable().exists_where(notes::id.eq(comments::note_id));
/// let found: Vec<i32> = comments::table.filter(has_note).select(comments::id).load(connection)?;
/// assert_eq!(found, [1]);
///
/// // Filters that depend on a condition.
/// let mut some = readable();
/// if last > Some(1) {
///     some = some.filter(notes::id.gt(1));
/// }
/// assert_eq!(some.load::<Note>(connection)?.len(), 1);
/// # Ok(())
/// # }
/// # }
/// # service::main().unwrap();
/// ```
///
/// `for_update` and its like lock the rows that are found, not the parents by which the policy decides:
/// [`Stored::authorize_for_update`](crate::Stored::authorize_for_update) does.
///
/// ```compile_fail,E0277
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Note { id: i32, account_id: i32 }
/// let everybodys = Note::accessible_by(&User::new(1), Permission::READ).or_filter(notes::id.gt(0));
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a query finds nothing until it is loaded"]
pub struct ScopedQuery<Q, L = NoLock, V = Unmasked> {
    pub(super) query: Q,
    lock: L,
    /// The columns by which it is filtered and ordered.
    columns: PhantomData<fn() -> V>,
}

impl<Q, V> ScopedQuery<Q, NoLock, V> {
    #[doc(hidden)]
    pub fn new(query: Q) -> Self {
        Self { query, lock: NoLock, columns: PhantomData }
    }
}

impl<Q, L, V> ScopedQuery<Q, L, V> {
    /// Stands before diesel's method of this name, for the message.
    #[doc(hidden)]
    pub fn or_filter<P>(self, _: P) -> Self
    where
        Self: Widened,
    {
        self
    }

    fn map<R>(self, change: impl FnOnce(Q) -> R) -> ScopedQuery<R, L, V> {
        ScopedQuery { query: change(self.query), lock: self.lock, columns: PhantomData }
    }
}

/// diesel's query of one table.
#[doc(hidden)]
pub trait OfTable {
    type Table: Table + HasTable<Table = Self::Table>;
}

impl<ST, T, DB> OfTable for BoxedSelectStatement<'_, ST, FromClause<T>, DB>
where
    T: Table + HasTable<Table = T>,
{
    type Table = T;
}

impl<Q, L, V> QueryDsl for ScopedQuery<Q, L, V> {}

/// Implements a method that adds an expression.
macro_rules! adds {
    ($($dsl:ident::$method:ident $(: $readable:ident)?;)*) => {$(
        impl<Q: $dsl<E>, L, V, E: Expression $(+ $readable<V>)?> $dsl<E> for ScopedQuery<Q, L, V> {
            type Output = ScopedQuery<Q::Output, L, V>;

            fn $method(self, expression: E) -> Self::Output {
                self.map(|query| $dsl::$method(query, expression))
            }
        }
    )*};
}

adds! {
    OrderDsl::order: ReadableBy;
    SelectDsl::select;
    ThenOrderDsl::then_order_by: ReadableBy;
}

impl<Q: FilterDsl<InParentheses<P>>, L, V, P: ReadableBy<V>> FilterDsl<P> for ScopedQuery<Q, L, V> {
    type Output = ScopedQuery<Q::Output, L, V>;

    fn filter(self, predicate: P) -> Self::Output {
        self.map(|query| FilterDsl::filter(query, InParentheses(predicate)))
    }
}

impl<Q, L, V, K> FindDsl<K> for ScopedQuery<Q, L, V>
where
    Q: OfTable,
    <Q::Table as Table>::PrimaryKey: EqAll<K>,
    Self: FilterDsl<<<Q::Table as Table>::PrimaryKey as EqAll<K>>::Output>,
{
    type Output = Filter<Self, <<Q::Table as Table>::PrimaryKey as EqAll<K>>::Output>;

    fn find(self, key: K) -> Self::Output {
        FilterDsl::filter(self, Q::Table::table().primary_key().eq_all(key))
    }
}

impl<Q: LimitDsl, L, V> LimitDsl for ScopedQuery<Q, L, V> {
    type Output = ScopedQuery<Q::Output, L, V>;

    fn limit(self, limit: i64) -> Self::Output {
        self.map(|query| LimitDsl::limit(query, limit))
    }
}

impl<Q: OffsetDsl, L, V> OffsetDsl for ScopedQuery<Q, L, V> {
    type Output = ScopedQuery<Q::Output, L, V>;

    fn offset(self, offset: i64) -> Self::Output {
        self.map(|query| OffsetDsl::offset(query, offset))
    }
}

// No database locks the rows of a `DISTINCT`.
impl<Q: DistinctDsl, V> DistinctDsl for ScopedQuery<Q, NoLock, V> {
    type Output = ScopedQuery<Q::Output, NoLock, V>;

    fn distinct(self) -> Self::Output {
        self.map(DistinctDsl::distinct)
    }
}

impl<Q, Mode, V> LockingDsl<Mode> for ScopedQuery<Q, NoLock, V> {
    type Output = ScopedQuery<Q, Lock<Mode>, V>;

    fn with_lock(self, mode: Mode) -> Self::Output {
        let lock = Lock { mode, modifier: NoLock };
        ScopedQuery { query: self.query, lock, columns: PhantomData }
    }
}

impl<Q, Mode, Modifier, V> ModifyLockDsl<Modifier> for ScopedQuery<Q, Lock<Mode>, V> {
    type Output = ScopedQuery<Q, Lock<Mode, Modifier>, V>;

    fn modify_lock(self, modifier: Modifier) -> Self::Output {
        let lock = Lock { mode: self.lock.mode, modifier };
        ScopedQuery { query: self.query, lock, columns: PhantomData }
    }
}

/// That no clause locks the rows.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct NoLock;

/// The clause that locks the rows, for which diesel's boxed queries have no place.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Lock<Mode, Modifier = NoLock> {
    mode: Mode,
    modifier: Modifier,
}

impl<DB: Backend> QueryFragment<DB> for NoLock {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
}

impl<DB: Backend, Mode: QueryFragment<DB>, Modifier: QueryFragment<DB>> QueryFragment<DB>
    for Lock<Mode, Modifier>
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.mode.walk_ast(out.reborrow())?;
        self.modifier.walk_ast(out)
    }
}

/// That a policy masks no column: a query is filtered and ordered by all of them.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Unmasked {}

/// The columns of a model whose policy masks others. For each of these the derive implements diesel's trait of the columns that
/// a query is grouped by: so diesel itself finds the columns of an expression.
#[doc(hidden)]
pub trait VisibleColumns {}

/// An expression of columns that each reader of a row may read.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this names a column that not every reader of the row may read, or none of the model's fields",
    label = "the order or the filter would tell its values",
    note = "the policy has a rule for it, `read(column) = …`; filter and order by other columns that are fields of the model",
    note = "where all readers of the list may read it, filter a query of your own by `Scoped::scope`"
)]
pub trait ReadableBy<V> {}

impl<E> ReadableBy<Unmasked> for E {}

#[diagnostic::do_not_recommend]
impl<V: VisibleColumns, E: ValidGrouping<V>> ReadableBy<V> for E {}

/// A query that may be widened. There is none.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a scoped query takes no `or_filter`",
    note = "it would be an alternative to the policy, too: write alternatives into one filter, `.filter(a.or(b))`"
)]
pub trait Widened {}

// So that `eq_any` takes the query. It would lose a lock.
impl<ST: SqlType, Q: AsInExpression<ST>, V> AsInExpression<ST> for ScopedQuery<Q, NoLock, V> {
    type InExpression = Q::InExpression;

    fn as_in_expression(self) -> Q::InExpression {
        self.query.as_in_expression()
    }
}

impl<Q: Query, L, V> Query for ScopedQuery<Q, L, V> {
    type SqlType = Q::SqlType;
}

impl<Q, L, V> QueryId for ScopedQuery<Q, L, V> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, Q: QueryFragment<DB>, L: QueryFragment<DB>, V> QueryFragment<DB> for ScopedQuery<Q, L, V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        self.lock.walk_ast(out)
    }
}

impl<C, Q, L, V> RunQueryDsl<C> for ScopedQuery<Q, L, V> {}

/// A predicate that narrows down what it is joined with by `AND`, even where it has an `OR` that diesel does not know of:
/// in raw SQL, or in an operator of the application's own.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct InParentheses<P>(pub(super) P);

impl<P: Expression> Expression for InParentheses<P> {
    type SqlType = P::SqlType;
}

impl<QS, P: AppearsOnTable<QS>> AppearsOnTable<QS> for InParentheses<P> {}

impl<GB, P: ValidGrouping<GB>> ValidGrouping<GB> for InParentheses<P> {
    type IsAggregate = P::IsAggregate;
}

impl<P> QueryId for InParentheses<P> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, P: QueryFragment<DB>> QueryFragment<DB> for InParentheses<P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

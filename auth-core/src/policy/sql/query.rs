//! The query of a list. A handler can narrow it down, and nothing widens it.

use diesel::{
    Expression, RunQueryDsl,
    backend::Backend,
    expression::{AppearsOnTable, ValidGrouping},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::{
        QueryDsl,
        methods::{FilterDsl, LimitDsl, OffsetDsl, OrderDsl, SelectDsl, ThenOrderDsl},
    },
    result::QueryResult,
};

/// The rows that a subject may have, as a query: [`Scoped::accessible_by`](crate::Scoped::accessible_by).
///
/// It takes filters, an order, a page and another selection, as diesel's queries do, and is loaded as they are. Each filter
/// stands in parentheses of its own, so it narrows the rows down even if it is raw SQL with an `OR` in it. It does not take
/// `or_filter`, which is an alternative to all that stands before it, and so to the policy: write alternatives into one
/// filter, `.filter(a.or(b))`. Nor can it be boxed or combined, which would give it such methods. Joins go into a query of
/// one's own, with a subselect by [`Scoped::scope`](crate::Scoped::scope) as one of its filters.
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
///
/// ```compile_fail,E0277
/// # use auth_core::{AuthModel, Permission, Scoped, User};
/// # use diesel::prelude::*;
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
/// # #[derive(Queryable, Selectable, AuthModel)]
/// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
/// # #[acl(read = account(account_id))]
/// # struct Note { id: i32, account_id: i32 }
/// let boxed = Note::accessible_by(&User::new(1), Permission::READ).into_boxed::<diesel::sqlite::Sqlite>();
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a query finds nothing until it is loaded"]
pub struct ScopedQuery<Q>(Q);

impl<Q> ScopedQuery<Q> {
    #[doc(hidden)]
    pub fn new(query: Q) -> Self {
        Self(query)
    }
}

impl<Q> QueryDsl for ScopedQuery<Q> {}

/// Implements a method that adds an argument of the type `$argument`.
macro_rules! adds {
    ($($dsl:ident::$method:ident($argument:ident);)*) => {$(
        impl<Q, $argument> $dsl<$argument> for ScopedQuery<Q>
        where
            Q: $dsl<$argument>,
            $argument: Expression,
        {
            type Output = ScopedQuery<Q::Output>;

            fn $method(self, argument: $argument) -> Self::Output {
                ScopedQuery($dsl::$method(self.0, argument))
            }
        }
    )*};
}

adds! {
    OrderDsl::order(E);
    SelectDsl::select(E);
    ThenOrderDsl::then_order_by(E);
}

impl<Q: FilterDsl<InParentheses<P>>, P> FilterDsl<P> for ScopedQuery<Q> {
    type Output = ScopedQuery<Q::Output>;

    fn filter(self, predicate: P) -> Self::Output {
        ScopedQuery(FilterDsl::filter(self.0, InParentheses(predicate)))
    }
}

impl<Q: LimitDsl> LimitDsl for ScopedQuery<Q> {
    type Output = ScopedQuery<Q::Output>;

    fn limit(self, limit: i64) -> Self::Output {
        ScopedQuery(LimitDsl::limit(self.0, limit))
    }
}

impl<Q: OffsetDsl> OffsetDsl for ScopedQuery<Q> {
    type Output = ScopedQuery<Q::Output>;

    fn offset(self, offset: i64) -> Self::Output {
        ScopedQuery(OffsetDsl::offset(self.0, offset))
    }
}

impl<Q: Query> Query for ScopedQuery<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for ScopedQuery<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for ScopedQuery<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl<C, Q> RunQueryDsl<C> for ScopedQuery<Q> {}

/// A predicate that narrows down what it is joined with by `AND`, even where it has an `OR` that diesel does not know of:
/// in raw SQL, or in an operator of the application's own.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct InParentheses<P>(P);

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

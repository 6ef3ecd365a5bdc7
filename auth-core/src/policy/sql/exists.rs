//! The query of a list as a condition of another query.

use std::marker::PhantomData;

use diesel::{
    Expression,
    backend::Backend,
    dsl::{Filter, exists},
    expression::{AppearsOnTable, SelectableExpression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    query_dsl::methods::FilterDsl,
    result::QueryResult,
};

use super::query::{InParentheses, NoLock, OfTable, ScopedQuery};

impl<Q, V> ScopedQuery<Q, NoLock, V> {
    /// Whether there is such a row, as a condition of another query. diesel's own `exists` takes no query but diesel's.
    #[must_use]
    pub fn exists(self) -> ScopedExists<Q> {
        ScopedExists { exists: exists(self.query), of: PhantomData }
    }

    /// Whether there is such a row of which the predicate is true. It may name columns of the query around it.
    #[must_use]
    pub fn exists_where<P>(self, predicate: P) -> ScopedExists<Q, exists<Filter<Q::Table, P>>>
    where
        Q: OfTable<Table: FilterDsl<P>> + FilterDsl<Correlated<P>, Output = Q>,
    {
        let query = FilterDsl::filter(self.query, Correlated(InParentheses(predicate)));
        ScopedExists { exists: exists(query), of: PhantomData }
    }
}

/// Whether there is a row that a subject may have: [`ScopedQuery::exists`]. It stands where `Of` may.
#[derive(Debug, Clone, Copy)]
pub struct ScopedExists<Q, Of = exists<Q>> {
    exists: exists<Q>,
    of: PhantomData<fn() -> Of>,
}

impl<Q, Of: Expression> Expression for ScopedExists<Q, Of> {
    type SqlType = Of::SqlType;
}

impl<QS, Q, Of: AppearsOnTable<QS>> AppearsOnTable<QS> for ScopedExists<Q, Of> {}

impl<QS, Q, Of: SelectableExpression<QS>> SelectableExpression<QS> for ScopedExists<Q, Of> {}

impl<GB, Q, Of: ValidGrouping<GB>> ValidGrouping<GB> for ScopedExists<Q, Of> {
    type IsAggregate = Of::IsAggregate;
}

impl<Q, Of> QueryId for ScopedExists<Q, Of> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, Q, Of> QueryFragment<DB> for ScopedExists<Q, Of>
where
    exists<Q>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.exists.walk_ast(out)
    }
}

/// A predicate whose columns are those of the table or of a query around it: [`ScopedExists`] has them checked.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Correlated<P>(InParentheses<P>);

impl<P: Expression> Expression for Correlated<P> {
    type SqlType = P::SqlType;
}

impl<QS, P: Expression> AppearsOnTable<QS> for Correlated<P> {}

impl<GB, P: ValidGrouping<GB>> ValidGrouping<GB> for Correlated<P> {
    type IsAggregate = P::IsAggregate;
}

impl<P> QueryId for Correlated<P> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, P: QueryFragment<DB>> QueryFragment<DB> for Correlated<P> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

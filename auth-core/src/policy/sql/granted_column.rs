//! The permissions of a subject on a row, beside the row that a statement loads by its key.

use diesel::{
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
};

use super::{
    Form, RowLock, Scope, Scoped,
    granted::write_bits,
    key::KeyedRow,
    rows::Number,
    tree::{Planter, Tree},
    value::BindIds,
};
use crate::{
    context::AccessQuery,
    vocabulary::{Permission, Subject},
};

/// Whether scopes hold for a row, each a bit of one number.
pub(super) struct GrantedColumn<M> {
    pub(super) scopes: Vec<Scope<M>>,
    /// Which rows are there, at the time of the decision.
    pub(super) there: Tree,
    /// The clause that locks the row.
    pub(super) lock: &'static str,
}

impl<M: Scoped> GrantedColumn<M> {
    pub(super) fn of(subject: &dyn Subject, permissions: &[Permission]) -> Self {
        let mut planter = Planter::of(subject);
        let scope = |permission: &Permission| Scope::of_there(subject, *permission, &mut planter);
        let scopes = permissions.iter().map(scope).collect();
        Self { scopes, there: planter.rows_of(M::POLICY), lock: "" }
    }

    /// The query of a guard.
    pub(super) fn for_query(query: &AccessQuery) -> Self {
        let mut planter = Planter::of(&*query.subject);
        let scopes = Scope::of_query(&*query.subject, &query.permissions, query.masks, &mut planter);
        Self { scopes, there: planter.rows_of(M::POLICY), lock: "" }
    }

    /// Locks the row for a change by this permission, and its parents.
    pub(super) fn locked(mut self, lock: RowLock, permission: Permission) -> Self {
        for scope in &mut self.scopes {
            scope.form = Form::Locked(lock.of_parents());
        }
        Self { lock: lock.of_row(permission), ..self }
    }
}

impl<M> Clone for GrantedColumn<M> {
    fn clone(&self) -> Self {
        Self { scopes: self.scopes.clone(), there: self.there.clone(), lock: self.lock }
    }
}

// The text depends on the answers of the policy for the subject.
impl<M> QueryId for GrantedColumn<M> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<M: Scoped<Backend: BindIds> + KeyedRow<Database = <M as Scoped>::Backend>> Number<M>
    for GrantedColumn<M>
{
    fn there(&self) -> Tree {
        self.there.clone()
    }

    fn lock(&self) -> &'static str {
        self.lock
    }

    fn write<'b>(
        &'b self,
        key: &'b dyn QueryFragment<M::Database>,
        out: &mut AstPass<'_, 'b, M::Database>,
    ) -> QueryResult<()> {
        write_bits(&self.scopes, Some(key), out)
    }
}

//! What a subject may do with a row, as a column of a statement.

use std::{fmt, marker::PhantomData};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, Queryable},
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
    sql_types::Integer,
};

use super::{
    Scope, Scoped,
    place::OwnTable,
    tree::{Planter, Tree},
    value::BindIds,
};
use crate::{
    context::Granted,
    vocabulary::{Permission, Subject},
};

/// Which of several permissions a subject has on a row, as an expression: [`Scoped::granted`]. It loads as [`Granted`].
pub struct GrantedBits<M, P = OwnTable> {
    scopes: Vec<Scope<M>>,
    place: PhantomData<fn() -> P>,
}

impl<M: Scoped> GrantedBits<M> {
    /// With `masks`, also which columns the subject may read.
    pub(crate) fn of(subject: &dyn Subject, permissions: &[Permission], masks: bool) -> Self {
        let scopes = Scope::of_query(subject, permissions, masks, &mut Planter::of(subject));
        Self { scopes, place: PhantomData }
    }
}

impl<M: Scoped<Backend: BindIds>, P> QueryFragment<M::Backend> for GrantedBits<M, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        write_bits(&self.scopes, None, &mut out)
    }
}

/// Writes a number with a bit for each scope. A literal is an integer everywhere, and so is a sum of these.
pub(super) fn write_bits<'b, M: Scoped<Backend: BindIds>>(
    scopes: &'b [Scope<M>],
    key: Option<&'b dyn QueryFragment<M::Backend>>,
    out: &mut AstPass<'_, 'b, M::Backend>,
) -> QueryResult<()> {
    out.push_sql("(0");
    for (index, scope) in scopes.iter().enumerate() {
        let bit = Granted::bit(index);
        match scope.tree {
            Tree::Never => {}
            Tree::Always => out.push_sql(&format!(" + {bit}")),
            _ => {
                out.push_sql(" + CASE WHEN ");
                scope.write(key, out)?;
                out.push_sql(&format!(" THEN {bit} ELSE 0 END"));
            }
        }
    }
    out.push_sql(")");
    Ok(())
}

impl<M, P> Clone for GrantedBits<M, P> {
    fn clone(&self) -> Self {
        Self { scopes: self.scopes.clone(), place: PhantomData }
    }
}

impl<M, P> fmt::Debug for GrantedBits<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GrantedBits").field(&self.scopes).finish()
    }
}

impl<DB: Backend> Queryable<Integer, DB> for Granted
where
    i32: FromSql<Integer, DB>,
{
    type Row = i32;

    fn build(bits: i32) -> deserialize::Result<Self> {
        Ok(Self(bits))
    }
}

//! The permissions of a subject on a row, as a column of a statement.

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
    write::ScopedTable,
};
use crate::{
    context::Granted,
    policy::{Evaluation as _, Policy},
    vocabulary::{Permission, Subject},
};

/// Which of several permissions a subject has on a row, as an expression: [`Scoped::granted`]. It loads as [`Granted`].
pub struct GrantedBits<M, P = OwnTable> {
    scopes: Vec<Scope<M>>,
    place: PhantomData<fn() -> P>,
}

impl<M: Scoped> GrantedBits<M> {
    /// By another policy, whose relations are those of the model.
    #[doc(hidden)]
    pub fn by(policy: &'static Policy, subject: &dyn Subject, permissions: &[Permission]) -> Self {
        let scope = |permission: &Permission| Scope::by(policy, subject, *permission);
        Self { scopes: permissions.iter().map(scope).collect(), place: PhantomData }
    }

    /// Of rows that are there.
    pub(super) fn of(subject: &dyn Subject, permissions: &[Permission]) -> Self {
        let mut planter = Planter::of(subject);
        let mut scopes = Scope::of_query(subject, permissions, false, &mut planter);
        let there = planter.rows_of(M::POLICY);
        for Scope { tree, .. } in &mut scopes {
            let granted = std::mem::replace(tree, Tree::Never);
            *tree = Planter::all([granted, there.clone()].into_iter());
        }
        Self { scopes, place: PhantomData }
    }

    /// With the columns that the subject may read, of the rows of a list, which are there.
    fn with_masks(subject: &dyn Subject, permissions: &[Permission]) -> Self {
        let scopes = Scope::of_query(subject, permissions, true, &mut Planter::of(subject));
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
    let (mut known, mut open) = (0, Vec::new());
    for (index, scope) in scopes.iter().enumerate() {
        let bits = Granted::bit(index);
        match &scope.tree {
            Tree::Never => {}
            Tree::Always => known |= bits,
            Tree::Any(trees) => add(bits, trees.iter().collect(), &mut open),
            tree => add(bits, vec![tree], &mut open),
        }
    }
    out.push_sql(&format!("({known}"));
    if let Some(scope) = scopes.first() {
        write_open(&scope.table(key), open, out)?;
    }
    out.push_sql(")");
    Ok(())
}

/// Bits, and the conditions of which one suffices for them.
struct Open<'b> {
    bits: i32,
    alternatives: Vec<&'b Tree>,
}

/// A condition that several permissions have in common is written, and evaluated, once.
fn add<'b>(bits: i32, alternatives: Vec<&'b Tree>, open: &mut Vec<Open<'b>>) {
    match open.iter_mut().find(|other| other.alternatives == alternatives) {
        Some(other) => other.bits |= bits,
        None => open.push(Open { bits, alternatives }),
    }
}

fn write_open<'b, M: Scoped<Backend: BindIds>>(
    table: &ScopedTable<'_, 'b, M>,
    mut open: Vec<Open<'b>>,
    out: &mut AstPass<'_, 'b, M::Backend>,
) -> QueryResult<()> {
    while let Some(shared) = shared(&open) {
        let (with, without): (Vec<_>, _) =
            open.into_iter().partition(|open| open.alternatives.contains(&shared));
        let bits = with.iter().fold(0, |bits, open| bits | open.bits);
        out.push_sql(" + CASE WHEN (");
        table.write(shared, out)?;
        out.push_sql(&format!(") THEN {bits} ELSE 0"));
        let mut others = Vec::new();
        for Open { bits, mut alternatives } in with {
            alternatives.retain(|alternative| *alternative != shared);
            if !alternatives.is_empty() {
                add(bits, alternatives, &mut others);
            }
        }
        write_open(table, others, out)?;
        out.push_sql(" END");
        open = without;
    }
    for Open { bits, alternatives } in open {
        out.push_sql(" + CASE WHEN (");
        table.write_any(&alternatives, out)?;
        out.push_sql(&format!(") THEN {bits} ELSE 0 END"));
    }
    Ok(())
}

/// A look at other rows that is an alternative of several.
fn shared<'b>(open: &[Open<'b>]) -> Option<&'b Tree> {
    let count = |tree: &Tree| open.iter().filter(|open| open.alternatives.contains(&tree)).count();
    let mut trees = open.iter().flat_map(|open| &open.alternatives).copied();
    trees.find(|tree| tree.asks_other_rows() && count(tree) > 1)
}

/// The columns that a [`Visible`](crate::Visible) row of a list needs beside the row: the bits, and a number that says of which
/// permissions they are. A row that is loaded for others is refused.
pub struct VisibleBits<M, P = OwnTable> {
    bits: GrantedBits<M, P>,
    tag: u32,
}

impl<M: Scoped> VisibleBits<M> {
    pub(crate) fn of(subject: &dyn Subject, permissions: &[Permission]) -> Self {
        let bits = GrantedBits::with_masks(subject, permissions);
        Self { bits, tag: tag_of(M::POLICY.context(), permissions) }
    }
}

/// A number for the context and the permissions, in their order.
fn tag_of(context: &str, permissions: &[Permission]) -> u32 {
    let names = permissions.iter().map(|permission| permission.as_str());
    // FNV-1a, with a byte behind each name that no name has.
    let bytes = [context].into_iter().chain(names).flat_map(|name| name.bytes().chain([0xff]));
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Above the bits, and positive as an integer of 64.
    hash >> 1 | 1
}

/// The bits of a visible row of this context, if they are of these permissions.
pub(crate) fn visible_bits(number: i64, context: &str, permissions: &[Permission]) -> Option<Granted> {
    let bits = i32::try_from(number & i64::from(i32::MAX)).ok()?;
    (number >> 32 == i64::from(tag_of(context, permissions))).then_some(Granted(bits))
}

impl<M: Scoped<Backend: BindIds>, P> QueryFragment<M::Backend> for VisibleBits<M, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
        out.push_sql(&format!("({} + ", i64::from(self.tag) << 32));
        write_bits(&self.bits.scopes, None, &mut out)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<M, P> Clone for VisibleBits<M, P> {
    fn clone(&self) -> Self {
        Self { bits: self.bits.clone(), tag: self.tag }
    }
}

impl<M, P> fmt::Debug for VisibleBits<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VisibleBits").field(&self.bits.scopes).finish()
    }
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

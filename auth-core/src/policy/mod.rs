//! Policies: access-control lists that are declared with `#[acl(…)]`, as data.
//!
//! A policy is one tree with four readers: [`scope`](crate::policy::sql) makes SQL of it, `#[derive(AuthModel)]`
//! a typed list for an object in memory, [`explanation`] says which term failed, and `text` shows it.
//! Nothing here knows of SQL or of requests.

mod check;
mod column;
mod explanation;
pub(crate) mod sql;
mod text;

use std::{fmt, iter};

pub use self::{
    check::{
        assert_acyclic, assert_distinct, assert_grants, flag_column_of, id_column_of, key_of, null_column_of,
    },
    column::{Column, Declared, SqlKind, UnknownSqlKind, flag_column, id_column, null_column},
};
pub(crate) use self::{
    column::Kind,
    explanation::{Leaf, Sketch},
};
use crate::vocabulary::Permission;

/// The policy of a context, as `#[acl(…)]` declares it.
///
/// [`Display`](std::fmt::Display) shows it as it is written, and [`Serialize`](serde::Serialize) as JSON.
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Scoped};
/// # use diesel::prelude::*;
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
///
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
/// #[acl(read = account(account_id) | role("auditor"))]
/// struct Note {
///     id: i32,
///     account_id: i32,
/// }
///
/// # pub fn main() {
/// assert_eq!(Note::POLICY.to_string(), "Note\n  read = account(account_id) | role(\"auditor\")\n");
/// # }
/// # }
/// # service::main();
/// ```
pub struct Policy {
    /// The context's type.
    context: &'static str,
    /// The module of that type, which tells two of one name apart.
    module: &'static str,
    relations: &'static [Relation],
    grants: &'static [Grant],
}

/// What a foreign key refers to, which is a context with a policy of its own.
#[doc(hidden)]
#[derive(Debug)]
pub struct Relation {
    pub name: &'static str,
    pub foreign_key: Column,
    /// The parent's primary key.
    pub key: Column,
    pub policy: &'static Policy,
}

/// A permission, and who has it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Grant {
    pub permission: Permission,
    pub rule: Rule,
}

/// What a subject must match: a term, or terms joined by `|` and `&`. It names relations by their index.
#[doc(hidden)]
#[derive(Debug)]
pub enum Rule {
    EveryLoggedInUser,
    User(Column),
    Account(Column),
    Role(&'static str),
    AccountRole(&'static str),
    IsNull(Column),
    /// A boolean column.
    Flag(Column),
    /// A term about a column of the parent.
    Through(usize, &'static Self),
    /// The parent's own rule for this permission.
    Granted(usize, Permission),
    Any(&'static [Self]),
    All(&'static [Self]),
}

impl Policy {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        context: &'static str,
        module: &'static str,
        relations: &'static [Relation],
        grants: &'static [Grant],
    ) -> Self {
        Self { context, module, relations, grants }
    }

    /// The name of the context's type.
    #[must_use]
    pub const fn context(&self) -> &'static str {
        self.context
    }

    /// The permissions that somebody can have by this policy, in the order in which they are declared.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        self.grants.iter().map(|grant| grant.permission)
    }

    pub(crate) fn rules(&self, permission: Permission) -> impl Iterator<Item = &'static Rule> {
        self.grants.iter().filter(move |grant| grant.permission == permission).map(|grant| &grant.rule)
    }

    /// What a rule of this policy names by its index.
    pub(crate) fn relation(&self, index: usize) -> &'static Relation {
        #[expect(clippy::indexing_slicing, reason = "the derive counts the relations that it writes down")]
        &self.relations[index]
    }
}

/// Not that of its parents, which may refer back to it.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("context", &self.context)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// The relations that lead from a context to one of its ancestors: the last one first.
#[derive(Clone, Copy)]
pub(crate) struct RelationPath<'a> {
    pub(crate) before: Option<&'a Self>,
    pub(crate) index: usize,
    pub(crate) relation: &'static Relation,
}

impl<'a> RelationPath<'a> {
    /// The steps, the last one first.
    pub(crate) fn steps(way: Option<&'a Self>) -> impl Iterator<Item = &'a Self> {
        iter::successors(way, |step| step.before)
    }
}

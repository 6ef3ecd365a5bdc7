//! Policies: access-control lists that are declared with `#[acl(…)]`, as data.
//!
//! A policy is one tree with four readers: [`sql`] makes a condition of it, `#[derive(AuthModel)]` a typed list for an
//! object in memory, [`explanation`] says which term failed, and [`text`] shows it. The first and the third are outcomes of
//! one evaluation, `evaluate`. Outside of [`sql`], nothing here writes SQL or knows of requests.

mod assertion;
mod check;
pub mod column;
mod evaluate;
mod explanation;
pub(crate) mod sql;
mod text;

use std::fmt;

pub use self::{
    check::{assert_acyclic, assert_distinct, assert_grants, relation},
    column::{Column, Declared, SqlKind, UnknownSqlKind},
};
pub(crate) use self::{
    column::Kind,
    evaluate::{Outcome, evaluate},
    explanation::{OpenLeaf, Sketch},
};
use crate::{acl::Leaf, vocabulary::Permission};

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
    relations: &'static [&'static Relation],
    grants: &'static [Grant],
}

/// A relation to a parent: a context with a policy of its own, to whose key a foreign key refers.
#[doc(hidden)]
pub struct Relation {
    pub name: &'static str,
    pub foreign_key: Column,
    /// The parent's primary key.
    pub key: Column,
    pub policy: &'static Policy,
}

/// A permission, and the rule that grants it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Grant {
    pub permission: Permission,
    pub rule: Rule,
}

/// The condition on a subject and a row: a term, or terms joined by `|` and `&`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Rule {
    Leaf(Leaf<Column>),
    /// A term about a column of the parent.
    Through(&'static Relation, Leaf<Column>),
    /// The parent's own rule for this permission.
    Granted(&'static Relation, Permission),
    Any(&'static [Self]),
    All(&'static [Self]),
}

impl Policy {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        context: &'static str,
        module: &'static str,
        relations: &'static [&'static Relation],
        grants: &'static [Grant],
    ) -> Self {
        Self { context, module, relations, grants }
    }

    /// The name of the context's type.
    #[must_use]
    pub const fn context(&self) -> &'static str {
        self.context
    }

    /// The permissions that this policy grants, in the order in which they are declared.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        self.grants.iter().map(|grant| grant.permission)
    }

    pub(crate) fn rules(&self, permission: Permission) -> impl Iterator<Item = &'static Rule> {
        self.grants.iter().filter(move |grant| grant.permission == permission).map(|grant| &grant.rule)
    }
}

/// Without the policies of its parents, which may refer back to it.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("context", &self.context)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// Without the parent's policy, which may refer back to it.
impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Relation").field(&self.name).finish()
    }
}

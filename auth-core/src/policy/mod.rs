//! Policies: access-control lists that are declared with `#[acl(…)]`, as data.
//!
//! A policy is one tree with four readers: [`sql`] makes a condition of it, `#[derive(AuthModel)]` a typed list for an
//! object in memory, [`explanation`] says which term failed, and [`text`] shows it. The first and the third are outcomes of
//! one walk, `evaluate`. Outside of [`sql`], nothing here writes SQL or knows of requests.

mod assertion;
mod check;
pub mod column;
mod evaluate;
mod explanation;
mod indexes;
pub(crate) mod sql;
mod table;
mod text;
mod visible;

use std::fmt;

pub use self::{
    check::{
        assert_acyclic, assert_distinct, assert_grants, assert_one_tree, policy_of, relation, relation_of,
        relation_to_many,
    },
    column::{Column, Declared, SqlKind, UnknownSqlKind},
    indexes::{Index, Indexes},
    table::TableOfRows,
    visible::{PermissionList, Visible},
};
pub(crate) use self::{
    column::Kind,
    evaluate::{Evaluation, Row},
    explanation::{OpenTerm, Sketch, Term},
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
    /// The columns that rules of other policies may name.
    columns: &'static [Column],
    relations: &'static [&'static Relation],
    grants: &'static [Grant],
    /// Which rows are there at all, if not all of the table.
    rows: Option<&'static Rule>,
    /// The rules that some columns need on top of a permission.
    column_grants: &'static [ColumnGrant],
    /// The rule that a row has to meet as it is after a change or a creation.
    becomes: Option<&'static Rule>,
    /// The table of the rows, if it is known.
    table: Option<TableOfRows>,
}

/// A relation to rows of a context with a policy of its own.
#[doc(hidden)]
pub struct Relation {
    pub name: &'static str,
    pub kind: RelationKind,
    /// The column of the row that equals `related`: a foreign key, or the key to which others refer.
    pub own: Column,
    /// The column of the related rows.
    pub related: Column,
    /// The policy of the related rows.
    pub policy: &'static Policy,
}

/// How many rows a relation leads to.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// `belongs_to`: one at the most.
    Parent,
    /// `belongs_to(…, recursive)`: one at the most, by which a permission goes down a tree.
    Ancestors,
    /// `has_many`: any number.
    Many,
}

/// A permission, and the rule that grants it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Grant {
    pub permission: Permission,
    pub rule: Rule,
}

/// Columns, and the rule that is needed for them on top of a permission: to change one of them, or to read it.
#[doc(hidden)]
#[derive(Debug)]
pub struct ColumnGrant {
    pub permission: Permission,
    pub columns: &'static [Column],
    /// The names under which these columns are serialized.
    pub serialized: &'static [&'static str],
    pub rule: Rule,
}

/// The condition on a subject and a row: a term, or terms joined by `|` and `&`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Rule {
    Leaf(Leaf<Column>),
    /// One of the related rows meets all of the rule.
    Related(&'static Relation, &'static Self),
    /// The rule of the row's own policy for this permission.
    Granted(Permission),
    Any(&'static [Self]),
    All(&'static [Self]),
}

impl Policy {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        context: &'static str,
        module: &'static str,
        columns: &'static [Column],
        relations: &'static [&'static Relation],
        grants: &'static [Grant],
        rows: Option<&'static Rule>,
    ) -> Self {
        Self {
            context,
            module,
            columns,
            relations,
            grants,
            rows,
            column_grants: &[],
            becomes: None,
            table: None,
        }
    }

    /// With rules for single columns.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_columns(self, column_grants: &'static [ColumnGrant]) -> Self {
        assert!(column_grants.len() <= Self::MOST_COLUMN_RULES, "a policy has at most 24 rules for columns");
        Self { column_grants, ..self }
    }

    /// As many as a statement answers beside the permissions.
    const MOST_COLUMN_RULES: usize = 24;

    /// With a rule for rows as they are after a change or a creation.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_becomes(self, rule: &'static Rule) -> Self {
        Self { becomes: Some(rule), ..self }
    }

    /// The policy of the rows of this table.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_table(self, table: TableOfRows) -> Self {
        Self { table: Some(table), ..self }
    }

    /// The columns that rules of other policies may name.
    #[doc(hidden)]
    #[must_use]
    pub const fn columns(&self) -> &'static [Column] {
        self.columns
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

    /// The indexes that the statements of this policy use: guards, lists, changes and locked decisions, on this table and on
    /// those to which its relations lead.
    ///
    /// An index that the primary key serves is left out, and one whose columns another one begins with.
    /// [`Display`](std::fmt::Display) shows a statement for each.
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
    /// assert_eq!(
    ///     Note::POLICY.indexes().to_string(),
    ///     "CREATE INDEX notes_account_id ON notes (account_id);\n"
    /// );
    /// # }
    /// # }
    /// # service::main();
    /// ```
    #[must_use]
    pub fn indexes(&'static self) -> Indexes {
        Indexes::of(self)
    }

    /// Whether a rule says which rows may be created.
    pub(crate) const fn says_what_rows_become(&self) -> bool {
        self.becomes.is_some()
    }

    /// The rules that columns need on top of this permission.
    pub(crate) fn column_grants(
        &self,
        permission: Permission,
    ) -> impl Iterator<Item = &'static ColumnGrant> + Clone {
        self.column_grants.iter().filter(move |grant| grant.permission == permission)
    }

    pub(crate) fn rules(&self, permission: Permission) -> impl Iterator<Item = &'static Rule> {
        self.grants.iter().filter(move |grant| grant.permission == permission).map(|grant| &grant.rule)
    }
}

/// Without the policies of related rows, which may refer back to it.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("context", &self.context)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// Without the policy of the related rows, which may refer back to it.
impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Relation").field(&self.name).finish()
    }
}

//! The indexes that the statements of a policy use.
//!
//! A statement finds rows by what the subject decides: by a column that equals its id or its account, or by the rows to
//! which a relation leads, which are found so themselves. An index has the columns that are equal first, then the column
//! by which a relation goes on, so that the subquery reads nothing but the index, and times last.

mod names;
mod walk;

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    slice, vec,
};

use self::{names::Quoted, walk::Walk};
use super::{Policy, table::TableName};

/// The indexes that a policy uses, or several policies: [`Policy::indexes`].
///
/// [`Display`] shows a statement for each, in a line of its own, which `SQLite`, `PostgreSQL` and `MariaDB` take; where
/// `table!` says the schema of a table, `SQLite` does not. Names that need quotes have those of the standard, and with `{:#}`
/// the backticks of `MariaDB` and `MySQL`. A database has what it needs if nothing is [`missing`](Self::missing).
///
/// Those of several policies are collected:
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Indexes, Policy, Scoped};
/// # use diesel::prelude::*;
/// # diesel::table! { projects (id) { id -> Integer, owner_id -> Integer } }
/// # diesel::table! { shares (id) { id -> Integer, project_id -> Integer, user_id -> Integer } }
///
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = projects, check_for_backend(diesel::sqlite::Sqlite))]
/// #[auth(has_many(shares: Share, project_id))]
/// #[acl(read = user(owner_id) | any(shares: user(user_id)))]
/// struct Project {
///     id: i32,
///     owner_id: i32,
/// }
///
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = shares, check_for_backend(diesel::sqlite::Sqlite))]
/// #[auth(belongs_to(project: Project, project_id))]
/// #[acl(read = project.read)]
/// struct Share {
///     id: i32,
///     project_id: i32,
///     user_id: i32,
/// }
///
/// # pub fn main() {
/// let indexes: Indexes = [Project::POLICY, Share::POLICY].into_iter().flat_map(Policy::indexes).collect();
/// assert_eq!(
///     indexes.to_string(),
///     "CREATE INDEX projects_owner_id ON projects (owner_id);\n\
///      CREATE INDEX shares_project_id ON shares (project_id);\n\
///      CREATE INDEX shares_user_id_project_id ON shares (user_id, project_id);\n"
/// );
/// # }
/// # }
/// # service::main();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes(Vec<Index>);

impl Indexes {
    pub(super) fn of(policy: &'static Policy) -> Self {
        Walk::of(policy).found.into_iter().collect()
    }

    /// The indexes, by table and columns.
    pub fn iter(&self) -> slice::Iter<'_, Index> {
        self.0.iter()
    }

    /// The number of indexes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none: each statement finds its rows by their keys, or looks at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that a database does not have. It has one if an index of it begins with the same columns, in this order.
    ///
    /// `columns` are those of the database's indexes, each with its table and its index, and those of one index in their
    /// order, as each database lists them for a query.
    ///
    /// ```
    /// # mod service {
    /// # use auth_core::{AuthModel, Scoped};
    /// # use diesel::prelude::*;
    /// # diesel::table! { notes (id) { id -> Integer, owner_id -> Integer, account_id -> Integer } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(read = user(owner_id) | account(account_id))]
    /// # struct Note { id: i32, owner_id: i32, account_id: i32 }
    /// # pub fn main() {
    /// let missing = Note::POLICY.indexes().missing([
    ///     ("notes", "of_owners", "owner_id"),
    ///     ("notes", "of_owners", "id"),
    ///     ("notes", "others", "id"),
    ///     ("notes", "others", "account_id"),
    /// ]);
    /// assert_eq!(missing.to_string(), "CREATE INDEX notes_account_id ON notes (account_id);\n");
    /// # }
    /// # }
    /// # service::main();
    /// ```
    #[must_use]
    pub fn missing<Name: Into<String>>(&self, columns: impl IntoIterator<Item = (Name, Name, Name)>) -> Self {
        let mut existing: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (table, index, column) in columns {
            existing.entry((table.into(), index.into())).or_default().push(column.into());
        }
        let is_there = |index: &&Index| {
            existing.iter().any(|((table, _), columns)| *table == index.table.name && index.begins(columns))
        };
        Self(self.iter().filter(|index| !is_there(index)).cloned().collect())
    }
}

/// Without those that others begin with.
impl FromIterator<Index> for Indexes {
    fn from_iter<I: IntoIterator<Item = Index>>(indexes: I) -> Self {
        let mut indexes: Vec<Index> = indexes.into_iter().collect();
        indexes.sort();
        // What begins another one stands before it, with nothing in between that it does not begin.
        indexes.dedup_by(|next, index| {
            let is_begun = index.table == next.table && index.begins(&next.columns);
            if is_begun {
                std::mem::swap(next, index);
            }
            is_begun
        });
        Self(indexes)
    }
}

impl IntoIterator for Indexes {
    type Item = Index;
    type IntoIter = vec::IntoIter<Index>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Indexes {
    type Item = &'a Index;
    type IntoIter = slice::Iter<'a, Index>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A statement for each, in a line of its own.
impl Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for index in self {
            index.fmt(f)?;
            f.write_str(";\n")?;
        }
        Ok(())
    }
}

/// An index: a table, and its columns in order.
///
/// [`Display`] shows the statement that creates it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index {
    table: TableName,
    columns: Vec<&'static str>,
}

impl Index {
    /// The schema of the table, where `table!` says it.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.table.schema.as_deref()
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table.name
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// The name that the statement gives it. Databases have it under any name.
    #[must_use]
    pub fn name(&self) -> String {
        names::of_index(&self.table.name, self.columns.iter().copied())
    }

    /// Whether an index of these columns begins with it.
    fn begins<S: AsRef<str>>(&self, columns: &[S]) -> bool {
        self.columns.len() <= columns.len()
            && self.columns.iter().zip(columns).all(|(own, column)| *own == column.as_ref())
    }
}

impl Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |name: &str, f: &mut fmt::Formatter<'_>| Quoted(name).fmt(f);
        f.write_str("CREATE INDEX ")?;
        quoted(&self.name(), f)?;
        f.write_str(" ON ")?;
        if let Some(schema) = self.schema() {
            quoted(schema, f)?;
            f.write_str(".")?;
        }
        quoted(self.table(), f)?;
        let mut separator = " (";
        for column in &self.columns {
            f.write_str(separator)?;
            quoted(column, f)?;
            separator = ", ";
        }
        f.write_str(")")
    }
}

//! How rows are locked that are loaded for a change.

use crate::vocabulary::Permission;

/// A connection of the application's own, such as a `diesel::MultiConnection`, that says how rows are locked.
///
/// ```
/// # mod database {
/// use auth_core::{LockRows, RowLock};
/// use diesel::SqliteConnection;
///
/// #[derive(diesel::MultiConnection)]
/// enum AnyConnection {
///     Sqlite(SqliteConnection),
/// }
///
/// impl LockRows for AnyConnection {
///     fn row_lock(&self) -> RowLock {
///         match self {
///             Self::Sqlite(_) => RowLock::Transaction,
///         }
///     }
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "how rows are locked through a `{Self}` is not known",
    note = "of diesel's own connections it is known by their names, such as `diesel::PgConnection`; of others, say it: \
            `#[auth(row_lock = Postgres)]`, `Mysql` or `Transaction`",
    note = "for a type of your own, implement `auth_core::LockRows`: `fn row_lock(&self) -> RowLock`"
)]
pub trait LockRows {
    /// How rows are locked on the other end.
    fn row_lock(&self) -> RowLock;
}

/// How a database locks rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowLock {
    /// Not row by row: a transaction that is about to write holds the database. `SQLite`, in a transaction that is
    /// immediate; in another one, a change fails that comes after somebody else's.
    Transaction,
    /// As `PostgreSQL` does.
    Postgres,
    /// As `MySQL` and `MariaDB` do.
    Mysql,
}

impl RowLock {
    pub(super) fn of_row(self, permission: Permission) -> &'static str {
        match self {
            Self::Transaction => "",
            // A new row that refers to this one can only grant more, so others may insert it meanwhile. Where they could not, two
            // transactions that each hold a row and insert one that refers to the other's would wait for each other. A
            // transaction that deletes the row has to wait for them, and does it best before it holds anything.
            Self::Postgres if permission != Permission::DELETE => " FOR NO KEY UPDATE",
            Self::Postgres | Self::Mysql => " FOR UPDATE",
        }
    }

    /// Others may read the parents and refer to them. They may not change any column, for which `FOR KEY SHARE` of
    /// `PostgreSQL` would be too weak: a decision depends on columns that are no key.
    pub(super) const fn of_parents(self) -> &'static str {
        match self {
            Self::Transaction => "",
            Self::Postgres => " FOR SHARE",
            Self::Mysql => " LOCK IN SHARE MODE",
        }
    }
}

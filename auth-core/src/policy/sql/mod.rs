//! Scopes: policies as SQL. One policy is the filter of a list, the condition of a change, and the decision about a
//! row that is loaded.
//!
//! A scope is a diesel expression of its own. It writes a subquery for each parent and never a join, so it changes no rows of
//! the query around it; the values are bound.

#[macro_use]
mod dialect;

mod anew;
#[cfg(feature = "diesel-async")]
mod async_stored;
mod authorized;
mod change;
mod column_test;
mod exists;
mod explained;
mod granted;
mod granted_column;
mod key;
mod loads;
mod lock;
mod misfit;
mod moment;
mod place;
mod query;
mod row;
mod rows;
mod scope;
mod selected;
mod stored;
mod target;
mod tree;
mod value;
mod write;

use diesel::{
    Table,
    associations::HasTable,
    backend::Backend,
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
};

#[cfg(feature = "diesel-async")]
pub use self::async_stored::AsyncStored;
pub use self::change::{AuthChangeset, ChangeError, NewValues};
pub(crate) use self::granted::visible_bits;
#[cfg(feature = "diesel-async")]
pub use self::loads::asynchronous;
pub use self::loads::blocking;
pub use self::lock::{LockRows, RowLock};
use self::misfit::Misfit;
pub use self::misfit::are_checked;
pub use self::row::assert_row;
#[cfg(feature = "diesel-async")]
pub use self::rows::AsyncLoadRows;
use self::scope::Form;
pub use self::scope::{IsTrue, Scope};
pub use self::stored::Stored;
pub use self::target::ScopedTarget;
pub use self::{
    exists::ScopedExists,
    granted::{GrantedBits, VisibleBits},
    query::{NoLock, ScopedQuery, Unmasked, VisibleColumns},
};
use self::{granted_column::GrantedColumn, key::HasKey};
pub use self::{key::KeyedRow, rows::LoadRows};
use crate::{
    policy::{Column, Policy, Relation},
    vocabulary::{Permission, Subject},
};

/// A context with a declared policy, by which a database decides: lists, changes, single rows.
///
/// `#[derive(AuthModel)]` with `#[acl(…)]` implements it. Admins have every row, and admin-readers may read each, as
/// everywhere.
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Permission, Scoped, User};
/// use diesel::prelude::*;
/// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
///
/// diesel::table! {
///     notes (id) {
///         id -> Integer,
///         account_id -> Integer,
///         text -> Text,
///     }
/// }
///
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[acl(read = account(account_id), update = account(account_id) & role("editor"))]
/// struct Note {
///     id: i32,
///     account_id: i32,
///     text: String,
/// }
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let connection = &mut SqliteConnection::establish(":memory:")?;
/// # connection.batch_execute(
/// #     "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, text TEXT NOT NULL);
/// #      INSERT INTO notes (account_id, text) VALUES (3, 'one'), (4, 'two')",
/// # )?;
/// let mia = User::new(2).with_account(3);
///
/// // A list: the query takes filters, an order and a page of your own.
/// let readable = Note::accessible_by(&mia, Permission::READ).order(notes::text).load(connection)?;
/// assert_eq!(readable.len(), 1);
///
/// // A change under the condition that she may: there is no moment between check and change.
/// let changed = diesel::update(Note::changeable_by(&mia, Permission::UPDATE).find(1))
///     .set(notes::text.eq("hers?"))
///     .execute(connection)?;
/// assert_eq!(changed, 0);
/// # Ok(())
/// # }
/// # }
/// # service::main().unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no declared policy",
    label = "this is no context that a database can be asked about",
    note = "derive `auth_core::AuthModel` for it, with a policy: `#[acl(read = account(account_id))]`"
)]
pub trait Scoped: Sized + 'static {
    /// The policy.
    const POLICY: &'static Policy;

    /// The columns that the policies of children may name.
    #[doc(hidden)]
    const COLUMNS: &'static [Column];

    /// Whether a row without a [`Misfit`] decides in memory as in a statement.
    #[doc(hidden)]
    const HELD_EXACTLY: bool;

    /// The primary key, if it is one column.
    #[doc(hidden)]
    const KEY: Option<Column>;

    /// The table.
    type Table: Table + HasTable<Table = Self::Table>;

    /// The kind of database.
    type Backend: Backend;

    /// The query that [`accessible_by`](Self::accessible_by) begins.
    type Query;

    /// The rows on which the subject has the permission, as a query that takes filters, an order and a page of the
    /// caller's own: a [`ScopedQuery`].
    fn accessible_by(subject: &dyn Subject, permission: Permission) -> Self::Query {
        Self::scoped_query(Self::scope(subject, permission).of_many())
    }

    /// These rows, tested one after the other in the order of the query: [`Scope::row_by_row`].
    fn accessible_row_by_row(subject: &dyn Subject, permission: Permission) -> Self::Query {
        Self::scoped_query(Self::scope(subject, permission).row_by_row())
    }

    // Of another name than `query` of diesel's `HasQuery`, which a model may have, too.
    #[doc(hidden)]
    fn scoped_query(scope: Scope<Self>) -> Self::Query;

    /// Which of these permissions the subject has on a row, as a column to select: it loads as [`Granted`](crate::Granted).
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AuthModel, Granted, Permission, Scoped, User};
    /// use diesel::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    ///
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
    /// #[derive(Queryable, Selectable, AuthModel)]
    /// #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// #[acl(read = account(account_id), delete = account(account_id) & role("editor"))]
    /// struct Note {
    ///     id: i32,
    ///     account_id: i32,
    /// }
    ///
    /// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let connection = &mut SqliteConnection::establish(":memory:")?;
    /// # connection.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
    /// #     INSERT INTO notes VALUES (1, 3), (2, 4)")?;
    /// let editor = User::new(2).with_account(3).with_roles(["editor"]);
    /// let can = Note::granted(&editor, &[Permission::READ, Permission::DELETE]);
    /// let notes: Vec<(i32, Granted)> = notes::table.select((notes::id, can)).load(connection)?;
    /// let deletable: Vec<i32> = notes.iter().filter(|(_, can)| can.holds(1)).map(|(id, _)| *id).collect();
    /// assert_eq!(deletable, [1]);
    /// # Ok(())
    /// # }
    /// # }
    /// # service::main().unwrap();
    /// ```
    fn granted(subject: &dyn Subject, permissions: &[Permission]) -> GrantedBits<Self> {
        GrantedBits::of(subject, permissions)
    }

    /// The rows on which the subject has the permission, for `diesel::update` and `diesel::delete`: one by its key, or those
    /// that filters of the caller's own leave.
    fn changeable_by<'a>(subject: &dyn Subject, permission: Permission) -> ScopedTarget<'a, Self> {
        ScopedTarget::new(Self::scope(subject, permission))
    }

    /// The rows on which the subject has the permission, as a condition for a statement of the caller's own about the
    /// table. It is true, or false, or null, which a condition takes for false; [`Scope::is_true`] is never null.
    ///
    /// The statement around it can widen it. In diesel's own statements a raw filter beside it has to stand in parentheses:
    /// `.filter(scope).filter(sql("a OR b"))` is written as `scope AND a OR b`, which is true of rows that the policy
    /// refuses. `or_filter` is an alternative to the scope. [`accessible_by`](Self::accessible_by) and
    /// [`changeable_by`](Self::changeable_by) cannot be widened: take them where they suffice.
    fn scope(subject: &dyn Subject, permission: Permission) -> Scope<Self> {
        Scope::of(subject, permission)
    }

    /// Writes the name of the table, or of that of the ancestor to which the relations lead.
    #[doc(hidden)]
    fn write_table(path: &[&'static Relation], out: AstPass<'_, '_, Self::Backend>) -> QueryResult<()>;
}

/// Fails for a relation that the model does not have: the policy is another model's.
#[doc(hidden)]
#[cold]
pub fn unknown_relation(relation: &Relation) -> QueryResult<()> {
    let error = format!("the policy names a relation `{}` that the model does not have", relation.name);
    Err(diesel::result::Error::QueryBuilderError(error.into()))
}

/// Writes the name of a table, a static value.
#[doc(hidden)]
pub fn write_table<DB: Backend>(
    table: &'static impl QueryFragment<DB>,
    mut out: AstPass<'_, '_, DB>,
) -> QueryResult<()> {
    table.walk_ast(out.reborrow())
}

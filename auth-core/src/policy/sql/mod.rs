//! Scopes: policies as SQL. One policy is the filter of a list, the condition of a change, and the decision about a
//! row that is loaded.
//!
//! A scope is a diesel expression of its own. It writes a subquery for each parent and never a join, so it changes no rows of
//! the query around it; the values are bound.

mod anew;
#[cfg(feature = "diesel-async")]
mod async_stored;
mod column_test;
mod exists;
mod key;
mod loads;
mod lock;
mod misfit;
mod moment;
mod place;
mod query;
mod row;
mod rows;
mod stored;
mod target;
mod tree;
mod value;
mod write;

use std::{fmt, marker::PhantomData};

use diesel::{
    Table,
    associations::HasTable,
    backend::Backend,
    query_builder::{AstPass, QueryFragment},
    query_source::{Alias, AliasSource},
    result::QueryResult,
};

#[cfg(feature = "diesel-async")]
pub use self::async_stored::AsyncStored;
#[cfg(feature = "diesel-async")]
pub use self::loads::asynchronous;
pub use self::loads::blocking;
pub use self::lock::{LockRows, RowLock};
use self::misfit::Misfit;
pub use self::misfit::are_checked;
use self::place::OwnTable;
pub use self::row::assert_row;
#[cfg(feature = "diesel-async")]
pub use self::rows::AsyncLoadRows;
use self::stored::GrantedColumn;
pub use self::stored::Stored;
pub use self::target::ScopedTarget;
use self::tree::{Planter, Tree};
pub use self::{exists::ScopedExists, query::ScopedQuery};
pub use self::{key::KeyedRow, rows::LoadRows};
use crate::{
    policy::{Column, Evaluation as _, OpenTerm, Policy, Relation},
    vocabulary::{Permission, Subject, above_lists},
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
    fn accessible_by(subject: &dyn Subject, permission: Permission) -> Self::Query;

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

/// The rows on which a subject has a permission, as a diesel expression: [`Scoped::scope`].
///
/// It stands wherever a column of the table of `M` may: in a statement that has the table once, alone or joined, grouped, in
/// a subselect. Under an alias it is [`of_alias`](Self::of_alias).
///
/// ```
/// # mod service {
/// use auth_core::{AuthModel, Permission, Scoped, User};
/// use diesel::{dsl::count, prelude::*};
/// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
///
/// # diesel::table! { folders (id) { id -> Integer, account_id -> Integer } }
/// # diesel::table! { notes (id) { id -> Integer, folder_id -> Integer, owner_id -> Nullable<Integer> } }
/// # diesel::joinable!(notes -> folders (folder_id));
/// # diesel::allow_tables_to_appear_in_same_query!(notes, folders);
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = folders, check_for_backend(Sqlite))]
/// #[acl(read = account(account_id))]
/// struct Folder {
///     id: i32,
///     account_id: i32,
/// }
///
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[acl(read = user(owner_id))]
/// struct Note {
///     id: i32,
///     folder_id: i32,
///     owner_id: Option<i32>,
/// }
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let connection = &mut SqliteConnection::establish(":memory:")?;
/// # connection.batch_execute(
/// #     "CREATE TABLE folders (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
/// #      CREATE TABLE notes (id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL, owner_id INTEGER);
/// #      INSERT INTO folders (account_id) VALUES (3), (3), (4);
/// #      INSERT INTO notes (folder_id, owner_id) VALUES (1, 2), (1, 2), (2, 9), (3, 2)",
/// # )?;
/// let mia = User::new(2).with_account(3);
/// let folder = Folder::scope(&mia, Permission::READ).of_many();
/// let note = Note::scope(&mia, Permission::READ).of_many();
/// // Each folder that she may read, with the number of its notes that she may read.
/// let folders: Vec<(i32, i64)> = folders::table
///     .left_join(notes::table.on(notes::folder_id.eq(folders::id).and(note)))
///     .filter(folder)
///     .group_by(folders::id)
///     .select((folders::id, count(notes::id.nullable())))
///     .order(folders::id)
///     .load(connection)?;
/// assert_eq!(folders, [(1, 2), (2, 0)]);
/// # Ok(())
/// # }
/// # }
/// # service::main().unwrap();
/// ```
///
/// On the right side of a left join it belongs into the `ON` clause, as here: there it decides which rows are joined. A
/// filter by it refuses where no row is joined, as [`is_true`](Self::is_true) does, unless the subject has every row of the
/// table, as admins do.
pub struct Scope<M, P = OwnTable> {
    tree: Tree,
    form: Form,
    /// The name by which the statement around it has the table, if that is another one.
    alias: Option<&'static str>,
    types: PhantomData<fn() -> (M, P)>,
}

/// How a subquery tests a parent. All forms find the same rows; which one is fast depends on how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `foreign_key IN (SELECT key FROM parent WHERE …)`: for lists. The rows of the parent are found once.
    Set,
    /// `(SELECT … FROM parent WHERE key = foreign_key)`, which is null where there is no parent: for single rows, each of
    /// which has one parent at the most.
    Row,
    /// As [`Row`](Self::Row), with a clause that locks the parents until the transaction ends.
    Locked(&'static str),
}

impl<M: Scoped> Scope<M> {
    fn of(subject: &dyn Subject, permission: Permission) -> Self {
        Self::by(M::POLICY, subject, permission)
    }

    /// The rows by another policy, whose relations are those of the model.
    #[doc(hidden)]
    pub fn by(policy: &'static Policy, subject: &dyn Subject, permission: Permission) -> Self {
        let mut planter = Planter::of(subject);
        let rows = planter.rows_of(policy);
        let allowed = allowed(policy, subject, permission, &mut planter);
        Self::of_tree(Planter::all([allowed, rows].into_iter()))
    }

    /// Of the rows that are there, those on which the subject has the permission.
    fn of_there(subject: &dyn Subject, permission: Permission, planter: &mut Planter<'_>) -> Self {
        Self::of_tree(allowed(M::POLICY, subject, permission, planter))
    }

    fn of_term(term: &OpenTerm, planter: &mut Planter<'_>) -> Self {
        Self::of_tree(planter.term(M::POLICY, term))
    }

    fn of_tree(tree: Tree) -> Self {
        Self { tree, form: Form::Row, alias: None, types: PhantomData }
    }

    /// The rows of an alias of the table, for a statement that has the table under that name.
    ///
    /// ```
    /// # mod service {
    /// # use auth_core::{AuthModel, Permission, Scoped, User};
    /// # use diesel::{connection::SimpleConnection, prelude::*};
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, reply_to -> Nullable<Integer> } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(read = account(account_id))]
    /// # struct Note { id: i32, account_id: i32, reply_to: Option<i32> }
    /// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let connection = &mut SqliteConnection::establish(":memory:")?;
    /// # connection.batch_execute(
    /// #     "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, reply_to INTEGER);
    /// #      INSERT INTO notes (account_id, reply_to) VALUES (3, NULL), (4, NULL), (3, 1), (3, 2), (4, 1)")?;
    /// # let mia = User::new(2).with_account(3);
    /// let originals = diesel::alias!(notes as originals);
    /// // She may read both: a reply, and what it replies to.
    /// let replies: Vec<i32> = notes::table
    ///     .inner_join(originals.on(originals.field(notes::id).nullable().eq(notes::reply_to)))
    ///     .filter(Note::scope(&mia, Permission::READ))
    ///     .filter(Note::scope(&mia, Permission::READ).of_alias(originals))
    ///     .select(notes::id)
    ///     .load(connection)?;
    /// assert_eq!(replies, [3]);
    /// # Ok(())
    /// # }
    /// # }
    /// # service::main().unwrap();
    /// ```
    #[must_use]
    pub fn of_alias<S: AliasSource<Target = M::Table>>(self, _: Alias<S>) -> Scope<M, Alias<S>> {
        Scope { tree: self.tree, form: self.form, alias: Some(S::NAME), types: PhantomData }
    }
}

impl<M, P> Scope<M, P> {
    /// Whether the subject has the permission on a row, as a column to select: true or false, where the scope itself may
    /// be null. As a condition it would keep databases from using their indexes.
    ///
    /// ```
    /// # use auth_core::{AuthModel, Permission, Scoped, User};
    /// # use diesel::{connection::SimpleConnection, prelude::*};
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Nullable<Integer> } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(update = account(account_id))]
    /// # struct Note { id: i32, account_id: Option<i32> }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let connection = &mut SqliteConnection::establish(":memory:")?;
    /// # connection.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER);
    /// #     INSERT INTO notes (account_id) VALUES (3), (NULL)")?;
    /// # let mia = User::new(2).with_account(3);
    /// let may_update = Note::scope(&mia, Permission::UPDATE).is_true();
    /// let rows: Vec<(i32, bool)> = notes::table.select((notes::id, may_update)).load(connection)?;
    /// assert_eq!(rows, [(1, true), (2, false)]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_true(self) -> IsTrue<M, P> {
        IsTrue(self)
    }

    /// Whether it refuses no row at all. A statement without a condition is answered faster: `SQLite` counts a whole table
    /// a hundred times as fast as one under a condition that is always true.
    #[doc(hidden)]
    #[must_use]
    pub fn has_all(&self) -> bool {
        matches!(self.tree, Tree::Always)
    }

    /// The form for a statement about many rows. It finds the parents once, `foreign_key IN (SELECT key …)`, instead of
    /// looking at the parent of each row, and selects the same rows.
    #[must_use]
    pub fn of_many(self) -> Self {
        Self { form: Form::Set, ..self }
    }
}

fn allowed(
    policy: &'static Policy,
    subject: &dyn Subject,
    permission: Permission,
    planter: &mut Planter<'_>,
) -> Tree {
    match above_lists(subject, permission) {
        Some(_) => Tree::Always,
        None => planter.allowed(policy, permission),
    }
}

/// Whether a scope holds for a row: [`Scope::is_true`].
pub struct IsTrue<M, P = OwnTable>(Scope<M, P>);

impl<M, P> Clone for Scope<M, P> {
    fn clone(&self) -> Self {
        Self { tree: self.tree.clone(), form: self.form, alias: self.alias, types: PhantomData }
    }
}

impl<M, P> Clone for IsTrue<M, P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M, P> fmt::Debug for Scope<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.tree).finish()
    }
}

impl<M, P> fmt::Debug for IsTrue<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IsTrue").field(&self.0).finish()
    }
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

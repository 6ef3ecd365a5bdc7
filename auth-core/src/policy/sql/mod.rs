//! Scopes: policies as SQL. One policy is the filter of a list, the condition of a change, and the decision about a
//! row that is loaded.
//!
//! A scope is a diesel expression of its own. It writes a subquery for each parent and never a join, so it changes no rows of
//! the query around it; the values are bound.

mod anew;
#[cfg(feature = "diesel-async")]
mod async_stored;
mod column_test;
mod key;
mod loads;
mod lock;
mod misfit;
mod moment;
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
    Expression, Table,
    associations::HasTable,
    backend::Backend,
    expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::{Bool, Nullable},
};

#[cfg(feature = "diesel-async")]
pub use self::async_stored::AsyncStored;
#[cfg(feature = "diesel-async")]
pub use self::loads::asynchronous;
pub use self::loads::blocking;
pub use self::lock::{LockRows, RowLock};
use self::misfit::Misfit;
pub use self::misfit::are_checked;
pub use self::query::ScopedQuery;
pub use self::row::assert_row;
#[cfg(feature = "diesel-async")]
pub use self::rows::AsyncLoadRows;
use self::stored::GrantedColumn;
pub use self::stored::Stored;
pub use self::target::ScopedTarget;
use self::tree::{Planter, Tree};
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

/// The rows on which a subject has a permission, as a diesel expression over the table of `M`. See
/// [`Scoped::scope`].
pub struct Scope<M> {
    tree: Tree,
    form: Form,
    model: PhantomData<fn() -> M>,
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
        Self { tree, form: Form::Row, model: PhantomData }
    }

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
    pub fn is_true(self) -> IsTrue<M> {
        IsTrue(self)
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
pub struct IsTrue<M>(Scope<M>);

impl<M> Clone for Scope<M> {
    fn clone(&self) -> Self {
        Self { tree: self.tree.clone(), form: self.form, model: PhantomData }
    }
}

impl<M> Clone for IsTrue<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for Scope<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.tree).finish()
    }
}

impl<M> fmt::Debug for IsTrue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IsTrue").field(&self.0).finish()
    }
}

/// Implements the traits of an expression over the table of `M`.
macro_rules! expression_over_table {
    ($expression:ident: $sql_type:ty) => {
        impl<M> Expression for $expression<M> {
            type SqlType = $sql_type;
        }

        impl<M: Scoped> AppearsOnTable<M::Table> for $expression<M> {}

        impl<M: Scoped> SelectableExpression<M::Table> for $expression<M> {}

        impl<M> ValidGrouping<()> for $expression<M> {
            type IsAggregate = is_aggregate::No;
        }

        // The text depends on the answers of the policy for the subject.
        impl<M> QueryId for $expression<M> {
            type QueryId = ();

            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}

expression_over_table!(Scope: Nullable<Bool>);
expression_over_table!(IsTrue: Bool);

// The text depends on the answers of the policy for the subject.
impl<M> QueryId for GrantedColumn<M> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
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

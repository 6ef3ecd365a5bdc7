//! The rows on which a subject has a permission, as an expression.

use std::{fmt, marker::PhantomData};

use diesel::query_source::{Alias, AliasSource};

use super::{
    Scoped,
    place::OwnTable,
    tree::{Planter, Tree},
};
use crate::{
    policy::{Evaluation as _, OpenTerm, Policy},
    vocabulary::{Permission, Subject, above_lists},
};

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
    pub(super) tree: Tree,
    pub(super) form: Form,
    /// The name by which the statement around it has the table, if that is another one.
    pub(super) alias: Option<&'static str>,
    types: PhantomData<fn() -> (M, P)>,
}

/// How a subquery tests a parent. All forms find the same rows; which one is fast depends on how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `foreign_key IN (SELECT key FROM parent WHERE …)`: for lists. The rows of the parent are found once.
    Set,
    /// As [`Set`](Self::Set), but for `PostgreSQL` as `foreign_key = ANY (ARRAY(SELECT key …))`: one of several alternatives, for
    /// of `a IN (…) OR b IN (…)` it looks nothing up. Without an index it compares each row with each of the array, so this is
    /// for what indexes find. What leads further is as in [`Set`](Self::Set).
    Alternative,
    /// `EXISTS (SELECT 1 FROM parent WHERE key = foreign_key AND …)`, in which what leads further is as in [`Set`](Self::Set):
    /// for a page of a subject who has a good part of the rows.
    Each,
    /// `(SELECT … FROM parent WHERE key = foreign_key)`, which is null where there is no parent: for single rows, each of
    /// which has one parent at the most.
    Row,
    /// As [`Row`](Self::Row), with a clause that locks the parents until the transaction ends.
    Locked(&'static str),
}

impl<M: Scoped> Scope<M> {
    pub(super) fn of(subject: &dyn Subject, permission: Permission) -> Self {
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
    pub(super) fn of_there(subject: &dyn Subject, permission: Permission, planter: &mut Planter<'_>) -> Self {
        Self::of_tree(allowed(M::POLICY, subject, permission, planter))
    }

    /// A scope for each permission, and with `masks` one for the rule of each column that needs one to be read.
    pub(super) fn of_query(
        subject: &dyn Subject,
        permissions: &[Permission],
        masks: bool,
        planter: &mut Planter<'_>,
    ) -> Vec<Self> {
        let mut scopes: Vec<_> =
            permissions.iter().map(|permission| Self::of_there(subject, *permission, planter)).collect();
        if masks {
            for grant in M::POLICY.column_grants(Permission::READ) {
                scopes.push(Self::of_tree(planter.column_rule(M::POLICY, subject, grant)));
            }
        }
        scopes
    }

    pub(super) fn of_term(term: &OpenTerm, planter: &mut Planter<'_>) -> Self {
        Self::of_tree(planter.term(M::POLICY, term))
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

impl<M> Scope<M> {
    pub(super) fn of_tree(tree: Tree) -> Self {
        Self { tree, form: Form::Row, alias: None, types: PhantomData }
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
        IsTrue(self.of_one())
    }

    /// Whether it refuses no row at all. A statement without a condition is answered faster: `SQLite` counts a whole table
    /// a hundred times as fast as one under a condition that is always true.
    #[doc(hidden)]
    #[must_use]
    pub fn has_all(&self) -> bool {
        matches!(self.tree, Tree::Always)
    }

    pub(super) fn of_one(self) -> Self {
        Self { form: Form::Row, ..self }
    }

    /// The form for a statement about many rows. It finds the parents once, `foreign_key IN (SELECT key …)`, instead of
    /// looking at the parent of each row, and selects the same rows.
    #[must_use]
    pub fn of_many(self) -> Self {
        Self { form: Form::Set, ..self }
    }

    /// The form for a page of a subject who has a good part of the rows, as a consultant of many accounts has: `SQLite` reads
    /// the rows in the order of the page and looks at the parent of each until the page is full, instead of finding all that
    /// the subject may have and sorting them. It selects the same rows. `PostgreSQL` chooses between the two by its
    /// statistics, in either form, where the policy has one alternative for the subject.
    ///
    /// Say it where you know of such subjects, and of an index in the order of the page: of 1,000,000 rows a page of someone
    /// who has 2 % of them took 1.2 ms instead of 8.2, and a page of someone who has 50 rows 400 ms instead of 0.05.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AuthModel, Permission, Scoped, Subject, User};
    /// use diesel::prelude::*;
    /// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
    /// # diesel::table! { accounts (id) { id -> Integer, consultancy_id -> Integer } }
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = accounts, check_for_backend(Sqlite))]
    /// # #[acl(read = account(consultancy_id))]
    /// # struct Account { id: i32, consultancy_id: i32 }
    ///
    /// #[derive(Queryable, Selectable, AuthModel)]
    /// #[diesel(table_name = notes, check_for_backend(Sqlite))]
    /// #[auth(belongs_to(account: Account, account_id))]
    /// #[acl(read = account.read)]
    /// struct Note {
    ///     id: i32,
    ///     account_id: i32,
    /// }
    ///
    /// fn first_page(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Note>> {
    ///     let readable = if user.has_role("consultant") {
    ///         Note::accessible_row_by_row(user, Permission::READ)
    ///     } else {
    ///         Note::accessible_by(user, Permission::READ)
    ///     };
    ///     readable.order(notes::id).limit(20).load(connection)
    /// }
    /// # pub fn main() {
    /// # let connection = &mut SqliteConnection::establish(":memory:").unwrap();
    /// # connection.batch_execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER NOT NULL);
    /// #     CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
    /// #     INSERT INTO accounts VALUES (1, 9), (2, 8); INSERT INTO notes VALUES (1, 1), (2, 2)").unwrap();
    /// # let consultant = User::new(1).with_account(9).with_roles(["consultant"]);
    /// # assert_eq!(first_page(&consultant, connection).unwrap().len(), 1);
    /// # assert_eq!(first_page(&User::new(1).with_account(9), connection).unwrap().len(), 1);
    /// # }
    /// # }
    /// # service::main();
    /// ```
    #[must_use]
    pub fn row_by_row(self) -> Self {
        Self { form: Form::Each, ..self }
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
pub struct IsTrue<M, P = OwnTable>(pub(super) Scope<M, P>);

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

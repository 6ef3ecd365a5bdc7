//! Scoped contexts and the connection to their database: the decision about one row, outside of a guard.

use std::{fmt, hash::Hash};

use super::{
    AuthChangeset, ChangeError, NewValues, RowLock, Scoped, change, key::KeyedRow, loads::blocking,
    rows::LoadRows, value::BindIds,
};
use crate::{
    acl::Explanation,
    context::{AccessError, Granted, LoadError},
    policy::Policy,
    vocabulary::{Decision, Permission, Subject},
};

/// A [`Scoped`] context with a connection that blocks: decisions for code that has no
/// request, and for transactions.
///
/// `#[derive(AuthModel)]` implements it. Where a context decides by itself, because its row has all that its rules need, the decision is
/// also answered by [`check_access`](crate::check_access) and [`explain`](crate::explain), without a database.
///
/// ```
/// # mod service {
/// use auth_core::{AccessError, AuthModel, Permission, Stored, User};
/// use diesel::prelude::*;
/// # use diesel::{connection::SimpleConnection, sqlite::Sqlite};
///
/// # diesel::table! { accounts (id) { id -> Integer, consultancy_id -> Nullable<Integer> } }
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = accounts, check_for_backend(Sqlite))]
/// #[acl(read = account(id) | account(consultancy_id))]
/// struct Account {
///     id: i32,
///     consultancy_id: Option<i32>,
/// }
///
/// #[derive(Debug, Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes, check_for_backend(Sqlite))]
/// #[auth(belongs_to(account: Account, account_id))]
/// #[acl(read = account.read, update = account(account_id) & role("editor"))]
/// struct Note {
///     id: i32,
///     account_id: i32,
///     text: String,
/// }
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let connection = &mut SqliteConnection::establish(":memory:")?;
/// # connection.batch_execute(
/// #     "CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER);
/// #      CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, text TEXT NOT NULL);
/// #      INSERT INTO accounts (id, consultancy_id) VALUES (3, 4);
/// #      INSERT INTO notes (account_id, text) VALUES (3, 'one')",
/// # )?;
/// let consultant = User::new(2).with_account(4);
/// assert!(Note::check_access(connection, &consultant, 1, Permission::READ)?.is_allowed());
///
/// // Reads, decides and locks; what follows in the transaction is still decided by it.
/// let refused = connection.immediate_transaction(|connection| {
///     let note = Note::authorize_for_update(connection, &consultant, 1, Permission::UPDATE)?;
///     diesel::update(notes::table.find(note.id)).set(notes::text.eq("changed")).execute(connection)?;
///     Ok::<_, AccessError>(note)
/// });
/// assert!(matches!(refused, Err(AccessError::Denied(_))));
///
/// println!("{}", Note::explain(connection, &consultant, 1, Permission::UPDATE)?);
/// # Ok(())
/// # }
/// # }
/// # service::main().unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not asked about through a connection that blocks",
    note = "derive `auth_core::AuthModel` for it, with `#[acl(…)]` and the type of its connection: \
            `#[auth(connection = …)]`"
)]
pub trait Stored:
    Scoped<Backend: BindIds>
    + KeyedRow<Database = <Self as Scoped>::Backend, Key = <Self as Stored>::Id>
    + LoadRows<<Self as Stored>::Connection>
    + Send
{
    /// The primary key of a row.
    type Id: Clone + fmt::Debug + Eq + Hash + Send + 'static;

    /// A diesel connection.
    type Connection: 'static;

    /// Decides whether the subject has the permission on the row.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if there is no such row, [`LoadError::Unavailable`] if the database failed.
    fn check_access(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> Result<Decision, LoadError> {
        blocking::check_access::<Self>(connection, subject, id, permission)
    }

    /// Loads the row for a change, if the subject has the permission on it, and locks it: until the transaction ends,
    /// nobody else changes the row, nor the rows that the decision depends on: parents, what `any` has found, and the way
    /// up a tree (`SELECT … FOR UPDATE`; an SQLite transaction
    /// holds the whole database, if it is immediate). On `PostgreSQL` others may still insert rows that refer to this one
    /// (`FOR NO KEY UPDATE`), unless the permission is [`DELETE`](Permission::DELETE); a transaction that deletes the row
    /// or changes its key by another permission waits for them when it does. The decision is logged as a guard's is.
    ///
    /// # Errors
    ///
    /// [`AccessError::Denied`] if the subject does not have the permission, [`LoadError::NotFound`] if there is no such
    /// row, [`LoadError::Unavailable`] if the database failed, or outside of a transaction.
    fn authorize_for_update(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> Result<Self, AccessError> {
        blocking::authorize_for_update(connection, subject, id, permission)
    }

    /// Changes the row by these values, under the condition of the policy: `update`, the rule of each column that is set, and
    /// `becomes` for the row as they make it. The statement has the condition, so no right is lost between check and change.
    ///
    /// It is one `UPDATE`. Where the rule of `becomes` leads back to the table, as up a tree, an `UPDATE` and a look at its
    /// outcome are one transaction, or a part of the caller's. A key is not changed. Values without any column change nothing,
    /// and are allowed to a subject who may update the row. The decision is logged as a guard's is.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AuthChangeset, AuthModel, ChangeError, Stored, User};
    /// use diesel::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    ///
    /// # diesel::table! { accounts (id) { id -> Integer, name -> Text, plan -> Text } }
    /// #[derive(Queryable, Selectable, AuthModel)]
    /// #[diesel(table_name = accounts, check_for_backend(diesel::sqlite::Sqlite))]
    /// #[acl(
    ///     read = account(id),
    ///     update = account(id) & role("account-admin"),
    ///     update(plan) = nobody,
    /// )]
    /// struct Account {
    ///     id: i32,
    ///     name: String,
    ///     plan: String,
    /// }
    ///
    /// #[derive(Default, AuthChangeset)]
    /// #[diesel(table_name = accounts)]
    /// struct AccountChanges {
    ///     name: Option<String>,
    ///     plan: Option<String>,
    /// }
    ///
    /// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let connection = &mut SqliteConnection::establish(":memory:")?;
    /// # connection.batch_execute(
    /// #     "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL);
    /// #      INSERT INTO accounts VALUES (3, 'mill', 'small')")?;
    /// let mia = User::new(2).with_account(3).with_roles(["account-admin"]);
    ///
    /// let name = AccountChanges { name: Some("windmill".into()), ..Default::default() };
    /// Account::change(connection, &mia, 3, &name)?;
    ///
    /// let plan = AccountChanges { plan: Some("large".into()), ..Default::default() };
    /// let refused = Account::change(connection, &mia, 3, &plan).unwrap_err();
    /// assert!(matches!(refused, ChangeError::DeniedColumn { column: "plan" }));
    /// # Ok(())
    /// # }
    /// # }
    /// # service::main().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ChangeError`], with the row as it was: there is no such row, the subject may not change it, or not this column, or not
    /// to this; or the database failed.
    fn change(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        changes: &impl AuthChangeset<Self::Backend, Table = Self::Table>,
    ) -> Result<(), ChangeError> {
        change::blocking::change_by::<Self>(Self::POLICY, connection, subject, id, changes.values())
    }

    /// Creates a row of these values, if the policy's `becomes` allows it, and returns it.
    ///
    /// It is one `INSERT`, whose condition is the rule. Where the values do not say all that the rule is about, because the
    /// database fills a column or the rule leads back to the table, an `INSERT` and a look at its outcome are one transaction.
    /// So they are on `MySQL` and `MariaDB`, where the new row is found by the key that the values give, or by the number that the
    /// database gave it last. The decision is logged as a guard's is.
    ///
    /// Without a `becomes`, nobody may create a row, which does not compile: `becomes = nobody` leaves it to admins.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AuthChangeset, AuthModel, ChangeError, Stored, User};
    /// use diesel::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    ///
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
    /// #[derive(Queryable, Selectable, AuthModel)]
    /// #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// #[acl(read = account(account_id), becomes = account(account_id))]
    /// struct Note {
    ///     id: i32,
    ///     account_id: i32,
    ///     text: String,
    /// }
    ///
    /// #[derive(AuthChangeset)]
    /// #[diesel(table_name = notes)]
    /// struct NewNote {
    ///     account_id: i32,
    ///     text: String,
    /// }
    ///
    /// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let connection = &mut SqliteConnection::establish(":memory:")?;
    /// # connection.batch_execute(
    /// #     "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, text TEXT NOT NULL)")?;
    /// let mia = User::new(2).with_account(3);
    ///
    /// let note = Note::create(connection, &mia, &NewNote { account_id: 3, text: "mine".into() })?;
    /// assert_eq!((note.id, note.account_id), (1, 3));
    ///
    /// let refused = Note::create(connection, &mia, &NewNote { account_id: 4, text: "theirs".into() });
    /// assert!(matches!(refused, Err(ChangeError::DeniedResult)));
    /// # Ok(())
    /// # }
    /// # }
    /// # service::main().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError::DeniedResult`] if the rule refuses the row, or an error of the database.
    fn create(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        new: &impl AuthChangeset<Self::Backend, Table = Self::Table>,
    ) -> Result<Self, ChangeError> {
        const {
            assert!(
                Self::POLICY.says_what_rows_become(),
                "nobody may create such a row: declare `becomes = RULE` in its policy"
            );
        };
        change::blocking::create_by::<Self>(Self::POLICY, connection, subject, new.values())
    }

    /// Changes a row by another policy, whose relations are those of the model.
    #[doc(hidden)]
    fn change_by(
        policy: &'static Policy,
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        values: NewValues<'_, Self::Backend>,
    ) -> Result<(), ChangeError> {
        change::blocking::change_by::<Self>(policy, connection, subject, id, values)
    }

    /// Creates a row by another policy, whose relations are those of the model.
    #[doc(hidden)]
    fn create_by(
        policy: &'static Policy,
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        values: NewValues<'_, Self::Backend>,
    ) -> Result<Self, ChangeError> {
        change::blocking::create_by::<Self>(policy, connection, subject, values)
    }

    /// Which of these permissions the subject has on each of these rows, in one statement. A row that is not there is left out.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AuthModel, Permission, Stored, User};
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
    /// let mia = User::new(2).with_account(3);
    /// let asked = [Permission::READ, Permission::DELETE];
    /// let mut granted = Note::check_all(connection, &mia, &[1, 2, 9], &asked)?;
    /// granted.sort_by_key(|(id, _)| *id);
    /// let granted: Vec<(i32, Vec<Permission>)> =
    ///     granted.into_iter().map(|(id, granted)| (id, granted.of(&asked).collect())).collect();
    /// assert_eq!(granted, [(1, vec![Permission::READ]), (2, vec![])]);
    /// # Ok(())
    /// # }
    /// # }
    /// # service::main().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoadError::Unavailable`] if the database failed, or there are more than 31 permissions.
    fn check_all(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        ids: &[Self::Id],
        permissions: &[Permission],
    ) -> Result<Vec<(Self::Id, Granted)>, LoadError> {
        blocking::check_all::<Self>(connection, subject, ids, permissions)
    }

    /// The outcome of a change of the application's own under the condition of the policy, as of
    /// [`changeable_by`](Scoped::changeable_by), that hit so many rows: of none, why. Call it in the transaction of the change.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AccessError, AuthModel, Permission, Scoped, Stored, User};
    /// use diesel::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, reads -> Integer } }
    /// # #[derive(Queryable, Selectable, AuthModel)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(update = account(account_id))]
    /// # struct Note { id: i32, account_id: i32 }
    ///
    /// fn count(connection: &mut SqliteConnection, user: &User, id: i32) -> Result<(), AccessError> {
    ///     let note = Note::changeable_by(user, Permission::UPDATE).find(id);
    ///     let hit = diesel::update(note).set(notes::reads.eq(notes::reads + 1)).execute(connection)?;
    ///     Note::changed(hit, connection, user, id, Permission::UPDATE)
    /// }
    /// # pub fn main() {
    /// # let connection = &mut SqliteConnection::establish(":memory:").unwrap();
    /// # connection.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL,
    /// #     reads INTEGER NOT NULL DEFAULT 0); INSERT INTO notes (id, account_id) VALUES (1, 3), (2, 4)").unwrap();
    /// # let mia = User::new(2).with_account(3);
    /// # assert!(count(connection, &mia, 1).is_ok());
    /// # assert!(matches!(count(connection, &mia, 2), Err(AccessError::Denied(_))));
    /// # assert!(matches!(count(connection, &mia, 9), Err(AccessError::NotFound)));
    /// # }
    /// # }
    /// # service::main();
    /// ```
    ///
    /// # Errors
    ///
    /// Of no row: [`AccessError::Denied`] if the subject does not have the permission, [`AccessError::NotFound`] if there is no
    /// such row. A row that the subject may change was hit by nothing where the statement has no values or other conditions: no
    /// error.
    fn changed(
        hit: usize,
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> Result<(), AccessError> {
        blocking::changed::<Self>(hit, connection, subject, id, permission)
    }

    /// Explains what [`check_access`](Self::check_access) decides: which alternative matched, and which terms failed.
    ///
    /// # Errors
    ///
    /// As those of `check_access`.
    fn explain(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> Result<Explanation, LoadError> {
        Self::explain_by(Self::POLICY, connection, subject, id, permission)
    }

    /// Explains what another policy decides, whose relations are those of the model.
    #[doc(hidden)]
    fn explain_by(
        policy: &'static Policy,
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> Result<Explanation, LoadError> {
        blocking::explain_by::<Self>(policy, connection, subject, id, permission)
    }

    /// How rows are locked on the other end of this connection.
    #[doc(hidden)]
    fn row_lock(connection: &Self::Connection) -> RowLock;
}

//! Scoped contexts and connections of `diesel-async`: the counterpart of [`Stored`](super::Stored).

use std::{fmt, hash::Hash};

use super::{
    AuthChangeset, ChangeError, RowLock, Scoped, change, key::KeyedRow, loads::asynchronous,
    rows::AsyncLoadRows, value::BindIds,
};
use crate::{
    acl::Explanation,
    context::{AccessError, Granted, LoadError},
    vocabulary::{Decision, Permission, Subject},
};

/// A [`Scoped`] context with a connection of `diesel-async`: what
/// [`Stored`](super::Stored) is for connections that block.
///
/// `#[derive(AuthModel)]` implements it where the connection is told so.
///
/// ```
/// use auth_core::{AccessError, AsyncStored, AuthModel, Permission, User};
/// use diesel::prelude::*;
/// use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
///
/// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
/// #[derive(Queryable, Selectable, AuthModel)]
/// #[diesel(table_name = notes)]
/// #[auth(async_connection = AsyncPgConnection)]
/// #[acl(update = account(account_id) & role("editor"))]
/// struct Note {
///     id: i32,
///     account_id: i32,
///     text: String,
/// }
///
/// async fn change(connection: &mut AsyncPgConnection, user: &User, text: &str) -> Result<(), AccessError> {
///     connection
///         .transaction(async |connection| {
///             let note = Note::authorize_for_update(connection, user, 1, Permission::UPDATE).await?;
///             diesel::update(notes::table.find(note.id)).set(notes::text.eq(text)).execute(connection).await?;
///             Ok(())
///         })
///         .await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not asked about through a connection of `diesel-async`",
    note = "derive `auth_core::AuthModel` for it, with `#[acl(…)]` and the type of its connection: \
            `#[auth(async_connection = …)]`"
)]
pub trait AsyncStored:
    Scoped<Backend: BindIds>
    + KeyedRow<Database = <Self as Scoped>::Backend, Key = <Self as AsyncStored>::Id>
    + AsyncLoadRows<<Self as AsyncStored>::Connection>
    + Send
{
    /// The primary key of a row.
    type Id: Clone + fmt::Debug + Eq + Hash + Send + Sync + 'static;

    /// A connection of `diesel-async`.
    type Connection: Send + 'static;

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
    ) -> impl Future<Output = Result<Decision, LoadError>> + Send {
        asynchronous::check_access::<Self>(connection, subject, id, permission)
    }

    /// Loads the row for a change, as [`Stored::authorize_for_update`](super::Stored::authorize_for_update).
    ///
    /// # Errors
    ///
    /// [`AccessError::Denied`] if the subject does not have the permission, [`AccessError::NotFound`] if there is no such
    /// row, [`AccessError::Unavailable`] if the database failed, or outside of a transaction.
    fn authorize_for_update(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> impl Future<Output = Result<Self, AccessError>> + Send {
        asynchronous::authorize_for_update(connection, subject, id, permission)
    }

    /// Changes the row by these values, under the condition of the policy: [`Stored::change`](super::Stored::change).
    ///
    /// # Errors
    ///
    /// As those of `Stored::change`.
    fn change(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        changes: &(impl AuthChangeset<Self::Backend, Table = Self::Table> + Sync),
    ) -> impl Future<Output = Result<(), ChangeError>> + Send {
        change::asynchronous::change_by::<Self>(Self::POLICY, connection, subject, id, changes.values())
    }

    /// Creates a row of these values, if the policy's `becomes` allows it: [`Stored::create`](super::Stored::create).
    ///
    /// # Errors
    ///
    /// As those of `Stored::create`.
    fn create(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        new: &(impl AuthChangeset<Self::Backend, Table = Self::Table> + Sync),
    ) -> impl Future<Output = Result<Self, ChangeError>> + Send {
        const {
            assert!(
                Self::POLICY.says_what_rows_become(),
                "nobody may create such a row: declare `becomes = RULE` in its policy"
            );
        };
        change::asynchronous::create_by::<Self>(Self::POLICY, connection, subject, new.values())
    }

    /// Which of these permissions the subject has on each of these rows: [`Stored::check_all`](super::Stored::check_all).
    ///
    /// # Errors
    ///
    /// As those of `Stored::check_all`.
    fn check_all(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        ids: &[Self::Id],
        permissions: &[Permission],
    ) -> impl Future<Output = Result<Vec<(Self::Id, Granted)>, LoadError>> + Send {
        asynchronous::check_all::<Self>(connection, subject, ids, permissions)
    }

    /// The outcome of a change of the application's own: [`Stored::changed`](super::Stored::changed).
    ///
    /// # Errors
    ///
    /// As those of `Stored::changed`.
    fn changed(
        hit: usize,
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> impl Future<Output = Result<(), AccessError>> + Send {
        asynchronous::changed::<Self>(hit, connection, subject, id, permission)
    }

    /// Explains what [`check_access`](Self::check_access) decides.
    ///
    /// # Errors
    ///
    /// As those of `check_access`.
    fn explain(
        connection: &mut Self::Connection,
        subject: &dyn Subject,
        id: Self::Id,
        permission: Permission,
    ) -> impl Future<Output = Result<Explanation, LoadError>> + Send {
        asynchronous::explain_by::<Self>(Self::POLICY, connection, subject, id, permission)
    }

    /// How rows are locked on the other end of this connection.
    #[doc(hidden)]
    fn row_lock(connection: &Self::Connection) -> RowLock;
}

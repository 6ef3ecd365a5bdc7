//! The same as [`Stored`](super::Stored), through connections of `diesel-async`.

use std::{fmt, future::Future, hash::Hash};

use diesel::result::{OptionalExtension as _, QueryResult};
use diesel_async::{AsyncConnection, TransactionManager};

use super::{
    GrantedColumn, RowLock, Scoped,
    anew::{in_order, rounds},
    misfit::{all_held, held},
    stored::{Explained, OUTSIDE_OF_A_TRANSACTION, authorized, check_of},
};
use crate::{
    acl::Explanation,
    context::{AccessError, AccessQuery, AllLoaded, Granted, Lender, LoadError, Loaded},
    event::check::clock,
    vocabulary::{Decision, Permission, Subject, decide},
};

/// A [`Scoped`] context whose database is asked through a connection of `diesel-async`: what
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
pub trait AsyncStored: Scoped + Send {
    /// What names a row: its primary key.
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
        let answers = GrantedColumn::of(subject, &[permission]);
        async move {
            let (_, answer) = Self::load_answered(id, answers, "", connection).await?;
            Ok(decide(subject, permission, || answer.holds(0)))
        }
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
        async move {
            let (text, started) = (format!("{id:?}"), clock());
            let loaded = if Self::is_in_transaction(connection) {
                let lock = Self::row_lock(connection);
                let answers = GrantedColumn::of(subject, &[permission]).locked(lock);
                Self::load_answered(id, answers, lock.of_row(permission), connection).await
            } else {
                Err(LoadError::unavailable(OUTSIDE_OF_A_TRANSACTION))
            };
            authorized(loaded, subject, permission, &check_of::<Self>(started, subject, permission, &text))
        }
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
        async move {
            let mut asked = Explained::of(Self::POLICY, subject, permission);
            while let Some(answers) = asked.next() {
                let (_, answer) = Self::load_answered(id.clone(), answers, "", connection).await?;
                asked.answered(answer);
            }
            Ok(asked.explanation(subject))
        }
    }

    /// The row's primary key.
    #[doc(hidden)]
    fn key_of(row: &Self) -> Self::Id;

    /// The row, and an answer; one statement, which ends with `lock`.
    #[doc(hidden)]
    fn load_answered(
        id: Self::Id,
        answers: GrantedColumn<Self>,
        lock: &'static str,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(Self, Granted), LoadError>> + Send;

    /// Loads several rows likewise, and leaves out those that do not exist.
    #[doc(hidden)]
    fn load_all_answered(
        ids: &[Self::Id],
        answers: GrantedColumn<Self>,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Vec<(Self, Granted)>, LoadError>> + Send;

    /// The row, and its [`Misfit`](super::Misfit); one statement.
    #[doc(hidden)]
    fn load_with_misfit(
        id: Self::Id,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = QueryResult<(Self, i32)>> + Send;

    /// Loads several rows likewise, and leaves out those that do not exist.
    #[doc(hidden)]
    fn load_all_with_misfit(
        ids: &[Self::Id],
        connection: &mut Self::Connection,
    ) -> impl Future<Output = QueryResult<Vec<(Self, i32)>>> + Send {
        async move {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(Self::load_with_misfit(id.clone(), connection).await.optional()?);
            }
            Ok(found)
        }
    }

    /// How rows are locked on the other end of this connection.
    #[doc(hidden)]
    fn row_lock(connection: &Self::Connection) -> RowLock;

    #[doc(hidden)]
    fn is_in_transaction(connection: &mut Self::Connection) -> bool;
}

/// What a guard's question is about, loaded by a derive.
#[doc(hidden)]
pub async fn async_load_with_access<M: AsyncStored>(
    id: M::Id,
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<Loaded<M>, LoadError> {
    let (row, answer) = M::load_answered(id, GrantedColumn::to(question), "", connection).await?;
    Ok((row, Some(answer)))
}

#[doc(hidden)]
pub async fn async_load_all_with_access<M: AsyncStored>(
    ids: &[M::Id],
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<AllLoaded<M::Id, M>, LoadError> {
    let found = M::load_all_answered(ids, GrantedColumn::to(question), connection).await?;
    Ok(found.into_iter().map(|(row, answer)| (M::key_of(&row), (row, Some(answer)))).collect())
}

/// [`load`](super::load)
#[doc(hidden)]
pub async fn async_load<M: AsyncStored>(id: M::Id, connection: &mut M::Connection) -> Result<M, LoadError> {
    held(M::load_with_misfit(id, connection).await, M::COMPARED)
}

/// [`load_all`](super::load_all)
#[doc(hidden)]
pub async fn async_load_all<M: AsyncStored>(
    ids: &[M::Id],
    connection: &mut M::Connection,
) -> Result<Vec<(M::Id, M)>, LoadError> {
    all_held(M::load_all_with_misfit(ids, connection).await, M::COMPARED, M::key_of)
}

/// [`load_decided`](super::load_decided)
#[doc(hidden)]
pub async fn async_load_decided<M: AsyncStored>(
    id: M::Id,
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<Loaded<M>, LoadError> {
    if M::HELD_EXACTLY
        && let (row, 0) = M::load_with_misfit(id.clone(), connection).await?
    {
        return Ok((row, None));
    }
    async_load_with_access(id, question, connection).await
}

/// [`load_all_decided`](super::load_all_decided)
#[doc(hidden)]
pub async fn async_load_all_decided<M: AsyncStored>(
    ids: &[M::Id],
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<AllLoaded<M::Id, M>, LoadError> {
    if M::HELD_EXACTLY {
        let found = M::load_all_with_misfit(ids, connection).await?;
        if found.iter().all(|(_, misfit)| *misfit == 0) {
            return Ok(found.into_iter().map(|(row, _)| (M::key_of(&row), (row, None))).collect());
        }
    }
    async_load_all_with_access(ids, question, connection).await
}

/// One after the other, for keys of several columns.
#[doc(hidden)]
pub async fn async_answered_each<M: AsyncStored>(
    ids: &[M::Id],
    answers: &GrantedColumn<M>,
    connection: &mut M::Connection,
) -> Result<Vec<(M, Granted)>, LoadError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match M::load_answered(id.clone(), answers.clone(), "", connection).await {
            Ok(row) => found.push(row),
            Err(LoadError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Asks about contexts that a function of the application has loaded, and reads them anew in the statement that decides.
/// A row that has gone since is missing.
#[doc(hidden)]
pub async fn async_ask<M: AsyncStored, L: Lender>(
    contexts: &[&M],
    question: &AccessQuery,
    lender: &L,
) -> Result<Vec<(M, Granted)>, L::Error> {
    let ids: Vec<M::Id> = contexts.iter().map(|context| M::key_of(context)).collect();
    let mut connection = lender.acquire::<M::Connection>().await?;
    let found = async {
        let mut found = Vec::with_capacity(ids.len());
        for distinct in rounds(&ids) {
            found
                .extend(M::load_all_answered(&distinct, GrantedColumn::to(question), &mut connection).await?);
        }
        in_order(&ids, found, M::key_of)
    }
    .await;
    connection.done();
    Ok(found?)
}

/// Whether a transaction is under way.
#[doc(hidden)]
pub fn async_is_in_transaction<C: AsyncConnection>(connection: &mut C) -> bool {
    let status = C::TransactionManager::transaction_manager_status_mut(connection);
    status.transaction_depth().is_ok_and(|depth| depth.is_some())
}

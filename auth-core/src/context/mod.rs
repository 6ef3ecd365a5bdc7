//! Contexts: the objects that guards decide about, and how they are loaded.
//!
//! Nothing here knows of requests: a guard says which id is loaded, and through which pool.

mod access_query;
mod argument;
mod asynchronous;
pub(crate) mod blocking;
mod connection;
mod contexts;
mod lender;

use std::{error::Error, fmt, hash::Hash};

use thiserror::Error;

use crate::vocabulary::{Decision, DenyReason};

pub use self::{
    access_query::{AccessQuery, AllLoaded, Context, Granted, Loaded},
    argument::Authorized,
    asynchronous::{AsyncLoadContext, AsyncLoadContexts},
    connection::{ConnectionSource, NoConnection},
    lender::{AsyncConnectionSource, Lender},
};
pub(crate) use self::{
    argument::ContextArgument,
    blocking::{LoadedOnThread, NotOnThread, OnThread},
    connection::with_connection,
    contexts::{Contexts, Empty, Loadable},
    lender::{DynAsyncSource, Lent},
};

/// How a context is found by its id.
///
/// `#[derive(LoadContext)]` writes this for a diesel table. By hand it is a few lines, which may join what
/// the access-control list needs. A loader takes a connection and never a pool, so that it works inside a
/// transaction.
///
/// ```
/// # use auth_core::{LoadContext, LoadError, NoConnection};
/// struct Planet {
///     number: u8,
/// }
///
/// impl LoadContext for Planet {
///     type Id = u8;
///     type Connection = NoConnection;
///
///     fn load(number: u8, _: &mut NoConnection) -> Result<Self, LoadError> {
///         if (1..=8).contains(&number) { Ok(Self { number }) } else { Err(LoadError::NotFound) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded as a context",
    label = "how is it found by its id?",
    note = "add `#[derive(auth_core::LoadContext)]` to `{Self}`, or implement `auth_core::LoadContext` by hand"
)]
pub trait LoadContext: Sized + Send + 'static {
    /// The key of a context. To be named by a request it implements `FromStr`, and a text that is no such id
    /// names nothing: 404. A tuple is named by several parts of a request, `id = ("account_id", "asset_id")`, and
    /// `()` by none: `id = ()`.
    type Id: fmt::Debug + Send + 'static;

    /// The connection that [`load`](Self::load) needs: of diesel, [`NoConnection`], or whatever a
    /// [`ConnectionSource`] lends.
    type Connection: 'static;

    /// Finds the context. May block: a guard calls it on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if there is no such context, [`LoadError::Unavailable`] if the store failed.
    fn load(id: Self::Id, connection: &mut Self::Connection) -> Result<Self, LoadError>;

    /// Loads the context together with the database's decision about it, in one statement.
    #[doc(hidden)]
    fn load_with_access(
        id: Self::Id,
        query: &AccessQuery,
        connection: &mut Self::Connection,
    ) -> Result<Loaded<Self>, LoadError> {
        let _ = query;
        Ok((Self::load(id, connection)?, None))
    }
}

/// How several contexts are found by their ids, in one go; a guard needs this where a handler takes a `Vec`.
///
/// `#[derive(LoadContext)]` writes this, too, as one statement.
///
/// ```
/// # use auth_core::{LoadContext, LoadContexts, LoadError, NoConnection};
/// # struct Planet { number: u8 }
/// # impl LoadContext for Planet {
/// #     type Id = u8;
/// #     type Connection = NoConnection;
/// #     fn load(number: u8, _: &mut NoConnection) -> Result<Self, LoadError> { Ok(Self { number }) }
/// # }
/// impl LoadContexts for Planet {
///     fn load_all(numbers: &[u8], _: &mut NoConnection) -> Result<Vec<(u8, Self)>, LoadError> {
///         let found = (1..=8).filter(|number| numbers.contains(number));
///         Ok(found.map(|number| (number, Self { number })).collect())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "several `{Self}` cannot be loaded at once",
    label = "how are they found by their ids?",
    note = "add `#[derive(auth_core::LoadContext)]` to `{Self}`, or implement `auth_core::LoadContexts` by hand"
)]
pub trait LoadContexts: LoadContext<Id: Clone + Eq + Hash> {
    /// Finds the contexts with these ids, each once and in any order, with its id. An id that names nothing is
    /// left out: the guard sees that it is missing. May block, as [`LoadContext::load`] may.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unavailable`] if the store failed.
    fn load_all(
        ids: &[Self::Id],
        connection: &mut Self::Connection,
    ) -> Result<Vec<(Self::Id, Self)>, LoadError>;

    /// Loads the contexts together with the database's decision about each, in one statement.
    #[doc(hidden)]
    fn load_all_with_access(
        ids: &[Self::Id],
        query: &AccessQuery,
        connection: &mut Self::Connection,
    ) -> Result<AllLoaded<Self::Id, Self>, LoadError> {
        let _ = query;
        let found = Self::load_all(ids, connection)?;
        Ok(found.into_iter().map(|(id, context)| (id, (context, None))).collect())
    }
}

/// Why nothing was loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no such thing. For a guard: 404; for a token: 401.
    #[error("not found")]
    NotFound,
    /// The store failed, so nobody knows: 503. The error is logged and not shown to the client.
    #[error("the store failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl LoadError {
    /// The store failed with this error.
    pub fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}

/// `NotFound` stays `NotFound`, so `query.get_result(connection)?` is a whole loader. All else means that the
/// store failed.
#[cfg(feature = "diesel")]
impl From<diesel::result::Error> for LoadError {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::NotFound,
            error => Self::unavailable(error),
        }
    }
}

/// Why a subject does not get a context.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The subject does not have the permission: 403.
    #[error("denied ({})", Decision::Deny(*.0).reason())]
    Denied(DenyReason),
    /// There is no such thing: 404.
    #[error("not found")]
    NotFound,
    /// The store failed, so nobody knows: 503.
    #[error("the store failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl From<LoadError> for AccessError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound => Self::NotFound,
            LoadError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// So that a transaction can end with it.
#[cfg(feature = "diesel")]
impl From<diesel::result::Error> for AccessError {
    fn from(error: diesel::result::Error) -> Self {
        LoadError::from(error).into()
    }
}

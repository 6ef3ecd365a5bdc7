//! Contexts: the objects that are asked about, and how they are loaded.
//!
//! Nothing here knows of requests. Which id is asked for, and on which thread a context is loaded, is the
//! guard's business.

use std::{error::Error, fmt, marker::PhantomData, ops::Deref, str::FromStr};

use thiserror::Error;

use crate::{
    acl::AuthModel,
    permission::{Permission, PermissionMarker},
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
    /// What names a context. A text in a request that is no such id names nothing: 404.
    type Id: FromStr + fmt::Debug + Send + 'static;

    /// What [`load`](Self::load) needs: a diesel connection, [`NoConnection`], or whatever a
    /// [`ConnectionSource`] lends.
    type Connection: 'static;

    /// Finds the context. May block: a guard calls it on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if there is no such context, [`LoadError::Unavailable`] if the store failed.
    fn load(id: Self::Id, connection: &mut Self::Connection) -> Result<Self, LoadError>;
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

/// `NotFound` stays `NotFound`, so `query.first(connection)?` is a whole loader. All else means that the
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

/// The connection of a context that needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoConnection;

/// Lends connections: an r2d2 pool of diesel connections, or a store of the application's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lends no connections",
    note = "use a `diesel::r2d2::Pool<ConnectionManager<…>>`, or implement `auth_core::ConnectionSource`"
)]
pub trait ConnectionSource: Send + Sync + 'static {
    /// What is lent.
    type Connection: 'static;

    /// Calls `work` once with a connection. May block until one is free, for a bounded time.
    ///
    /// # Errors
    ///
    /// If there is no connection to be had; `work` was not called then.
    fn lend(&self, work: &mut dyn FnMut(&mut Self::Connection)) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl ConnectionSource for NoConnection {
    type Connection = Self;

    fn lend(&self, work: &mut dyn FnMut(&mut Self)) -> Result<(), Box<dyn Error + Send + Sync>> {
        work(&mut Self);
        Ok(())
    }
}

/// Waits as long as the pool's `connection_timeout` says (r2d2's default: 30 s).
#[cfg(feature = "diesel")]
impl<C> ConnectionSource for diesel::r2d2::Pool<diesel::r2d2::ConnectionManager<C>>
where
    C: diesel::r2d2::R2D2Connection + 'static,
{
    type Connection = C;

    fn lend(&self, work: &mut dyn FnMut(&mut C)) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut connection = self.get()?;
        work(&mut connection);
        Ok(())
    }
}

/// A loaded context together with the proof that `P` was checked for this request's subject.
///
/// Only a guard makes one, and what is in it cannot be exchanged, so a function that takes an
/// `Authorized<Sensor, Update>` cannot be called without the check.
///
/// ```
/// # struct Sensor { name: String }
/// use auth_core::{Authorized, permission::Update};
///
/// fn rename(sensor: Authorized<Sensor, Update>, name: String) -> Sensor {
///     Sensor { name, ..sensor.into_inner() }
/// }
/// ```
#[derive(Debug)]
pub struct Authorized<T, P: PermissionMarker> {
    context: T,
    permission: PhantomData<fn() -> P>,
}

impl<T, P: PermissionMarker> Authorized<T, P> {
    pub(crate) fn new(context: T) -> Self {
        Self { context, permission: PhantomData }
    }

    /// The context; the proof ends here.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.context
    }
}

// No `DerefMut`: with `std::mem::replace` it would put another row under the same proof.
impl<T, P: PermissionMarker> Deref for Authorized<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.context
    }
}

/// What a handler's argument that receives a context may be: the context, or the proof that it was checked.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a context",
    note = "a context implements `LoadContext` (how it is found by its id) and `AuthModel` (who may do what with it)"
)]
pub trait ContextArgument: Sized {
    type Context: LoadContext + AuthModel;

    /// The permission that the argument proves.
    const PROVES: Option<Permission>;

    fn from_checked(context: Self::Context) -> Self;
}

impl<T: LoadContext + AuthModel> ContextArgument for T {
    type Context = T;

    const PROVES: Option<Permission> = None;

    fn from_checked(context: T) -> Self {
        context
    }
}

#[diagnostic::do_not_recommend]
impl<T: LoadContext + AuthModel, P: PermissionMarker> ContextArgument for Authorized<T, P> {
    type Context = T;

    const PROVES: Option<Permission> = Some(P::PERMISSION);

    fn from_checked(context: T) -> Self {
        Self::new(context)
    }
}

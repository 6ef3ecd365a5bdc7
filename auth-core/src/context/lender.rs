//! Who lends loaders their connections, and runs them where they may block.

use std::{error::Error, future::Future, ops::DerefMut, pin::Pin, sync::Arc};

use super::{ConnectionSource, LoadError};

/// Lends connections that are awaited, not blocked on: an asynchronous pool, or a store of the application's own.
///
/// With the feature `bb8` or `deadpool`, the pools of `diesel-async` implement it.
///
/// ```
/// use std::error::Error;
///
/// use auth_core::AsyncConnectionSource;
/// use tokio::sync::{Mutex, MutexGuard};
///
/// struct Planets(Vec<&'static str>);
///
/// /// One for all, in turn.
/// struct Shared(Mutex<Planets>);
///
/// impl AsyncConnectionSource for Shared {
///     type Connection = Planets;
///     type Lent<'a> = MutexGuard<'a, Planets>;
///
///     async fn acquire(&self) -> Result<MutexGuard<'_, Planets>, Box<dyn Error + Send + Sync>> {
///         Ok(self.0.lock().await)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` lends no connections",
    note = "use a pool of `diesel_async::pooled_connection`, with the feature `bb8` or `deadpool` of auth-core, or \
            implement `auth_core::AsyncConnectionSource`"
)]
pub trait AsyncConnectionSource: Send + Sync + 'static {
    /// What is lent.
    type Connection: 'static;

    /// What gives it back when it is dropped.
    type Lent<'a>: DerefMut<Target = Self::Connection>
    where
        Self: 'a;

    /// Waits for a connection, for a bounded time.
    ///
    /// # Errors
    ///
    /// If there is no connection to be had.
    fn acquire(&self) -> impl Future<Output = Result<Self::Lent<'_>, Box<dyn Error + Send + Sync>>>;
}

/// A connection that is given back when it is dropped.
pub(crate) type Lent<'a, C> = Box<dyn DerefMut<Target = C> + 'a>;

type Acquired<'a, C> = Pin<Box<dyn Future<Output = Result<Lent<'a, C>, Box<dyn Error + Send + Sync>>> + 'a>>;

/// [`AsyncConnectionSource`], object-safe.
pub(crate) trait DynAsyncSource<C>: Send + Sync {
    fn acquire_lent(&self) -> Acquired<'_, C>;
}

impl<C: 'static, S: AsyncConnectionSource<Connection = C>> DynAsyncSource<C> for S {
    fn acquire_lent(&self) -> Acquired<'_, C> {
        Box::pin(async move {
            let lent: Lent<'_, C> = Box::new(self.acquire().await?);
            Ok(lent)
        })
    }
}

#[cfg(feature = "bb8")]
impl<C> AsyncConnectionSource for diesel_async::pooled_connection::bb8::Pool<C>
where
    C: diesel_async::pooled_connection::PoolableConnection + 'static,
    diesel_async::pooled_connection::AsyncDieselConnectionManager<C>:
        bb8::ManageConnection<Connection = C, Error = diesel_async::pooled_connection::PoolError>,
{
    type Connection = C;
    type Lent<'a> = diesel_async::pooled_connection::bb8::PooledConnection<'a, C>;

    async fn acquire(&self) -> Result<Self::Lent<'_>, Box<dyn Error + Send + Sync>> {
        Ok(self.get().await?)
    }
}

#[cfg(feature = "deadpool")]
impl<C> AsyncConnectionSource for diesel_async::pooled_connection::deadpool::Pool<C>
where
    C: diesel_async::pooled_connection::PoolableConnection + 'static,
    diesel_async::pooled_connection::AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    type Connection = C;
    type Lent<'a> = diesel_async::pooled_connection::deadpool::Object<C>;

    async fn acquire(&self) -> Result<Self::Lent<'_>, Box<dyn Error + Send + Sync>> {
        Ok(self.get().await?)
    }
}

/// Who lends connections to loaders, and runs those that block on a thread for such work.
#[doc(hidden)]
pub trait Lender {
    type Error: From<LoadError>;

    fn blocking<C: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
    ) -> impl Future<Output = Result<R, Self::Error>>;

    fn acquire<C: 'static>(
        &self,
    ) -> impl Future<Output = Result<Box<dyn DerefMut<Target = C> + '_>, Self::Error>>;

    /// Who lends connections of this type, if somebody does.
    fn source<C: 'static>(&self) -> Option<Arc<dyn ConnectionSource<Connection = C>>>;

    /// Whether somebody wants to know how long it takes to load.
    fn is_timed(&self) -> bool;
}

//! Where loaders borrow their connections, and run if they block.

use std::{
    error::Error,
    future::Future,
    ops::{Deref, DerefMut},
    pin::Pin,
};

use super::LoadError;

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
    /// The connection that is lent.
    type Connection: 'static;

    /// A loan, which gives the connection back when it is dropped.
    type Lent<'a>: DerefMut<Target = Self::Connection>
    where
        Self: 'a;

    /// Waits for a connection, for a bounded time.
    ///
    /// # Errors
    ///
    /// If there is no connection to be had.
    fn acquire(&self) -> impl Future<Output = Result<Self::Lent<'_>, Box<dyn Error + Send + Sync>>>;

    /// Is called before a connection is given back whose load did not end, because the time is up or the client has gone.
    /// Half an answer may be left in the connection, and the next request would read it. The pools of `diesel-async` close
    /// the connection. Left out, it does nothing.
    fn abandon(connection: &mut Self::Connection) {
        let _ = connection;
    }
}

/// A connection that is given back when it is dropped.
#[doc(hidden)]
pub struct Lent<'a, C: 'static> {
    connection: Box<dyn DerefMut<Target = C> + 'a>,
    abandon: fn(&mut C),
    is_done: bool,
}

impl<C> Lent<'_, C> {
    /// All that was begun with it has ended, well or not.
    pub(crate) fn done(mut self) {
        self.is_done = true;
    }
}

impl<C> Deref for Lent<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for Lent<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}

impl<C> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        if !self.is_done {
            (self.abandon)(&mut self.connection);
        }
    }
}

type Acquired<'a, C> = Pin<Box<dyn Future<Output = Result<Lent<'a, C>, Box<dyn Error + Send + Sync>>> + 'a>>;

/// [`AsyncConnectionSource`], object-safe.
pub(crate) trait DynAsyncSource<C>: Send + Sync {
    fn acquire_lent(&self) -> Acquired<'_, C>;
}

impl<C: 'static, S: AsyncConnectionSource<Connection = C>> DynAsyncSource<C> for S {
    fn acquire_lent(&self) -> Acquired<'_, C> {
        Box::pin(async move {
            Ok(Lent { connection: Box::new(self.acquire().await?), abandon: S::abandon, is_done: false })
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

    fn abandon(connection: &mut C) {
        close(connection);
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

    fn abandon(connection: &mut C) {
        close(connection);
    }
}

/// Has the pool close this connection instead of lending it again, as one whose transaction cannot be ended.
#[cfg(any(feature = "bb8", feature = "deadpool"))]
fn close<C: diesel_async::pooled_connection::PoolableConnection>(connection: &mut C) {
    use diesel_async::TransactionManager as _;

    C::TransactionManager::transaction_manager_status_mut(connection).set_in_error();
}

/// Lends connections to loaders, and runs those that block on a thread for such work.
#[doc(hidden)]
pub trait Lender {
    type Error: From<LoadError>;

    fn blocking<C: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
    ) -> impl Future<Output = Result<R, Self::Error>>;

    fn acquire<C: 'static>(&self) -> impl Future<Output = Result<Lent<'_, C>, Self::Error>>;
}

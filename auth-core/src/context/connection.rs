//! Where loaders get their connections from.

use std::error::Error;

use super::LoadError;

/// The connection of a context that needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoConnection;

/// Lends connections: an r2d2 pool of diesel connections, or a store of the application's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lends no connections",
    note = "use a `diesel::r2d2::Pool<ConnectionManager<…>>`, or implement `auth_core::ConnectionSource`"
)]
pub trait ConnectionSource: Send + Sync + 'static {
    /// The connection that is lent.
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
impl<M: diesel::r2d2::ManageConnection> ConnectionSource for diesel::r2d2::Pool<M> {
    type Connection = M::Connection;

    fn lend(&self, work: &mut dyn FnMut(&mut M::Connection)) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut connection = self.get()?;
        work(&mut connection);
        Ok(())
    }
}

/// Borrows a connection and works with it, on this thread.
pub(crate) fn with_connection<C: 'static, R>(
    source: &dyn ConnectionSource<Connection = C>,
    work: impl FnOnce(&mut C) -> Result<R, LoadError>,
) -> Result<R, LoadError> {
    let mut work = Some(work);
    let mut result = None;
    source
        .lend(&mut |connection| {
            if let Some(work) = work.take() {
                result = Some(work(connection));
            }
        })
        .map_err(LoadError::Unavailable)?;
    result.unwrap_or_else(|| Err(LoadError::unavailable("the connection source did not lend a connection")))
}

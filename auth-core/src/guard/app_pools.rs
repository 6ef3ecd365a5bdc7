//! The pools that an application has registered, as loaders of contexts use them.

use crate::{
    context::{Lender, Lent, LoadError, blocking},
    http::auth::Auth,
};

/// Lends the connections that the application has registered.
pub(super) struct AppPools<'a>(pub(super) &'a Auth);

/// Why a guard has no contexts to check.
pub(super) enum NotLoaded {
    Failed(LoadError),
    /// No pool has such connections.
    Misconfigured,
}

impl From<LoadError> for NotLoaded {
    fn from(error: LoadError) -> Self {
        Self::Failed(error)
    }
}

impl Lender for AppPools<'_> {
    type Error = NotLoaded;

    async fn blocking<C: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
    ) -> Result<R, NotLoaded> {
        let pool = self.0.pool::<C>().map_err(|_| NotLoaded::Misconfigured)?;
        Ok(blocking::run(pool, work).await?)
    }

    async fn acquire<C: 'static>(&self) -> Result<Lent<'_, C>, NotLoaded> {
        let pool = self.0.async_pool::<C>().map_err(|_| NotLoaded::Misconfigured)?;
        pool.acquire_lent().await.map_err(|error| LoadError::Unavailable(error).into())
    }
}

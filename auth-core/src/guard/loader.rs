//! Functions of the application that load contexts: plain or asynchronous, with a connection or without.

use std::{future::Future, pin::pin};

use tokio::{runtime::Handle, time::timeout};

use super::Caller;
use crate::{
    context::{LoadError, blocking},
    error::AuthError,
    http::auth::TIME_LIMIT,
};

/// The return type of a loader: a result, or a future of one. `Kind` distinguishes the two.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `ctx_loader` returns a `Result<_, auth_core::LoadError>`, or a future of one; this returns `{Self}`",
    note = "what it makes is one context, a `Vec` of them, or a `BTreeMap` of labelled groups: \
            `fn load(…) -> Result<Vec<Sensor>, LoadError>`"
)]
pub trait Loading<Kind> {
    type Loaded;

    fn finish(self) -> impl Future<Output = Result<Self::Loaded, LoadError>>;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Plain;

#[doc(hidden)]
#[derive(Debug)]
pub struct Asynchronous;

impl<L, E> Loading<Plain> for Result<L, E>
where
    LoadError: From<E>,
{
    type Loaded = L;

    async fn finish(self) -> Result<L, LoadError> {
        self.map_err(Into::into)
    }
}

impl<F, L, E> Loading<Asynchronous> for F
where
    F: Future<Output = Result<L, E>>,
    LoadError: From<E>,
{
    type Loaded = L;

    async fn finish(self) -> Result<L, LoadError> {
        self.await.map_err(Into::into)
    }
}

/// Waits for a loader, for a limited time.
#[doc(hidden)]
pub async fn finish<Kind, L: Loading<Kind>>(loading: L) -> Result<L::Loaded, LoadError> {
    let finished = timeout(TIME_LIMIT, loading.finish()).await;
    finished.unwrap_or_else(|_| Err(LoadError::unavailable("a `ctx_loader` took more than 30 s")))
}

/// Waits for a loader with a connection, on the thread for blocking work that it runs on. The loader holds that thread, so
/// without a limit it could wait for ever for another one while such loaders have taken all.
#[doc(hidden)]
pub fn finish_blocking<Kind, L: Loading<Kind>>(loading: L) -> Result<L::Loaded, LoadError> {
    Handle::current().block_on(finish(loading))
}

impl Caller<'_> {
    /// Calls a loader with a connection, on a thread for blocking work.
    pub async fn lend<C: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> R + Send + 'static,
    ) -> Result<R, AuthError> {
        let check = self.begin("permission_required_for_context");
        let pool = self.auth.pool::<C>().map_err(|_| check.misconfigured())?;
        let loading = blocking::run(pool, |connection| Ok(work(connection)));
        self.auth.in_time(pin!(loading)).await.map_err(|error| {
            check.failed(&error);
            AuthError::Unavailable
        })
    }
}

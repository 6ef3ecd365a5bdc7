//! Work that may block, on a thread for such work and never on the event loop.

use std::sync::Arc;

use actix_web::web;

use crate::context::{ConnectionSource, LoadError};

/// Borrows a connection and works with it.
pub(crate) async fn run<C, R, W>(
    source: &Arc<dyn ConnectionSource<Connection = C>>,
    work: W,
) -> Result<R, LoadError>
where
    C: 'static,
    R: Send + 'static,
    W: FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
{
    let source = Arc::clone(source);
    on_thread(move || with_connection(&*source, work)).await
}

/// Works, with or without a connection. A panic in the work is an outage, not an answer.
pub(crate) async fn on_thread<R, E>(work: impl FnOnce() -> Result<R, E> + Send + 'static) -> Result<R, E>
where
    R: Send + 'static,
    E: From<LoadError> + Send + 'static,
{
    web::block(work).await.unwrap_or_else(|_| Err(LoadError::unavailable("the work panicked").into()))
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

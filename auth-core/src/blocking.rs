//! Work that may block, on a thread for such work and never on the event loop.

use std::sync::Arc;

use actix_web::web;

use crate::context::{ConnectionSource, LoadError};

/// Borrows a connection and works with it. A panic in the work is an outage, not an answer.
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
    web::block(move || {
        let mut work = Some(work);
        let mut result = None;
        source
            .lend(&mut |connection| {
                if let Some(work) = work.take() {
                    result = Some(work(connection));
                }
            })
            .map_err(LoadError::Unavailable)?;
        result
            .unwrap_or_else(|| Err(LoadError::unavailable("the connection source did not lend a connection")))
    })
    .await
    .unwrap_or_else(|_| Err(LoadError::unavailable("the work panicked")))
}

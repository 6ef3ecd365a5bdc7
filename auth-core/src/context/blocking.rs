//! Work that may block, on a thread for such work and never on the event loop.

use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::context::{ConnectionSource, LoadError, with_connection};

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
///
/// Work that waits for a thread is not begun any more when nobody waits for it. Otherwise an outage would last for as long as
/// there is work in the queue.
pub(crate) async fn on_thread<R, E>(work: impl FnOnce() -> Result<R, E> + Send + 'static) -> Result<R, E>
where
    R: Send + 'static,
    E: From<LoadError> + Send + 'static,
{
    let mut work = Awaited(spawn_blocking(work));
    (&mut work.0).await.unwrap_or_else(|_| Err(LoadError::unavailable("the work panicked").into()))
}

/// Work on a thread. It ends with this, if it has not begun.
struct Awaited<T>(JoinHandle<T>);

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicBool, Ordering},
            mpsc::channel,
        },
        time::Duration,
    };

    use tokio::{runtime::Builder, time::timeout};

    use super::*;

    #[test]
    fn work_that_nobody_waits_for_is_not_begun() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_time().build().unwrap();
        let begun = Arc::new(AtomicBool::new(false));
        runtime.block_on(async {
            let (free, taken) = channel::<()>();
            // Takes the only thread, until it is told to end.
            let first = spawn_blocking(move || taken.recv().is_err());
            let sets = Arc::clone(&begun);
            let second = on_thread(move || {
                sets.store(true, Ordering::Relaxed);
                Ok::<_, LoadError>(())
            });
            assert!(timeout(Duration::from_millis(20), second).await.is_err());
            drop(free);
            assert!(first.await.unwrap());
            // It is the turn of what came after the second.
            assert!(matches!(on_thread(|| Ok::<_, LoadError>(7)).await, Ok(7)));
        });
        assert!(!begun.load(Ordering::Relaxed));
    }
}

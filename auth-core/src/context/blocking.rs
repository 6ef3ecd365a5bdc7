//! Work that may block, on a thread for such work and never on the event loop.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::{JoinHandle, spawn_blocking};

use super::{AccessQuery, ConnectionSource, LoadContext, LoadError, Loaded, with_connection};

/// Borrows a connection and works with it.
pub(crate) async fn run<C, R, W>(
    pool: &Arc<dyn ConnectionSource<Connection = C>>,
    work: W,
) -> Result<R, LoadError>
where
    C: 'static,
    R: Send + 'static,
    W: FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
{
    let pool = Arc::clone(pool);
    on_thread(move || with_connection(&*pool, work)).await
}

/// Works, with or without a connection. A panic in the work is an outage, not an answer.
///
/// Work that waits for a thread does not begin any more after its request has ended. Otherwise an outage would last for as
/// long as there is work in the queue.
pub(crate) async fn on_thread<R, E>(work: impl FnOnce() -> Result<R, E> + Send + 'static) -> Result<R, E>
where
    R: Send + 'static,
    E: From<LoadError> + Send + 'static,
{
    let mut work = Awaited(spawn_blocking(work));
    (&mut work.0).await.unwrap_or_else(|_| Err(panicked().into()))
}

/// Work on a thread. It ends with this, if it has not begun.
struct Awaited<T>(JoinHandle<T>);

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The load of a context for a thread that blocks anyway. It goes to the thread, and comes back with what it has loaded.
///
/// To hand work to a thread and back takes longer than to find a row by its key, so a guard whose mechanism and whose
/// context both block does it once.
#[doc(hidden)]
pub trait OnThread<T>: Send {
    /// Loads the context, if there is an id. May block. `is_timed` says whether an event will have id and times.
    fn load(&mut self, query: AccessQuery, is_timed: bool);

    /// The outcome, if there was an id and the load began.
    fn loaded(&mut self) -> Option<LoadedOnThread<T>>;
}

/// No context is loaded on that thread.
pub(crate) enum NotOnThread {}

impl<T> OnThread<T> for NotOnThread {
    fn load(&mut self, _: AccessQuery, _: bool) {
        match *self {}
    }

    fn loaded(&mut self) -> Option<LoadedOnThread<T>> {
        match *self {}
    }
}

/// A context that was loaded on a thread, or why it was not.
#[doc(hidden)]
pub struct LoadedOnThread<T> {
    pub(crate) loaded: Result<Loaded<T>, LoadError>,
    pub(crate) query: AccessQuery,
    /// The id as events have it; empty if nothing is timed.
    pub(crate) id: String,
    pub(crate) took: Option<Duration>,
}

/// Loads the context with this id, which is made on the thread.
pub(super) fn load_on_thread<T: LoadContext>(
    pool: Arc<dyn ConnectionSource<Connection = T::Connection>>,
    id: impl Fn() -> Option<T::Id> + Send + 'static,
) -> impl OnThread<T> + 'static {
    LoadById { pool, id, loaded: None }
}

struct LoadById<T: LoadContext, F> {
    pool: Arc<dyn ConnectionSource<Connection = T::Connection>>,
    id: F,
    loaded: Option<LoadedOnThread<T>>,
}

impl<T: LoadContext, F: Fn() -> Option<T::Id> + Send> OnThread<T> for LoadById<T, F> {
    fn load(&mut self, query: AccessQuery, is_timed: bool) {
        let Some(id) = (self.id)() else { return };
        let started = is_timed.then(Instant::now);
        let shown = if is_timed { format!("{id:?}") } else { String::new() };
        let load = |connection: &mut T::Connection| T::load_with_access(id, &query, connection);
        let loaded = catch_unwind(AssertUnwindSafe(|| with_connection(&*self.pool, load)));
        self.loaded = Some(LoadedOnThread {
            loaded: loaded.unwrap_or_else(|_| Err(panicked())),
            query,
            id: shown,
            took: started.map(|started| started.elapsed()),
        });
    }

    fn loaded(&mut self) -> Option<LoadedOnThread<T>> {
        self.loaded.take()
    }
}

fn panicked() -> LoadError {
    LoadError::unavailable("the work panicked")
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
    fn work_of_a_request_that_has_ended_does_not_begin() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_time().build().unwrap();
        let begun = Arc::new(AtomicBool::new(false));
        runtime.block_on(async {
            let (free, taken) = channel::<()>();
            // Takes the only thread, until the channel closes.
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

//! An observer that hands decisions over in batches, on a thread of its own.

mod hand_over;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt, io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use thiserror::Error;

pub use self::hand_over::HandOver;
use super::{Event, Observer, check::Causes};

/// An observer that gathers decisions in memory and hands them to a function of the application in batches, on a thread of
/// its own: no request waits for a store. Clones share the thread.
///
/// The application says what it keeps of an event, and how it stores a batch. A batch that is not stored is handed over
/// again after the next interval, before what was gathered meanwhile. What waits and what is gathered have one
/// [bound](BatchedBuilder::at_most) together; the store is told how many decisions it is missing beyond it, and so is the
/// log.
///
/// The thread ends when the last clone is dropped, [`Auth`](crate::Auth)'s among them, after it has handed over what is
/// left. A process that ends does not wait for that: call [`flush`](Self::flush) before.
///
/// ```
/// use std::{fs::File, io::Write, time::Duration};
///
/// use auth_core::{Auth, event::Batched};
/// # use auth_core::mechanism::{Authenticated, Mechanism, Rejection};
/// # struct FromProxy;
/// # impl Mechanism for FromProxy {
/// #     fn name(&self) -> &'static str { "proxy" }
/// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
/// # }
///
/// # fn auth(mut file: File) -> Result<(), Box<dyn std::error::Error>> {
/// let denials = Batched::builder().interval(Duration::from_secs(10)).start(
///     |event| if event.decision.is_allowed() { None } else { serde_json::to_string(event).ok() },
///     move |lines: &[String], missed| {
///         if missed > 0 {
///             writeln!(file, "{missed} denials are missing here")?;
///         }
///         lines.iter().try_for_each(|line| writeln!(file, "{line}"))
///     },
/// )?;
/// let auth = Auth::builder().mechanism(FromProxy).observer(denials.clone()).build()?;
/// // … serve requests, and at the end:
/// denials.flush(Duration::from_secs(10))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Batched {
    add: Arc<dyn Fn(&Event<'_>) + Send + Sync>,
    /// Where the thread answers whether everything is stored. The thread ends when the last sender is gone.
    flushes: Sender<Sender<bool>>,
}

impl Batched {
    /// Starts with an interval of a minute, and a bound of 10,000.
    pub fn builder() -> BatchedBuilder {
        BatchedBuilder { interval: Duration::from_secs(60), at_most: 10_000 }
    }

    /// Waits until everything that was gathered so far is stored, for at most this time. Blocks.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not end in time. What is not stored waits for the next interval.
    pub fn flush(&self, limit: Duration) -> Result<(), FlushError> {
        let (done, stored) = channel();
        let is_asked = self.flushes.send(done).is_ok();
        if is_asked && stored.recv_timeout(limit).unwrap_or(false) { Ok(()) } else { Err(FlushError) }
    }
}

impl Observer for Batched {
    fn decided(&self, event: &Event<'_>) {
        (self.add)(event);
    }
}

impl fmt::Debug for Batched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batched").finish_non_exhaustive()
    }
}

/// Not all decisions are stored yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not all decisions are stored yet")]
#[non_exhaustive]
pub struct FlushError;

/// Says how often a [`Batched`] hands decisions over, and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "call `start`"]
pub struct BatchedBuilder {
    interval: Duration,
    at_most: usize,
}

/// A minimum, so that the thread does not spin.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

impl BatchedBuilder {
    /// For how long decisions are gathered before they are handed over; at least 10 ms.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How many decisions wait in memory at most, those of a batch that was not stored among them. Those beyond are counted
    /// and not kept.
    pub fn at_most(mut self, number: usize) -> Self {
        self.at_most = number;
        self
    }

    /// Starts the thread. `keep` says what is kept of an event; it runs where the request is served and must not block.
    /// `store` gets what was kept, in the order of the decisions, and the number of those that were beyond the bound since
    /// the last batch that it stored. It is not called where both are nothing. An error or a panic of it is logged.
    ///
    /// # Errors
    ///
    /// If the operating system starts no thread.
    pub fn start<T, E>(
        self,
        keep: impl Fn(&Event<'_>) -> Option<T> + Send + Sync + 'static,
        mut store: impl FnMut(&[T], u64) -> Result<(), E> + Send + 'static,
    ) -> io::Result<Batched>
    where
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let (queue, at_most) = (Arc::new(Mutex::new(Queue::new())), self.at_most);
        let queued = Arc::clone(&queue);
        let add = move |event: &Event<'_>| {
            if let Some(item) = keep(event) {
                locked(&queued).push(item, at_most);
            }
        };
        let (mut waiting, mut missed) = (Vec::new(), 0_u64);
        self.spawn(add, move |_| {
            let more = locked(&queue).hand_over(&mut waiting);
            if more > 0 {
                tracing::warn!(target: "auth", missed = more, "more decisions than may wait for their store");
            }
            missed = missed.saturating_add(more);
            if waiting.is_empty() && missed == 0 {
                return Ok(());
            }
            store(&waiting, missed).map_err(Into::into)?;
            (waiting, missed) = (Vec::new(), 0);
            locked(&queue).waiting = 0;
            Ok(())
        })
    }

    /// Starts the thread, for an application that gathers decisions in a form of its own, such as a count of equal ones.
    /// `add` adds an event to it; it runs where the request is served, one at a time, and must not block. It sees to the
    /// bound: [`at_most`](Self::at_most) has no meaning here.
    ///
    /// `store` [takes](HandOver::take) what was gathered, and keeps what it fails to store: an error of it is logged, and it
    /// is called again after the next interval. It is called after each interval, also if nothing was gathered.
    ///
    /// ```
    /// use std::{collections::BTreeMap, convert::Infallible};
    ///
    /// use auth_core::event::Batched;
    ///
    /// let denials = Batched::builder().start_gathering(
    ///     |counts: &mut BTreeMap<&'static str, u64>, event| {
    ///         if !event.decision.is_allowed() {
    ///             *counts.entry(event.guard).or_default() += 1;
    ///         }
    ///     },
    ///     |gathered| {
    ///         for (guard, times) in gathered.take() {
    ///             println!("{guard} denied {times} times");
    ///         }
    ///         Ok::<_, Infallible>(())
    ///     },
    /// )?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the operating system starts no thread.
    pub fn start_gathering<G, E>(
        self,
        add: impl Fn(&mut G, &Event<'_>) + Send + Sync + 'static,
        mut store: impl FnMut(HandOver<'_, G>) -> Result<(), E> + Send + 'static,
    ) -> io::Result<Batched>
    where
        G: Default + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let gathered = Arc::new(Mutex::new(G::default()));
        let observed = Arc::clone(&gathered);
        let add = move |event: &Event<'_>| add(&mut locked(&observed), event);
        self.spawn(add, move |is_all| store(HandOver::new(&gathered, is_all)).map_err(Into::into))
    }

    fn spawn(
        self,
        add: impl Fn(&Event<'_>) + Send + Sync + 'static,
        mut store: impl FnMut(bool) -> Result<(), Box<dyn Error + Send + Sync>> + Send + 'static,
    ) -> io::Result<Batched> {
        let (flushes, asked) = channel();
        let interval = self.interval.max(SHORTEST_INTERVAL);
        let store = move |is_all| {
            // After a panic the thread goes on, or nothing would be stored any more.
            let stored = catch_unwind(AssertUnwindSafe(|| store(is_all)));
            match stored.unwrap_or_else(|_| Err("the store of decisions panicked".into())) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(target: "auth", error = %Causes(&*error), "decisions are not stored yet");
                    false
                }
            }
        };
        thread::Builder::new().name("decisions".to_owned()).spawn(move || run(interval, &asked, store))?;
        Ok(Batched { add: Arc::new(add), flushes })
    }
}

/// Stores after each interval, and everything where a flush or the end of the last clone wants it.
fn run(interval: Duration, flushes: &Receiver<Sender<bool>>, mut store: impl FnMut(bool) -> bool) {
    loop {
        match flushes.recv_timeout(interval) {
            Ok(done) => {
                // The receiver waits for a limited time.
                let _ = done.send(store(true));
            }
            Err(RecvTimeoutError::Timeout) => {
                store(false);
            }
            Err(RecvTimeoutError::Disconnected) => {
                if !store(true) {
                    tracing::error!(target: "auth", "decisions are lost: nothing stores them any more");
                }
                return;
            }
        }
    }
}

/// The decisions since the last batch, and the size of one that is not stored yet.
struct Queue<T> {
    kept: Vec<T>,
    missed: u64,
    waiting: usize,
}

impl<T> Queue<T> {
    fn new() -> Self {
        Self { kept: Vec::new(), missed: 0, waiting: 0 }
    }

    fn push(&mut self, item: T, at_most: usize) {
        if self.kept.len().saturating_add(self.waiting) < at_most {
            self.kept.push(item);
        } else {
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// Puts what was gathered behind what waits. Returns how many were not kept.
    fn hand_over(&mut self, waiting: &mut Vec<T>) -> u64 {
        waiting.append(&mut self.kept);
        self.waiting = waiting.len();
        mem::take(&mut self.missed)
    }
}

/// Every lock is short: nothing is stored meanwhile.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A context that is loaded where its subject was found: on the same thread, right behind.
//!
//! To hand work to a thread and back takes longer than to find a row by its key, so a guard whose mechanism and whose
//! context both block does it once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use super::{AccessQuery, ConnectionSource, LoadContext, LoadError, Loaded, connection::with_connection};
use crate::vocabulary::Subject;

/// What follows on the thread on which a mechanism has found the subject, as long as somebody waits for it.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct Next(Option<Weak<dyn Follow>>);

impl Next {
    /// For a mechanism, once it would let the subject in. May block.
    pub(crate) fn follow(self, subject: &Arc<dyn Subject>) {
        if let Some(next) = self.upgrade() {
            // Whoever is found is found, whatever becomes of this.
            let _ = catch_unwind(AssertUnwindSafe(|| next.follow(subject)));
        }
    }

    /// Whom the mechanism has found, if more was begun for this subject.
    pub(crate) fn subject(&self) -> Option<Arc<dyn Subject>> {
        self.upgrade()?.subject()
    }

    /// How much of the time was not the mechanism's, if somebody wants to know.
    pub(crate) fn took(&self) -> Duration {
        self.upgrade().and_then(|next| next.took()).unwrap_or_default()
    }

    fn upgrade(&self) -> Option<Arc<dyn Follow>> {
        self.0.as_ref().and_then(Weak::upgrade)
    }
}

pub(super) trait Follow: Send + Sync {
    fn follow(&self, subject: &Arc<dyn Subject>);

    fn subject(&self) -> Option<Arc<dyn Subject>>;

    fn took(&self) -> Option<Duration>;
}

/// A context that may have been loaded.
#[doc(hidden)]
pub trait Ahead<T> {
    /// What loads it, unless nobody has this any more.
    fn next(self: Arc<Self>) -> Next;

    /// What was loaded for this very subject; nothing if nobody has tried.
    fn take(&self, subject: &Arc<dyn Subject>) -> Option<LoadedAhead<T>>;
}

/// What was loaded on the thread that found the subject.
#[doc(hidden)]
pub struct LoadedAhead<T> {
    pub(crate) loaded: Result<Loaded<T>, LoadError>,
    /// What was asked about it.
    pub(crate) question: AccessQuery,
    /// How long that took, if somebody wants to know.
    pub(crate) took: Option<Duration>,
    /// The id, if somebody wants to know.
    pub(crate) id: String,
}

/// Loads the context of this id, once `ask` has seen the subject and lets it.
pub(super) struct LoadAhead<T: LoadContext, F> {
    source: Arc<dyn ConnectionSource<Connection = T::Connection>>,
    text: String,
    ask: F,
    is_timed: bool,
    begun: Mutex<Option<Begun<T>>>,
}

/// A load for this subject, and what came of it so far.
struct Begun<T> {
    subject: Arc<dyn Subject>,
    loaded: Option<LoadedAhead<T>>,
}

impl<T, F> LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, AccessQuery)> + Send + Sync + 'static,
{
    pub(super) fn new(
        source: Arc<dyn ConnectionSource<Connection = T::Connection>>,
        text: String,
        ask: F,
        is_timed: bool,
    ) -> Self {
        Self { source, text, ask, is_timed, begun: Mutex::new(None) }
    }
}

impl<T: LoadContext, F> LoadAhead<T, F> {
    fn begun(&self) -> MutexGuard<'_, Option<Begun<T>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, F> Follow for LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, AccessQuery)> + Send + Sync + 'static,
{
    fn follow(&self, subject: &Arc<dyn Subject>) {
        let Some((id, question)) = (self.ask)(&self.text, subject) else { return };
        *self.begun() = Some(Begun { subject: Arc::clone(subject), loaded: None });
        let since = self.is_timed.then(Instant::now);
        let shown = if self.is_timed { format!("{id:?}") } else { String::new() };
        let load = |connection: &mut T::Connection| T::load_with_access(id, &question, connection);
        let loaded = catch_unwind(AssertUnwindSafe(|| with_connection(&*self.source, load)))
            .unwrap_or_else(|_| Err(LoadError::unavailable("the work panicked")));
        let took = since.map(|since| since.elapsed());
        if let Some(begun) = &mut *self.begun() {
            begun.loaded = Some(LoadedAhead { loaded, question, took, id: shown });
        }
    }

    fn subject(&self) -> Option<Arc<dyn Subject>> {
        self.begun().as_ref().map(|begun| Arc::clone(&begun.subject))
    }

    fn took(&self) -> Option<Duration> {
        self.begun().as_ref()?.loaded.as_ref()?.took
    }
}

impl<T, F> Ahead<T> for LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, AccessQuery)> + Send + Sync + 'static,
{
    fn next(self: Arc<Self>) -> Next {
        let next: Arc<dyn Follow> = self;
        Next(Some(Arc::downgrade(&next)))
    }

    fn take(&self, subject: &Arc<dyn Subject>) -> Option<LoadedAhead<T>> {
        // What the database said holds for whom it was asked about.
        self.begun().as_mut().filter(|begun| Arc::ptr_eq(&begun.subject, subject))?.loaded.take()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{context::NoConnection, vocabulary::User};

    struct Planet(u8);

    impl LoadContext for Planet {
        type Id = u8;
        type Connection = NoConnection;

        fn load(id: u8, _: &mut NoConnection) -> Result<Self, LoadError> {
            Ok(Self(id))
        }
    }

    type Ask = fn(&str, &Arc<dyn Subject>) -> Option<(u8, AccessQuery)>;

    fn ahead() -> Arc<LoadAhead<Planet, Ask>> {
        let ask: Ask = |text, subject| {
            Some((
                text.parse().ok()?,
                AccessQuery { subject: Arc::clone(subject), permissions: Cow::default() },
            ))
        };
        Arc::new(LoadAhead::new(Arc::new(NoConnection), "3".to_owned(), ask, true))
    }

    fn subject(id: &str) -> Arc<dyn Subject> {
        Arc::new(User::new(id))
    }

    fn loaded(ahead: &dyn Ahead<Planet>, subject: &Arc<dyn Subject>) -> Option<u8> {
        ahead.take(subject).map(|LoadedAhead { loaded, .. }| loaded.unwrap().0.0)
    }

    #[test]
    fn what_was_loaded_for_one_subject_is_not_for_another() {
        let (mia, same) = (subject("mia"), subject("mia"));
        let one = ahead();
        assert_eq!(loaded(&*one, &mia), None, "nobody has tried");
        let next = Arc::clone(&one).next();
        next.clone().follow(&mia);
        assert!(Arc::ptr_eq(&next.subject().unwrap(), &mia));
        assert!(!next.took().is_zero());
        assert_eq!(loaded(&*one, &mia), Some(3));
        assert_eq!(loaded(&*one, &mia), None, "it is taken once");

        let other = ahead();
        Arc::clone(&other).next().follow(&mia);
        assert_eq!(loaded(&*other, &same), None);
    }

    #[test]
    fn nothing_is_loaded_for_whom_nobody_waits() {
        let asked = Arc::new(());
        let seen = Arc::clone(&asked);
        let ask = move |_: &str, _: &Arc<dyn Subject>| {
            let _ = &seen;
            panic!("somebody was asked")
        };
        let ahead = Arc::new(LoadAhead::<Planet, _>::new(Arc::new(NoConnection), "3".to_owned(), ask, true));
        let next = Arc::clone(&ahead).next();
        drop(ahead);
        assert_eq!(Arc::strong_count(&asked), 1, "it is gone");
        next.follow(&subject("mia"));
    }
}

//! A context that is loaded where its subject was found: on the same thread, right behind.
//!
//! To hand work to a thread and back takes longer than to find a row by its key, so a guard whose mechanism and whose
//! context both block does it once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Asked, ConnectionSource, LoadContext, LoadError, Question, connection::with_connection};
use crate::subject::Subject;

/// What follows on the thread on which a mechanism has found the subject.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct Next(Option<Arc<dyn Follow>>);

impl Next {
    pub(super) fn new(follow: Arc<dyn Follow>) -> Self {
        Self(Some(follow))
    }

    /// For a mechanism, once it would let the subject in. May block.
    pub(crate) fn follow(self, subject: &Arc<dyn Subject>) {
        if let Some(next) = self.0 {
            // Whoever is found is found, whatever becomes of this; what was not loaded here is loaded later.
            let _ = catch_unwind(AssertUnwindSafe(|| next.follow(subject)));
        }
    }
}

pub(super) trait Follow: Send + Sync {
    fn follow(&self, subject: &Arc<dyn Subject>);
}

/// A context that may have been loaded.
#[doc(hidden)]
pub trait Ahead<T> {
    /// What loads it.
    fn next(self: Arc<Self>) -> Next;

    /// Its id, as the request has it.
    fn text(&self) -> &str;

    /// What was loaded for this very subject; nothing if nobody has tried.
    fn take(&self, subject: &Arc<dyn Subject>) -> Option<LoadedAhead<T>>;
}

/// What was loaded on the thread that found the subject.
#[doc(hidden)]
pub struct LoadedAhead<T> {
    subject: Arc<dyn Subject>,
    pub(crate) loaded: Result<Asked<T>, LoadError>,
    /// How long that took, if somebody wants to know.
    pub(crate) took: Option<Duration>,
}

/// Loads the context of this id, once `ask` has seen the subject and lets it.
pub(super) struct LoadAhead<T: LoadContext, F> {
    source: Arc<dyn ConnectionSource<Connection = T::Connection>>,
    text: String,
    ask: F,
    is_timed: bool,
    loaded: Mutex<Option<LoadedAhead<T>>>,
}

impl<T, F> LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, Question)> + Send + Sync + 'static,
{
    pub(super) fn new(
        source: Arc<dyn ConnectionSource<Connection = T::Connection>>,
        text: String,
        ask: F,
        is_timed: bool,
    ) -> Self {
        Self { source, text, ask, is_timed, loaded: Mutex::new(None) }
    }
}

impl<T, F> Follow for LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, Question)> + Send + Sync + 'static,
{
    fn follow(&self, subject: &Arc<dyn Subject>) {
        let Some((id, question)) = (self.ask)(&self.text, subject) else { return };
        let begun = self.is_timed.then(Instant::now);
        let load = |connection: &mut T::Connection| T::load_asked(id, &question, connection);
        let loaded = with_connection(&*self.source, load);
        let took = begun.map(|begun| begun.elapsed());
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(LoadedAhead { subject: Arc::clone(subject), loaded, took });
    }
}

impl<T, F> Ahead<T> for LoadAhead<T, F>
where
    T: LoadContext,
    F: Fn(&str, &Arc<dyn Subject>) -> Option<(T::Id, Question)> + Send + Sync + 'static,
{
    fn next(self: Arc<Self>) -> Next {
        Next::new(self)
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn take(&self, subject: &Arc<dyn Subject>) -> Option<LoadedAhead<T>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).take();
        // What the database said holds for whom it was asked about.
        loaded.filter(|loaded| Arc::ptr_eq(&loaded.subject, subject))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{context::NoConnection, subject::User};

    struct Planet(u8);

    impl LoadContext for Planet {
        type Id = u8;
        type Connection = NoConnection;

        fn load(id: u8, _: &mut NoConnection) -> Result<Self, LoadError> {
            Ok(Self(id))
        }
    }

    #[test]
    fn what_was_loaded_for_one_subject_is_not_for_another() {
        let subject = |id: &str| -> Arc<dyn Subject> { Arc::new(User::new(id)) };
        let (mia, same) = (subject("mia"), subject("mia"));
        let ahead = || {
            let ask = |text: &str, subject: &Arc<dyn Subject>| {
                Some((
                    text.parse().ok()?,
                    Question { subject: Arc::clone(subject), permissions: Cow::default() },
                ))
            };
            Arc::new(LoadAhead::<Planet, _>::new(Arc::new(NoConnection), "3".to_owned(), ask, false))
        };
        let loaded = |ahead: &dyn Ahead<Planet>, subject| {
            ahead.take(subject).map(|LoadedAhead { loaded, .. }| loaded.unwrap().0.0)
        };

        let one = ahead();
        assert_eq!(loaded(&*one, &mia), None, "nobody has tried");
        Arc::clone(&one).next().follow(&mia);
        assert_eq!(loaded(&*one, &mia), Some(3));
        assert_eq!(loaded(&*one, &mia), None, "it is taken once");

        let other = ahead();
        Arc::clone(&other).next().follow(&mia);
        assert_eq!(loaded(&*other, &same), None);
    }
}

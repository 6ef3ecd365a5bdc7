//! The two steps of a mechanism that blocks: it reads the request, and then works on a thread.
//!
//! A guard sees the two steps apart, so that it can load a context on the thread on which the subject was found.

use super::{Authenticated, Rejection};
use crate::context::LoadError;
#[cfg(any(feature = "bearer", feature = "session"))]
use crate::context::blocking;

/// How far a mechanism comes with a request without waiting.
#[doc(hidden)]
pub enum Begun {
    /// The request has no credentials of this mechanism.
    NoCredentials,
    /// This work checks the credentials.
    Blocking(Work),
    /// The mechanism has done nothing yet: [`Mechanism::authenticate`](super::Mechanism::authenticate) does all of it.
    Asynchronous,
}

/// Finds the subject. It blocks, so it runs on a thread for such work.
#[doc(hidden)]
pub type Work = Box<dyn FnOnce() -> Result<Authenticated, Refused> + Send>;

impl From<Option<Work>> for Begun {
    fn from(work: Option<Work>) -> Self {
        work.map_or(Self::NoCredentials, Self::Blocking)
    }
}

/// Work that found no subject. The function writes its line of the log and returns the rejection, or `None` if the request
/// counts as one without credentials. It runs where the request is served, because the thread lacks the request's span.
#[doc(hidden)]
pub struct Refused(Box<dyn FnOnce() -> Option<Rejection> + Send>);

impl Refused {
    pub(super) fn new(reject: impl FnOnce() -> Option<Rejection> + Send + 'static) -> Self {
        Self(Box::new(reject))
    }

    /// The outcome of [`Mechanism::authenticate`](super::Mechanism::authenticate).
    pub(crate) fn answer(self) -> Result<Option<Authenticated>, Rejection> {
        (self.0)().map_or(Ok(None), Err)
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::new(|| Some(rejection))
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        Rejection::from(error).into()
    }
}

/// Both steps of a mechanism that blocks.
#[cfg(any(feature = "bearer", feature = "session"))]
pub(super) async fn run(work: Option<Work>) -> Result<Option<Authenticated>, Rejection> {
    let Some(work) = work else { return Ok(None) };
    blocking::on_thread(work).await.map_or_else(Refused::answer, |authenticated| Ok(Some(authenticated)))
}

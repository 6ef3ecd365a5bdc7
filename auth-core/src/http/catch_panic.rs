//! A panic in a guard or an extractor is a failure: 503.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::HttpRequest;
use pin_project_lite::pin_project;
use thiserror::Error;

use crate::{error::AuthError, http::auth::Auth};

/// Waits for an answer. If it panics, the request is answered 503 and a failure of `guard` is emitted.
///
/// A panic would drop the connection without an answer. It lets no caller in either way.
pub(crate) fn caught<'r, T, E, F>(guard: &'static str, request: &'r HttpRequest, answer: F) -> Caught<'r, F>
where
    E: From<AuthError>,
    F: Future<Output = Result<T, E>>,
{
    Caught { guard, request, answer }
}

pin_project! {
    /// A type of its own, for an `async fn` would hold the answer twice: as its argument, and where it is pinned.
    #[must_use = "nothing is checked until it is awaited"]
    pub(crate) struct Caught<'r, F> {
        guard: &'static str,
        request: &'r HttpRequest,
        #[pin]
        answer: F,
    }
}

impl<T, E: From<AuthError>, F: Future<Output = Result<T, E>>> Future for Caught<'_, F> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.project();
        let poll = || this.answer.poll(context);
        #[cfg(feature = "test")]
        let poll = || crate::http::log::shown(poll);
        let poll = AssertUnwindSafe(poll);
        catch_unwind(poll).unwrap_or_else(|_| {
            // The event calls code that may have panicked, such as the subject's id.
            if catch_unwind(AssertUnwindSafe(|| Auth::panicked(this.guard, this.request, &Panicked))).is_err() {
                tracing::error!(target: "auth", guard = *this.guard, "a guard panicked, and again while this was told");
            }
            Poll::Ready(Err(AuthError::Unavailable.into()))
        })
    }
}

/// Code that a guard calls panicked: a mechanism, an access-control list, an extractor.
#[derive(Debug, Error)]
#[error("a guard panicked")]
struct Panicked;

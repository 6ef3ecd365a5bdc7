//! What becomes of a panic in what decides about a request.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use actix_web::HttpRequest;
use thiserror::Error;

use crate::{auth::Auth, error::AuthError};

/// Waits for an answer; 503 if it panics, which is told as a failure of `guard`.
///
/// A panic would drop the connection without a word. Nobody is let in by it either way.
pub(crate) async fn caught<T, E: From<AuthError>>(
    guard: &'static str,
    request: &HttpRequest,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut answer = pin!(answer);
    let answered = poll_fn(|context| {
        let poll = AssertUnwindSafe(|| answer.as_mut().poll(context));
        catch_unwind(poll).unwrap_or_else(|_| {
            // What panicked may be what has to be told, such as the subject's id.
            if catch_unwind(AssertUnwindSafe(|| Auth::panicked(guard, request, &Panicked))).is_err() {
                tracing::error!(target: "auth", guard, "a guard panicked, and again while this was told");
            }
            Poll::Ready(Err(AuthError::Unavailable.into()))
        })
    });
    answered.await
}

/// Something that was called panicked: a mechanism, an access-control list, an extractor.
#[derive(Debug, Error)]
#[error("a guard panicked")]
struct Panicked;

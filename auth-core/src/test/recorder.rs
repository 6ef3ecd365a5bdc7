//! Records the decisions of guards, for a test that checks why a request was denied.

use std::sync::{Mutex, PoisonError};

use crate::{
    event::{Event, Observer},
    vocabulary::Decision,
};

/// An observer that remembers each decision about a request, with its reason: a client sees only the status.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use actix_web::{HttpResponse, Responder, get, test::TestRequest};
/// use auth_core::{AllowReason, Decision, DenyReason, User, roles_required, test};
///
/// #[roles_required("account-admin")]
/// #[get("/invoices")]
/// async fn invoices() -> impl Responder {
///     HttpResponse::Ok()
/// }
///
/// let recorder = Arc::new(test::Recorder::default());
/// let member = test::authenticated_as(User::new(2)).observer(recorder.clone()).build()?;
/// test::call(member, |config| _ = config.service(invoices), TestRequest::get().uri("/invoices")).await;
/// assert_eq!(
///     recorder.take(),
///     [
///         ("authenticate", Decision::Allow(AllowReason::Match)),
///         ("roles_required", Decision::Deny(DenyReason::NoMatch)),
///     ]
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<(&'static str, Decision)>>);

impl Recorder {
    /// The decisions since the last call, in order: which guard, and how it decided. The names of guards are those of
    /// [`Event::guard`].
    pub fn take(&self) -> Vec<(&'static str, Decision)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Recorder {
    fn decided(&self, event: &Event<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((event.guard, event.decision));
    }
}

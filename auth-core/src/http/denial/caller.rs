//! The caller of a denied request, for renderers.

use std::{any::Any, sync::Arc};

use actix_web::HttpRequest;

use crate::{http::auth::Auth, vocabulary::Subject};

/// The caller of a denied request, so that a renderer can say as whom the client is logged in, or keep the navigation of a
/// page. `U` is the type that the application's mechanism makes, as for [`CurrentUser`](crate::CurrentUser).
///
/// It authenticates nothing itself. `None` where no mechanism had found a caller when the request was denied: it had no
/// credentials or wrong ones, the store failed, another site caused the request, or no guard came before the denial, as for
/// a path without a route. `None` also for a caller of another type.
///
/// A caller says nothing about the denial: a 401 has one where the log-in is too old, for example. What the renderer
/// writes of the caller is all that the client learns.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, http::header::ContentType};
/// use auth_core::{AuthError, Subject as _, User, denial};
///
/// fn denied(request: &HttpRequest, error: &AuthError) -> HttpResponse {
///     match (error, denial::caller::<User>(request)) {
///         (AuthError::Forbidden, Some(user)) if denial::prefers_html(request) => HttpResponse::Forbidden()
///             .content_type(ContentType::html())
///             .body(format!("You are logged in as {}, who may not do this.", user.id())),
///         _ => denial::problem(request, error),
///     }
/// }
/// ```
#[must_use]
pub fn caller<U: Subject>(request: &HttpRequest) -> Option<Arc<U>> {
    let subject: Arc<dyn Any + Send + Sync> = request.app_data::<Auth>()?.cached_identity(request)?.subject();
    subject.downcast().ok()
}

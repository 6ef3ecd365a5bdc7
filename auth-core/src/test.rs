//! Tools for the tests of an application; behind the feature `test`, which belongs into `[dev-dependencies]`.
//!
//! ```
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_web::{App, HttpResponse, Responder, get, http::StatusCode, test::{TestRequest, call_service, init_service}};
//! use auth_core::{Auth, User, roles_required, test::AlwaysAs};
//!
//! #[roles_required("account-admin")]
//! #[get("/invoices")]
//! async fn invoices() -> impl Responder {
//!     HttpResponse::Ok()
//! }
//!
//! let member = Auth::builder().mechanism(AlwaysAs(User::new(2))).build()?;
//! let app = init_service(App::new().app_data(member).service(invoices)).await;
//! let response = call_service(&app, TestRequest::get().uri("/invoices").to_request()).await;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "session")]
use std::time::Duration;
use std::{sync::Arc, time::SystemTime};

use actix_web::HttpRequest;

#[cfg(feature = "session")]
use crate::mechanism::session;
use crate::{
    context::Authorized,
    current_user::CurrentUser,
    guard::{Admitted, Guard},
    mechanism::{Authenticated, Mechanism, Rejection},
    permission::PermissionMarker,
    subject::Subject,
};

/// A mechanism that authenticates every request as this subject, which has only just proved who it is.
#[derive(Debug, Clone)]
pub struct AlwaysAs<S>(pub S);

impl<S: Subject + Clone> Mechanism for AlwaysAs<S> {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some(Authenticated::from(self.0.clone()).since(SystemTime::now())))
    }
}

/// The arguments of a guarded handler, as if its guard had let a request in; for a test of the handler's own
/// body.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() {
/// use auth_core::{CurrentUser, Subject, User, auth_required, test};
///
/// #[auth_required]
/// async fn greet(user: CurrentUser) -> String {
///     format!("Hello, {}!", user.id())
/// }
///
/// let arguments = (test::current_user(User::new(2)),);
/// assert_eq!(greet(test::admit(arguments)).await, "Hello, 2!");
/// # }
/// ```
pub fn admit<G: Guard>(arguments: G::Arguments) -> Admitted<G> {
    Admitted(arguments)
}

/// The proof that `P` was checked, without a check; for a test of code that asks for it.
pub fn authorized<T, P: PermissionMarker>(context: T) -> Authorized<T, P> {
    Authorized::new(context)
}

/// The extractor's value for this subject.
pub fn current_user<U: Subject>(user: U) -> CurrentUser<U> {
    CurrentUser(Arc::new(user))
}

/// Makes the log-in of the request's session, and its grace period, older, as if this time had passed; for a
/// test of what happens when a log-in is stale. Call it in a handler of the test's own.
#[cfg(feature = "session")]
pub fn age_session(request: &HttpRequest, by: Duration) {
    session::age(request, by);
}

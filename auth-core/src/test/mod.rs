//! Tools for the tests of an application; behind the feature `test`, which belongs into `[dev-dependencies]`.
//!
//! | question | tool |
//! |---|---|
//! | who gets in where, in the whole application? | [`AccessMatrix`], and [`Registered::is_complete`](crate::Registered::is_complete) for handlers that are registered nowhere |
//! | what may each subject do with each object, by its policy? | [`PolicyTable`] |
//! | why is this decided so? | [`assert_allowed`], [`assert_denied`] with [`explain`](crate::explain()) |
//! | why was this request denied? | [`Recorder`] |
//! | what does this handler answer to a certain caller? | [`call`] with [`authenticated_as`], [`authenticated_by`], [`anonymous`] |
//! | what does the body of this handler do? | [`admit`], [`authorized`], [`current_user`] |
//!
//! A missing part of the application, such as an `Auth` or a pool, is a bare 500 for a client. Where a test installs no
//! subscriber of `tracing`, this module prints the line of the log that says what to add, and the harness shows it with
//! the failed test.
//!
//! A subject is a [`User`](crate::User), or the application's own. `docs/testing.md` in the repository leads through all of
//! it.
//!
//! ```
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_web::{HttpResponse, Responder, get, http::StatusCode, test::TestRequest};
//! use auth_core::{User, roles_required, test};
//!
//! #[roles_required("account-admin")]
//! #[get("/invoices")]
//! async fn invoices() -> impl Responder {
//!     HttpResponse::Ok()
//! }
//!
//! let member = test::authenticated_as(User::new(2)).build()?;
//! let request = TestRequest::get().uri("/invoices");
//! let response = test::call(member, |config| _ = config.service(invoices), request).await;
//! assert_eq!(response.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```

mod access_matrix;
mod call;
mod decided;
mod policy_table;
mod recorder;
mod reviewed;

#[cfg(feature = "session")]
use std::time::Duration;

#[cfg(feature = "session")]
use actix_web::HttpRequest;

pub use self::{
    access_matrix::{AccessMatrix, AccessMatrixBuilder, Difference, ObserveError, RouteRequest},
    call::{AlwaysAs, anonymous, authenticated_as, authenticated_by, call},
    decided::{Decided, assert_allowed, assert_denied},
    policy_table::PolicyTable,
    recorder::Recorder,
    reviewed::{Malformed, ReviewError},
};
#[cfg(feature = "session")]
use crate::mechanism::session;
use crate::{
    context::Authorized,
    guard::{Admitted, admitted},
    http::CurrentUser,
    vocabulary::{PermissionMarker, Subject},
};

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
pub fn admit<G, T, C>(arguments: T) -> Admitted<G, T, C> {
    admitted(arguments)
}

/// The proof that `P` was checked, without a check; for a test of code that requires it.
pub fn authorized<T, P: PermissionMarker>(context: T) -> Authorized<T, P> {
    Authorized::new(context)
}

/// The extractor's value for this subject, without a request: its [denials](CurrentUser::deny) are in the log alone, and it is
/// not found [again](CurrentUser::again).
pub fn current_user<U: Subject>(user: U) -> CurrentUser<U> {
    CurrentUser::without_request(user)
}

/// Makes the log-in of the request's session, and its grace period, older, as if this time had passed; for a
/// test of stale log-ins. Call it in a handler of the test's own.
#[cfg(feature = "session")]
pub fn age_session(request: &HttpRequest, by: Duration) {
    session::age(request, by);
}

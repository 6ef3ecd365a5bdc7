//! Calls guarded handlers as a chosen caller.

use std::{any::Any, sync::Arc, time::SystemTime};

use actix_web::{
    App, HttpRequest,
    dev::{Service as _, ServiceResponse},
    test::{TestRequest, init_service},
    web::ServiceConfig,
};

use crate::{
    context::LoadError,
    http::auth::{Auth, AuthBuilder},
    mechanism::{Again, Authenticated, FindAgain, Mechanism, Rejection},
    vocabulary::{Subject, User},
};

/// A mechanism that authenticates every request as this subject, which has only just proved who it is.
#[derive(Debug, Clone)]
pub struct AlwaysAs<S>(pub S);

impl<S: Subject + Clone> Mechanism for AlwaysAs<S> {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some(just_now(&self.0)))
    }
}

/// A mechanism of another name, which authenticates every request as this subject, or finds no credentials.
struct Always<S> {
    by: &'static str,
    subject: Option<S>,
}

impl<S: Subject + Clone> Mechanism for Always<S> {
    fn name(&self) -> &'static str {
        self.by
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(self.subject.as_ref().map(just_now))
    }
}

fn just_now<S: Subject + Clone>(subject: &S) -> Authenticated {
    let again = Again::By(Arc::new(AlwaysAgain(subject.clone())));
    Authenticated { again: Some(again), ..Authenticated::from(subject.clone()).since(SystemTime::now()) }
}

/// Finds this subject again, over any connection.
struct AlwaysAgain<S>(S);

impl<S: Subject + Clone> FindAgain for AlwaysAgain<S> {
    fn find(&self, _: &mut dyn Any) -> Option<Result<Box<dyn Any>, LoadError>> {
        Some(Ok(Box::new(self.0.clone())))
    }

    fn connection(&self) -> &'static str {
        "any"
    }
}

/// Begins an [`Auth`] by which every request comes from this subject. Pools and the like are added as to any other; then
/// it is for [`call`]. The subject is found [again](crate::CurrentUser::again) as it is, over any connection.
pub fn authenticated_as(subject: impl Subject + Clone) -> AuthBuilder {
    Auth::builder().mechanism(AlwaysAs(subject))
}

/// Begins an [`Auth`] by which every request comes from this subject, authenticated by the mechanism of this name, such
/// as `"session"`: for guards that accept only certain mechanisms.
pub fn authenticated_by(mechanism: &'static str, subject: impl Subject + Clone) -> AuthBuilder {
    Auth::builder().mechanism(Always { by: mechanism, subject: Some(subject) })
}

/// Begins an [`Auth`] by which nobody is logged in.
pub fn anonymous() -> AuthBuilder {
    Auth::builder().mechanism(Always { by: "test", subject: None::<User> })
}

/// Sends a request to guarded handlers, which are registered as in an application; the guard runs, and then the handler,
/// if it is let in.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_web::{Responder, get, http::StatusCode, test::TestRequest, web::ServiceConfig};
/// use auth_core::{User, roles_required, test};
///
/// #[roles_required("account-admin")]
/// #[get("/invoices")]
/// async fn invoices() -> impl Responder {
///     "paid"
/// }
///
/// fn configure(config: &mut ServiceConfig) {
///     config.service(invoices);
/// }
///
/// let request = || TestRequest::get().uri("/invoices");
/// let response = test::call(test::anonymous().build()?, configure, request()).await;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
///
/// let member = User::new(2);
/// let response = test::call(test::authenticated_as(member.clone()).build()?, configure, request()).await;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
///
/// let admin = member.with_roles(["account-admin"]);
/// let response = test::call(test::authenticated_as(admin).build()?, configure, request()).await;
/// assert_eq!(response.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
///
/// Where contexts are loaded, the pool is lent as usual: `test::authenticated_as(member).connections(pool).build()?`.
pub async fn call(
    auth: Auth,
    configure: impl FnOnce(&mut ServiceConfig),
    request: TestRequest,
) -> ServiceResponse {
    let app = init_service(App::new().app_data(auth).configure(configure)).await;
    match app.call(request.to_request()).await {
        Ok(response) => response.map_into_boxed_body(),
        // A middleware may answer by an error.
        Err(error) => ServiceResponse::from_err(error, TestRequest::default().to_http_request()),
    }
}

//! A denial that a handler returns, by itself or in an error of its own.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    HttpResponse, ResponseError, get,
    http::header::HeaderMap,
    test::{TestRequest, call_service, init_service, read_body},
};
use auth_core::{
    Auth, AuthBuilder, AuthError, Decision, DenyReason, ProtectedApp, ProtectedScope, User, auth_required,
    denial, public, test::AlwaysAs,
};

use super::{BROWSER, signpost};

/// An error of the application's own, which answers as the library's error in it does.
#[derive(Debug)]
enum OwnError {
    Refused(AuthError),
    Busy,
}

impl From<AuthError> for OwnError {
    fn from(error: AuthError) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for OwnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for OwnError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Refused(error) => error.error_response(),
            Self::Busy => HttpResponse::Conflict().body("busy"),
        }
    }
}

/// A denial in the body of the handler alone.
fn refused() -> Result<&'static str, AuthError> {
    Decision::Deny(DenyReason::NoMatch).into_result().map(|()| "never")
}

#[auth_required]
#[get("/returned")]
async fn returned() -> Result<&'static str, AuthError> {
    refused()
}

#[auth_required]
#[get("/returned/error")]
async fn returned_in_an_error() -> Result<&'static str, actix_web::Error> {
    Ok(refused()?)
}

#[auth_required]
#[get("/returned/own-error")]
async fn returned_in_an_own_error() -> Result<&'static str, OwnError> {
    Ok(refused()?)
}

#[auth_required]
#[get("/returned/busy")]
async fn returned_busy() -> Result<&'static str, OwnError> {
    Err(OwnError::Busy)
}

#[auth_required(on_denied = signpost)]
#[get("/returned/signpost")]
async fn returned_with_a_signpost() -> Result<&'static str, OwnError> {
    Ok(refused()?)
}

#[public]
#[get("/returned/public")]
async fn returned_by_a_public_handler() -> Result<&'static str, AuthError> {
    refused()
}

/// The status, the headers and the body of a protected application's answer.
async fn returned_by(auth: AuthBuilder, path: &str) -> (u16, HeaderMap, String) {
    let auth = auth.mechanism(AlwaysAs(User::new(1))).build().unwrap();
    let app = ProtectedApp::new()
        .app_data(auth)
        .service(returned)
        .service(returned_in_an_error)
        .service(returned_in_an_own_error)
        .service(returned_busy)
        .service(returned_with_a_signpost)
        .service(returned_by_a_public_handler)
        .service(ProtectedScope::new("/scope").service(returned));
    let request = TestRequest::get().uri(path).insert_header(("accept", BROWSER)).to_request();
    let response = call_service(&init_service(app).await, request).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_denial_that_a_handler_returns_is_rendered_like_any() {
    for path in ["/returned", "/returned/error", "/returned/own-error", "/returned/public", "/scope/returned"]
    {
        let (status, headers, body) =
            returned_by(Auth::builder().on_denied(denial::page_or_problem), path).await;
        assert_eq!(status, 403, "{path}");
        assert!(body.contains("<h1>403 Forbidden</h1>"), "{path}: {body}");
        assert_eq!(headers.get("cache-control").unwrap(), "no-store");
        assert_eq!(headers.get("vary").unwrap(), "Accept");

        let (status, headers, body) = returned_by(Auth::builder(), path).await;
        assert_eq!(status, 403, "{path}");
        assert_eq!(headers.get("content-type").unwrap(), "application/problem+json");
        assert!(body.contains("you may not do this"), "{path}: {body}");

        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let counting = Auth::builder().on_denied(move |_, error| {
            count.fetch_add(1, Ordering::Relaxed);
            HttpResponse::ImATeapot().body(error.to_string())
        });
        let (status, _, body) = returned_by(counting, path).await;
        assert_eq!((status, body.as_str()), (418, "you may not do this"), "{path}");
        assert_eq!(calls.load(Ordering::Relaxed), 1, "{path}");
    }
    let pages = || Auth::builder().on_denied(denial::page_or_problem);
    let (status, _, body) = returned_by(pages(), "/returned/signpost").await;
    assert_eq!((status, body.as_str()), (418, "signpost: you may not do this"));
    let (status, _, body) = returned_by(pages(), "/returned/busy").await;
    assert_eq!((status, body.as_str()), (409, "busy"));
}

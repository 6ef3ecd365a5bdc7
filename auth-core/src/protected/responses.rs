//! The headers of guarded answers for caches and browsers, the rendering of denials that a handler returns, and the
//! answers to HEAD, to unknown methods and to unknown paths.

use std::{
    cell::RefCell,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_service::{
    ServiceFactory, apply_fn_factory,
    boxed::{self, BoxServiceFactory},
    fn_service,
};
use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::PayloadError,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::routes::Routes;
use crate::{
    error::{Problem, keep_private},
    http::{
        auth::Auth,
        denial::{Unread, returned},
    },
};

/// Middleware that keeps guarded answers out of caches, and renders the denials that handlers return. [`ProtectedApp`](super::ProtectedApp) and
/// [`ProtectedScope`](super::ProtectedScope) have it already; a plain [`App`](actix_web::App) wraps itself in it:
///
/// ```
/// use actix_web::{App, Responder, get};
/// use auth_core::{auth_required, protected::GuardedResponses};
///
/// #[auth_required]
/// #[get("/profile")]
/// async fn profile() -> impl Responder {
///     "you"
/// }
///
/// let app = App::new().wrap(GuardedResponses::new()).service(profile);
/// ```
///
/// Where the answer depends on the caller, because a guard or an extractor of the caller looked for one:
///
/// * `Cache-Control` is `no-store`, unless the handler says otherwise: no proxy shows it to another caller, and no
///   browser after a log-out.
/// * `X-Content-Type-Options` is `nosniff`, unless the handler says otherwise.
/// * `Vary` also lists the headers in which the mechanisms look for credentials, such as `cookie`, for handlers that allow
///   caches.
///
/// Errors that a handler or an extractor returns are answers like others; those that a middleware within returns pass as they
/// are, so let it answer with a response. An [`AuthError`](crate::AuthError) that a handler
/// returns, in a `Result`, in an `actix_web::Error`, or in an error of the application's own that answers as it does by
/// [`error_response`](actix_web::ResponseError::error_response), is rendered as all denials are, by `on_denied` of the
/// handler or of the application. Upgrades (101) and `304 Not Modified` stay as
/// they are, and so does every answer that is the same for all callers.
///
/// An answer that leaves a chunked body unread closes the connection: such a body may never end.
#[derive(Clone, Default)]
pub struct GuardedResponses {
    routes: Option<Routes>,
}

impl GuardedResponses {
    /// Middleware for all handlers of the application or scope that it wraps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Middleware that also answers HEAD where these routes answer GET.
    pub(super) fn of(routes: Routes) -> Self {
        Self { routes: Some(routes) }
    }
}

impl<S, B> Transform<S, ServiceRequest> for GuardedResponses
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = GuardedResponsesOf<S>;
    type InitError = ();
    type Future = Ready<Result<GuardedResponsesOf<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(GuardedResponsesOf { service, routes: self.routes.clone() }))
    }
}

/// [`GuardedResponses`], around a service.
pub struct GuardedResponsesOf<S> {
    service: S,
    routes: Option<Routes>,
}

impl<S, B> Service<ServiceRequest> for GuardedResponsesOf<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = AnswerFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        // The server sends no body in answer to HEAD, even after this code changes the method to GET.
        if request.method() == Method::HEAD
            && let Some(routes) = &self.routes
            && routes.answers_head_by_get(request.match_info().unprocessed())
        {
            request.head_mut().method = Method::GET;
        }
        let unread = if request.chunked().unwrap_or(false) { share_body(&mut request) } else { None };
        AnswerFuture { answer: self.service.call(request), unread }
    }
}

pin_project! {
    /// An answer, and the chunked body of its request.
    pub struct AnswerFuture<F> {
        #[pin]
        answer: F,
        unread: Option<Rc<RefCell<Payload>>>,
    }
}

impl<B, F> Future for AnswerFuture<F>
where
    B: MessageBody + 'static,
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<BoxBody>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = returned(ready!(this.answer.poll(context))?.map_into_boxed_body());
        if let Some(auth) = Auth::of_answer(response.request()) {
            complete(&auth, &mut response);
        }
        Poll::Ready(Ok(match this.unread.take() {
            Some(body) => response.map_body(|_, answer| Unread::holding(answer, body)),
            None => response,
        }))
    }
}

fn complete(auth: &Auth, response: &mut ServiceResponse) {
    let status = response.status();
    if status.is_informational() || status == StatusCode::NOT_MODIFIED {
        return;
    }
    let headers = response.headers_mut();
    keep_private(headers);
    if let Some(vary) = auth.vary()
        && !headers.get_all(header::VARY).any(|other| other == vary)
    {
        headers.append(header::VARY, vary.clone());
    }
}

/// The body of the request, which is kept until the answer is there, however much of it has been read by then.
fn share_body(request: &mut ServiceRequest) -> Option<Rc<RefCell<Payload>>> {
    let body = request.take_payload();
    if matches!(body, Payload::None) {
        return None;
    }
    let body = Rc::new(RefCell::new(body));
    let shared = Shared(Rc::clone(&body));
    request.set_payload(Payload::Stream { payload: Box::pin(shared) });
    Some(body)
}

struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Nothing else reads it.
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

type Default = Rc<BoxServiceFactory<(), ServiceRequest, ServiceResponse, Error, ()>>;

/// The answer where no handler does: 405 with `Allow` where a handler takes another method, and else this.
pub(super) fn otherwise(
    routes: Routes,
    default: Default,
) -> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>
{
    apply_fn_factory(default, move |request: ServiceRequest, default| {
        let allow = routes.allowed(request.match_info().unprocessed());
        let answer: Pin<Box<dyn Future<Output = Result<ServiceResponse, Error>>>> = if allow.is_empty() {
            default.call(request)
        } else {
            Box::pin(ready(Ok(request.into_response(method_not_allowed(&allow)))))
        };
        answer
    })
}

/// The answer of actix-web to a path without handlers.
pub(super) fn not_found() -> Default {
    Rc::new(boxed::factory(fn_service(|request: ServiceRequest| {
        ready(Ok(request.into_response(HttpResponse::NotFound())))
    })))
}

fn method_not_allowed(allow: &str) -> HttpResponse {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this is not a method for what is here");
    let mut response = problem.response();
    // Methods are tokens.
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

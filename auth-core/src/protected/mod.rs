//! Scopes, configurations and applications on which nothing can be registered without a guard.
//!
//! They stand for those of actix-web: [`ProtectedScope`] for a `Scope`, [`ProtectedConfig`] for a `ServiceConfig`,
//! [`ProtectedApp`] for an `App`. Each takes a handler that carries one of the attributes, and nothing else: registering
//! an unguarded handler is a compile error that says what to add. A handler that is open on purpose carries
//! `#[public(reason = "…")]`; a service that was written without guards, such as a folder of files, is registered by
//! [`public_service`](ProtectedScope::public_service).
//!
//! ```compile_fail
//! use actix_web::{Responder, get};
//! use auth_core::protected::ProtectedScope;
//!
//! #[get("/accounts")]
//! async fn accounts() -> impl Responder {
//!     "all of them"
//! }
//!
//! let scope = ProtectedScope::new("/api").service(accounts); // `accounts` has no guard
//! ```
//!
//! A protected scope or application also takes care of the following, so that no handler has to:
//!
//! * **Caches**: every answer behind a guard, denials too, is `Cache-Control: no-store` and `nosniff`, unless the handler
//!   says otherwise; see [`GuardedResponses`].
//! * **HEAD** as GET, with the same guards and without the body, where no handler of HEAD has the path. The handler and
//!   its guard see the method GET.
//! * **405** with `Allow`, as a problem document, where the path has handlers and none of them takes the method. The
//!   default service of the application answers a path without handlers, as ever.
//! * **Bodies** in chunks that no handler reads: the answer closes the connection. On a plain application, the denials of
//!   guards do this, too.
//!
//! A handler on a plain `App` or `Scope` has neither HEAD nor 405: a `ProtectedScope::new("")` around all of them gives
//! both.
//!
//! The limits of a server's waits are set where it is started. After an answer that leaves a body unread, the server
//! reads on for `HttpServer::client_disconnect_timeout` and discards the bytes. A client that writes its whole body
//! before it reads sees its denial if it has finished by then; afterwards the connection is reset, perhaps before the
//! client has read the denial. Meanwhile the client holds one of the `HttpServer::max_connections`. The default is one
//! second; with less, actix-http may never close the connection, because its clock moves twice a second. To
//! `Expect: 100-continue`, `HttpServer` always answers `100 Continue` before any guard runs; the denial follows, and the
//! connection is closed without the body. A server that is made of `actix_http::HttpService` can decide otherwise, in its
//! `expect`.

mod app;
mod config;
mod responses;
mod routes;
mod scope;

use actix_web::{
    Handler, Resource, Responder,
    dev::{AppService, HttpServiceFactory},
    guard::Method as OfMethod,
    http::Method,
    web,
};

pub use self::{
    app::ProtectedApp, config::ProtectedConfig, responses::GuardedResponses, scope::ProtectedScope,
};
pub use crate::guard::ScopeGuard;
use crate::guard::{Admitted, Guard, Guarded, GuardedHandler, Requirements};
use crate::report::recording;

/// A guarded handler that records where it is registered.
struct Recorded<H>(H);

impl<H: HttpServiceFactory + Guarded> HttpServiceFactory for Recorded<H> {
    fn register(self, config: &mut AppService) {
        if let Some(handler) = H::handler() {
            recording::handler(handler, config.is_root());
        }
        self.0.register(config);
    }
}

/// A function with a guard, which is in its signature; for [`ProtectedScope::route`].
///
/// Only the types that an attribute makes of a handler implement it.
#[diagnostic::on_unimplemented(
    message = "this function has no guard",
    label = "any client may run this handler",
    note = "put a guard such as `#[auth_required]` on the function; what is public goes by `public_service`"
)]
pub trait GuardedFunction<G: Guard<T, C>, T: 'static, C: 'static>:
    Handler<(Admitted<G, T, C>,), Output: Responder + 'static>
{
}

#[diagnostic::do_not_recommend]
impl<G: Guard<T, C>, T: 'static, C: 'static, F> GuardedFunction<G, T, C> for F where
    F: Handler<(Admitted<G, T, C>,), Output: Responder + 'static>
{
}

/// A resource of one such function, which records where it is registered.
struct RecordedRoute {
    handler: &'static GuardedHandler,
    method: Method,
    path: String,
    resource: Resource,
}

impl HttpServiceFactory for RecordedRoute {
    fn register(self, config: &mut AppService) {
        recording::route(self.handler, &self.method, &self.path, config.is_root());
        self.resource.register(config);
    }
}

fn recorded_route<G: Guard<T, C>, T: 'static, C: 'static>(
    path: &str,
    method: Method,
    handler: impl GuardedFunction<G, T, C>,
) -> RecordedRoute {
    // As of a route attribute: a request with another method goes on to the other resources of this path.
    let resource = web::resource(path).guard(OfMethod(method.clone())).to(handler);
    RecordedRoute { handler: G::handler(), method, path: path.to_owned(), resource }
}

/// A service without guards that the application declares open, below a path.
struct PublicService<S> {
    path: String,
    reason: &'static str,
    service: S,
}

impl<S> PublicService<S> {
    fn new(path: &str, reason: &'static str, service: S) -> Self {
        let first = path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or_default();
        // A parameter there would match every name, those of guarded paths among them.
        assert!(
            !first.is_empty() && !first.contains('{'),
            "a public service needs a path of its own, which begins with a fixed name and below which all is open; \
             it has {path:?}"
        );
        Self { path: path.to_owned(), reason, service }
    }
}

impl<S: HttpServiceFactory + 'static> HttpServiceFactory for PublicService<S> {
    fn register(self, config: &mut AppService) {
        let name = std::any::type_name::<S>();
        let requirements = Requirements::nothing(Some(self.reason));
        let handler =
            GuardedHandler { name, module: "", file: "", line: 0, routes: &[], inner: None, requirements };
        recording::service(&handler, &self.path, config.is_root());
        // In a scope, so that it takes no other path than the reviewed one.
        web::scope(&self.path).service(self.service).register(config);
    }
}

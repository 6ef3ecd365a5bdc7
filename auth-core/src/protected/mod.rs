//! Scopes, configurations and applications on which nothing can be registered without a guard.
//!
//! They stand for those of actix-web: [`ProtectedScope`] for a `Scope`, [`ProtectedConfig`] for a `ServiceConfig`,
//! [`ProtectedApp`] for an `App`. Each takes a handler that carries one of the attributes, and nothing else: a handler
//! without is a compile error that says what to add. What is open on purpose says so, by
//! `#[public(reason = "…")]` on a handler, or by [`public_service`](ProtectedScope::public_service) for what others have
//! written.
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

mod app;
mod config;
pub(crate) mod recording;
mod scope;
mod scope_guard;

use actix_web::{
    Handler, Resource, Responder,
    dev::{AppService, HttpServiceFactory},
    guard::Method as OfMethod,
    http::Method,
    web,
};

pub use self::{app::ProtectedApp, config::ProtectedConfig, scope::ProtectedScope, scope_guard::ScopeGuard};
use crate::{
    guard::{Admitted, Asks, Guard, Guarded},
    report::GuardedHandler,
};

/// A guarded handler that tells where it is registered.
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
/// It is implemented for what an attribute makes of a handler, and for nothing else.
#[diagnostic::on_unimplemented(
    message = "this function has no guard",
    label = "whoever sends a request may run this handler",
    note = "put a guard such as `#[auth_required]` on the function; what is public goes by `public_service`"
)]
pub trait GuardedFunction<G: Guard<T>, T: 'static>:
    Handler<(Admitted<G, T>,), Output: Responder + 'static>
{
}

#[diagnostic::do_not_recommend]
impl<G: Guard<T>, T: 'static, F> GuardedFunction<G, T> for F where
    F: Handler<(Admitted<G, T>,), Output: Responder + 'static>
{
}

/// A resource of one such function, which tells where it is registered.
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

fn recorded_route<G: Guard<T>, T: 'static>(
    path: &str,
    method: Method,
    handler: impl GuardedFunction<G, T>,
) -> RecordedRoute {
    // As of a route attribute: a request by another method goes on to what else has this path.
    let resource = web::resource(path).guard(OfMethod(method.clone())).to(handler);
    RecordedRoute { handler: G::handler(), method, path: path.to_owned(), resource }
}

/// What others have written, and somebody says is open, below a path.
struct PublicService<S> {
    path: String,
    reason: &'static str,
    service: S,
}

impl<S> PublicService<S> {
    fn new(path: &str, reason: &'static str, service: S) -> Self {
        assert!(
            !path.trim_matches('/').is_empty(),
            "a public service needs a path of its own, below which all is open; it has {path:?}"
        );
        Self { path: path.to_owned(), reason, service }
    }
}

impl<S: HttpServiceFactory + 'static> HttpServiceFactory for PublicService<S> {
    fn register(self, config: &mut AppService) {
        let name = std::any::type_name::<S>();
        let asks = Asks::nothing(Some(self.reason));
        let handler = GuardedHandler { name, module: "", file: "", line: 0, routes: &[], inner: None, asks };
        recording::service(&handler, &self.path, config.is_root());
        // In a scope, so that it takes no other path than the reviewed one.
        web::scope(&self.path).service(self.service).register(config);
    }
}

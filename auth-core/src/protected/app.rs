//! An application that takes guarded handlers only.

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    App, Error,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse, Transform},
    http::Method,
};

use super::{GuardedFunction, ProtectedConfig, PublicService, Recorded, recorded_route};
use crate::guard::{Guard, Guarded};

/// An [`App`] that takes guarded handlers only. See [`protected`](super).
///
/// ```
/// use actix_web::{HttpServer, Responder, get};
/// use auth_core::{auth_required, protected::ProtectedApp};
///
/// #[auth_required]
/// #[get("/profile")]
/// async fn profile() -> impl Responder {
///     "you"
/// }
///
/// let server = HttpServer::new(|| ProtectedApp::new().service(profile));
/// ```
#[must_use = "give it to `HttpServer::new`"]
pub struct ProtectedApp<A>(A);

impl ProtectedApp<()> {
    /// An application without routes, as [`App::new`] makes it.
    pub fn new() -> ProtectedApp<
        App<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<BoxBody>,
                Error = Error,
                InitError = (),
            >,
        >,
    > {
        ProtectedApp(App::new())
    }
}

impl<T> ProtectedApp<App<T>>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    /// Registers a guarded handler, or a protected scope.
    pub fn service(self, handler: impl HttpServiceFactory + Guarded + 'static) -> Self {
        Self(self.0.service(Recorded(handler)))
    }

    /// Registers a function whose attributes stand on no route attribute, as
    /// [`ProtectedScope::route`](super::ProtectedScope::route).
    pub fn route<G: Guard<A>, A: 'static>(
        self,
        path: &str,
        method: Method,
        handler: impl GuardedFunction<G, A>,
    ) -> Self {
        Self(self.0.service(recorded_route(path, method, handler)))
    }

    /// Registers what others have written without a guard, and says why it is open, as
    /// [`ProtectedScope::public_service`](super::ProtectedScope::public_service).
    ///
    /// # Panics
    ///
    /// If the path is empty or `/`.
    pub fn public_service(
        self,
        path: &str,
        reason: &'static str,
        service: impl HttpServiceFactory + 'static,
    ) -> Self {
        Self(self.0.service(PublicService::new(path, reason, service)))
    }

    /// Registers what a function registers.
    pub fn configure(self, configure: impl FnOnce(&mut ProtectedConfig<'_>)) -> Self {
        Self(self.0.configure(|config| configure(&mut ProtectedConfig::new(config))))
    }

    /// As [`App::app_data`].
    pub fn app_data<U: 'static>(self, data: U) -> Self {
        Self(self.0.app_data(data))
    }

    /// As [`App::wrap`].
    pub fn wrap<M, B>(
        self,
        middleware: M,
    ) -> ProtectedApp<
        App<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            >,
        >,
    >
    where
        M: Transform<
                T::Service,
                ServiceRequest,
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody,
    {
        ProtectedApp(self.0.wrap(middleware))
    }
}

impl<S, A> IntoServiceFactory<S, Request> for ProtectedApp<A>
where
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request>,
{
    fn into_factory(self) -> S {
        self.0.into_factory()
    }
}

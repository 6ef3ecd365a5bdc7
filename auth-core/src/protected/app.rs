//! An application that takes guarded handlers only.

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    App, Error,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse, Transform},
    http::Method,
};

use super::{
    GuardedFunction, GuardedResponses, ProtectedConfig, PublicService, Recorded, recorded_route,
    responses::{not_found, otherwise},
    routes::Routes,
};
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
pub struct ProtectedApp<A> {
    app: A,
    routes: Routes,
}

impl ProtectedApp<()> {
    /// An application without routes, as [`App::new`] makes it, in [`GuardedResponses`].
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
        let routes = Routes::default();
        let app = App::new()
            .wrap(GuardedResponses::of(routes.clone()))
            .default_service(otherwise(routes.clone(), not_found()));
        ProtectedApp { app, routes }
    }
}

impl<T> ProtectedApp<App<T>>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    /// Registers a guarded handler, or a protected scope.
    pub fn service(self, handler: impl HttpServiceFactory + Guarded + 'static) -> Self {
        self.routes.add(&handler, true);
        self.map(|app| app.service(Recorded(handler)))
    }

    /// Registers a function whose attributes stand on no route attribute, as
    /// [`ProtectedScope::route`](super::ProtectedScope::route).
    pub fn route<G: Guard<A, C>, A: 'static, C: 'static>(
        self,
        path: &str,
        method: Method,
        handler: impl GuardedFunction<G, A, C>,
    ) -> Self {
        self.routes.add_route(path, vec![method.to_string().into()], true);
        self.map(|app| app.service(recorded_route(path, method, handler)))
    }

    /// Registers a service that was written without a guard, and says why it is open, as
    /// [`ProtectedScope::public_service`](super::ProtectedScope::public_service).
    ///
    /// # Panics
    ///
    /// If the path does not begin with a fixed name, as `/` and `/{name}` do not.
    pub fn public_service(
        self,
        path: &str,
        reason: &'static str,
        service: impl HttpServiceFactory + 'static,
    ) -> Self {
        let service = PublicService::new(path, reason, service);
        self.routes.add_service(path);
        self.map(|app| app.service(service))
    }

    /// Runs a function that registers handlers.
    pub fn configure(self, configure: impl FnOnce(&mut ProtectedConfig<'_>)) -> Self {
        let routes = self.routes.clone();
        self.map(|app| app.configure(|config| configure(&mut ProtectedConfig::of(config, routes, true))))
    }

    /// Adds data, as [`App::app_data`] does.
    pub fn app_data<U: 'static>(self, data: U) -> Self {
        self.map(|app| app.app_data(data))
    }

    /// Adds middleware, as [`App::wrap`] does.
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
        ProtectedApp { app: self.app.wrap(middleware), routes: self.routes }
    }

    fn map(self, change: impl FnOnce(App<T>) -> App<T>) -> Self {
        Self { app: change(self.app), ..self }
    }
}

impl<S, A> IntoServiceFactory<S, Request> for ProtectedApp<A>
where
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request>,
{
    fn into_factory(self) -> S {
        self.app.into_factory()
    }
}

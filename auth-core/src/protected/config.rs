//! A configuration that takes guarded handlers only.

use actix_web::{dev::HttpServiceFactory, http::Method, web::ServiceConfig};

use super::{GuardedFunction, PublicService, Recorded, recorded_route, routes::Routes};
use crate::guard::{Guard, Guarded};

/// A [`ServiceConfig`] that takes guarded handlers only. See [`protected`](super).
///
/// A module registers its handlers with a function of it, for [`ProtectedScope::configure`](super::ProtectedScope::configure)
/// and the others:
///
/// ```
/// use actix_web::{App, Responder, get};
/// use auth_core::{auth_required, protected::{ProtectedConfig, ProtectedScope}};
///
/// #[auth_required]
/// #[get("/profile")]
/// async fn profile() -> impl Responder {
///     "you"
/// }
///
/// fn configure(config: &mut ProtectedConfig<'_>) {
///     config.service(profile);
/// }
///
/// let scope = ProtectedScope::new("/api").configure(configure);
/// // Where the application is not a protected one:
/// let app = App::new().configure(|config| configure(&mut ProtectedConfig::new(config)));
/// ```
pub struct ProtectedConfig<'a> {
    config: &'a mut ServiceConfig,
    /// The routes of the scope or application that is configured, if it is a protected one.
    routes: Routes,
    at_root: bool,
}

impl<'a> ProtectedConfig<'a> {
    /// Takes the place of a plain configuration.
    pub fn new(config: &'a mut ServiceConfig) -> Self {
        // Nothing looks at these routes.
        Self::of(config, Routes::default(), false)
    }

    pub(super) fn of(config: &'a mut ServiceConfig, routes: Routes, at_root: bool) -> Self {
        Self { config, routes, at_root }
    }

    /// Registers a guarded handler, or a protected scope.
    pub fn service(&mut self, handler: impl HttpServiceFactory + Guarded + 'static) -> &mut Self {
        self.routes.add(&handler, self.at_root);
        self.config.service(Recorded(handler));
        self
    }

    /// Registers a function whose attributes stand on no route attribute, as
    /// [`ProtectedScope::route`](super::ProtectedScope::route).
    pub fn route<G: Guard<A, C>, A: 'static, C: 'static>(
        &mut self,
        path: &str,
        method: Method,
        handler: impl GuardedFunction<G, A, C>,
    ) -> &mut Self {
        self.routes.add_route(path, vec![method.to_string().into()], self.at_root);
        self.config.service(recorded_route(path, method, handler));
        self
    }

    /// Registers a service that was written without a guard, and says why it is open, as
    /// [`ProtectedScope::public_service`](super::ProtectedScope::public_service).
    ///
    /// # Panics
    ///
    /// If the path does not begin with a fixed name, as `/` and `/{name}` do not.
    pub fn public_service(
        &mut self,
        path: &str,
        reason: &'static str,
        service: impl HttpServiceFactory + 'static,
    ) -> &mut Self {
        let service = PublicService::new(path, reason, service);
        self.routes.add_service(path);
        self.config.service(service);
        self
    }

    /// Runs a function that registers handlers.
    pub fn configure(&mut self, configure: impl FnOnce(&mut ProtectedConfig<'_>)) -> &mut Self {
        configure(&mut ProtectedConfig::of(self.config, self.routes.clone(), self.at_root));
        self
    }

    /// Adds data, as [`ServiceConfig::app_data`] does.
    pub fn app_data<U: 'static>(&mut self, data: U) -> &mut Self {
        self.config.app_data(data);
        self
    }
}

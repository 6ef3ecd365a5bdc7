//! A scope that takes guarded handlers only.

use actix_web::{
    Error, Scope,
    body::MessageBody,
    dev::{AppService, HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse, Transform},
    guard::Guard as RouteGuard,
    http::Method,
    middleware::{Next, from_fn},
    web,
};

use super::{
    GuardedFunction, GuardedResponses, ProtectedConfig, PublicService, Recorded, ScopeGuard, recorded_route,
    recording, responses::otherwise, routes::Routes,
};
use crate::{
    guard::{self, Guard, Guarded, GuardedHandler},
    http::denial::Denial,
};

/// A [`Scope`] that takes guarded handlers only. See [`protected`](super).
///
/// ```
/// use actix_web::{App, Responder, get};
/// use auth_core::{auth_required, protected::{ProtectedScope, ScopeGuard}, public};
///
/// #[auth_required]
/// #[get("/profile")]
/// async fn profile() -> impl Responder {
///     "you"
/// }
///
/// #[auth_required]
/// #[get("/tickets")]
/// async fn tickets() -> impl Responder {
///     "all of them"
/// }
///
/// let support = ProtectedScope::new("/support")
///     .guarded_by(ScopeGuard::auth_required().roles_accepted(&["support"]))
///     .service(tickets);
/// let app = App::new().service(ProtectedScope::new("/api").service(profile).service(support));
/// ```
#[must_use = "register it with `service`"]
pub struct ProtectedScope<S = Scope> {
    scope: S,
    /// The path, and the requirements of the scope itself.
    path: String,
    guards: Vec<ScopeGuard>,
    routes: Routes,
}

impl ProtectedScope {
    /// A scope for paths that begin so, as [`Scope::new`] makes it.
    pub fn new(path: &str) -> Self {
        Self { scope: web::scope(path), path: path.to_owned(), guards: Vec::new(), routes: Routes::default() }
    }

    /// Checks these requirements for all callers, before the guard of any handler. Middleware that [`wrap`](Self::wrap)
    /// adds afterwards runs before it, such as that of sessions, which the guard needs.
    ///
    /// It runs before the handler is chosen. actix-web requires that nothing else holds the request then: a
    /// [`Mechanism`](crate::mechanism::Mechanism) must not keep a clone of it after it has answered.
    pub fn guarded_by(
        self,
        guard: ScopeGuard,
    ) -> ProtectedScope<
        Scope<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<impl MessageBody>,
                Error = Error,
                InitError = (),
            >,
        >,
    > {
        let asked = guard.clone();
        let enter = from_fn(move |request: ServiceRequest, next: Next<_>| {
            let asked = asked.clone();
            async move {
                match guard::enter(request.request(), &asked.requirements()).await {
                    Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
                    Err(error) => {
                        let denial = Denial::new(request.request(), error);
                        Ok(request.error_response(denial).map_into_right_body())
                    }
                }
            }
        });
        ProtectedScope {
            scope: self.scope.wrap(enter),
            path: self.path,
            guards: vec![guard],
            routes: self.routes,
        }
    }
}

impl<T> ProtectedScope<Scope<T>>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    /// Registers a guarded handler, or another protected scope.
    pub fn service(self, handler: impl HttpServiceFactory + Guarded + 'static) -> Self {
        self.routes.add(&handler, false);
        self.map(|scope| scope.service(Recorded(handler)))
    }

    /// Registers a function whose attributes stand on no route attribute.
    ///
    /// ```
    /// use actix_web::{Responder, http::Method};
    /// use auth_core::{auth_required, protected::ProtectedScope};
    ///
    /// #[auth_required]
    /// async fn profile() -> impl Responder {
    ///     "you"
    /// }
    ///
    /// let scope = ProtectedScope::new("/api").route("/profile", Method::GET, profile);
    /// ```
    pub fn route<G: Guard<A, C>, A: 'static, C: 'static>(
        self,
        path: &str,
        method: Method,
        handler: impl GuardedFunction<G, A, C>,
    ) -> Self {
        self.routes.add_route(path, vec![method.to_string().into()], false);
        self.map(|scope| scope.service(recorded_route(path, method, handler)))
    }

    /// Registers a service that was written without a guard, such as a folder of files, and says why it is open: the
    /// guard report shows the reason. It is registered in a scope of this path, so it serves nothing else.
    ///
    /// ```
    /// use actix_web::{HttpResponse, web};
    /// use auth_core::ProtectedScope;
    ///
    /// let robots = web::resource("").to(|| async { HttpResponse::Ok().body("User-agent: *\nDisallow: /\n") });
    /// let scope = ProtectedScope::new("/site").public_service("/robots.txt", "crawlers have no credentials", robots);
    /// ```
    ///
    /// # Panics
    ///
    /// If the path does not begin with a fixed name, as `/`, `/{name}` and `/a{rest:.*}` do not: then guarded paths would be in
    /// it, too.
    pub fn public_service(
        self,
        path: &str,
        reason: &'static str,
        service: impl HttpServiceFactory + 'static,
    ) -> Self {
        let service = PublicService::new(path, reason, service);
        self.routes.add_service(path);
        self.map(|scope| scope.service(service))
    }

    /// Runs a function that registers handlers.
    pub fn configure(self, configure: impl FnOnce(&mut ProtectedConfig<'_>)) -> Self {
        let routes = self.routes.clone();
        self.map(|scope| scope.configure(|config| configure(&mut ProtectedConfig::of(config, routes, false))))
    }

    /// Adds data, as [`Scope::app_data`] does.
    pub fn app_data<U: 'static>(self, data: U) -> Self {
        self.map(|scope| scope.app_data(data))
    }

    /// Adds a guard of actix-web, as [`Scope::guard`] does: it chooses routes, and is no authorization.
    pub fn guard(self, guard: impl RouteGuard + 'static) -> Self {
        self.map(|scope| scope.guard(guard))
    }

    /// Adds middleware, as [`Scope::wrap`] does.
    pub fn wrap<M, B>(
        self,
        middleware: M,
    ) -> ProtectedScope<
        Scope<
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
        ProtectedScope {
            scope: self.scope.wrap(middleware),
            path: self.path,
            guards: self.guards,
            routes: self.routes,
        }
    }

    fn map(self, change: impl FnOnce(Scope<T>) -> Scope<T>) -> Self {
        Self { scope: change(self.scope), ..self }
    }
}

impl<T, B> HttpServiceFactory for ProtectedScope<Scope<T>>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    fn register(self, config: &mut AppService) {
        let Self { scope, path, guards, routes } = self;
        // The default service of the application answers unknown paths here as well.
        let scope = scope.default_service(otherwise(routes.clone(), config.default_service()));
        let scope = scope.wrap(GuardedResponses::of(routes));
        recording::scope(&path, &guards, config.is_root(), || scope.register(config));
    }
}

#[diagnostic::do_not_recommend]
impl<S> Guarded for ProtectedScope<S> {
    fn handler() -> Option<&'static GuardedHandler> {
        None
    }

    fn prefix(&self) -> Option<&str> {
        Some(&self.path)
    }
}

//! The registration of an application: how it authenticates, and which pools its contexts are loaded from.

mod authentication;
mod builder;
mod freshness;
mod identity;
mod log_in_requirement;
mod pools;
mod vary;

use std::{
    any::type_name,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, http::header::HeaderValue, web};
use tokio::time::timeout;

use self::pools::Pools;
pub(crate) use self::{authentication::Next, identity::Identity};
pub use self::{
    builder::{AuthBuilder, AuthConfigError},
    log_in_requirement::LogInRequirement,
};
use crate::{
    context::{ConnectionSource, DynAsyncSource, LoadError},
    error::AuthError,
    event::{Check, NotedRequest, Observer, RequestScope, Requested, check::clock},
    mechanism::DynMechanism,
};

/// The registration of an application, which it makes once, with `App::app_data`.
///
/// Make it outside the factory closure of `HttpServer::new` and register a clone; clones share everything. A
/// guarded handler that finds none answers 500 and logs what to add.
///
/// ```
/// use actix_web::App;
/// use auth_core::Auth;
/// # use auth_core::{User, mechanism::{Authenticated, Mechanism, Rejection}};
/// # struct FromProxy;
/// # impl Mechanism for FromProxy {
/// #     fn name(&self) -> &'static str { "proxy" }
/// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
/// # }
///
/// let auth = Auth::builder().mechanism(FromProxy).build()?;
/// let app = App::new().app_data(auth.clone());
/// # Ok::<(), auth_core::AuthConfigError>(())
/// ```
#[derive(Clone)]
pub struct Auth(Arc<AuthParts>);

struct AuthParts {
    mechanisms: Vec<Box<dyn DynMechanism>>,
    /// An `Arc<dyn ConnectionSource<Connection = C>>` for each type `C` of connections.
    pools: Pools,
    /// An `Arc<dyn DynAsyncSource<C>>` likewise.
    async_pools: Pools,
    on_denied: Option<Box<Render>>,
    hide_unreadable: bool,
    time_limit: Duration,
    observers: Vec<Box<dyn Observer>>,
    /// The headers of a request that an answer depends on, for `Vary`.
    vary: Option<HeaderValue>,
}

/// How long a guard waits by default.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Renders denials.
pub(crate) type Render = dyn Fn(&HttpRequest, &AuthError) -> HttpResponse + Send + Sync;

impl Auth {
    /// The `Auth` that the application registered for this request.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, AuthError> {
        // With two forms, one in an inner and one in an outer scope, it would not be clear which is meant.
        if request.app_data::<web::Data<Self>>().is_some() {
            tracing::error!(
                target: "auth",
                "an `Auth` is registered in a `web::Data`, so every guard answers 500: \
                 register the `Auth` itself, with `.app_data(auth.clone())`"
            );
            return Err(AuthError::Misconfigured);
        }
        request.app_data::<Self>().ok_or_else(|| {
            tracing::error!(
                target: "auth",
                "no `Auth` is registered, so every guard answers 500: \
                 add `.app_data(auth.clone())` to the `App`, with `auth` from `Auth::builder()`"
            );
            AuthError::Misconfigured
        })
    }

    /// The application's renderer of denials of this request, if there is one.
    pub(crate) fn renderer(request: &HttpRequest) -> Option<&Render> {
        request.app_data::<Self>()?.0.on_denied.as_deref()
    }

    /// Whether a context that the subject may not read is answered as if there were none.
    pub(crate) fn hides_unreadable(&self) -> bool {
        self.0.hide_unreadable
    }

    /// Waits for a mechanism or for contexts, up to the time limit. The caller pins the answer, because a future that is
    /// passed on by value takes its room twice.
    pub(crate) async fn in_time<T, E: From<LoadError>>(
        &self,
        answer: impl Future<Output = Result<T, E>> + Unpin,
    ) -> Result<T, E> {
        let limit = self.0.time_limit;
        pin!(timeout(limit, answer)).await.unwrap_or_else(|_| {
            Err(LoadError::unavailable(format!("there was no answer within {limit:?}")).into())
        })
    }

    /// A check of this request that begins now. The observers receive its decision.
    pub(crate) fn check<'a>(&'a self, guard: &'static str, request: &'a HttpRequest) -> Check<'a> {
        Check::new(guard, self.scope(Requested::Here(request)), self.clock())
    }

    /// A check of this request that begins now, on another thread.
    pub(crate) fn check_of<'a>(&'a self, guard: &'static str, request: &'a NotedRequest) -> Check<'a> {
        Check::new(guard, self.scope(Requested::Noted(request)), self.clock())
    }

    /// The check of who sends the request, which began at this time. Made where it is emitted, so that the request does not
    /// carry it along while it waits.
    fn authentication<'a>(&'a self, request: &'a HttpRequest, started: Option<Instant>) -> Check<'a> {
        Check::new("authenticate", self.scope(Requested::Here(request)), started)
    }

    fn scope<'a>(&'a self, request: Requested<'a>) -> RequestScope<'a> {
        RequestScope { request, observers: &self.0.observers }
    }

    /// The time, if an observer or the log receives decisions.
    pub(crate) fn clock(&self) -> Option<Instant> {
        if self.0.observers.is_empty() { clock() } else { Some(Instant::now()) }
    }

    /// Whether an observer or the log receives decisions.
    pub(crate) fn is_observed(&self) -> bool {
        !self.0.observers.is_empty() || clock().is_some()
    }

    /// Emits that a guard or an extractor of the request panicked.
    pub(crate) fn panicked(guard: &'static str, request: &HttpRequest, error: &(dyn StdError + 'static)) {
        let Some(auth) = request.app_data::<Self>() else {
            return Check::begun(None, guard, None).failed(error);
        };
        let check = auth.check(guard, request);
        match auth.cached_identity(request) {
            Some(identity) => identity.checked(check).failed(error),
            None => check.failed(error),
        }
    }

    /// The headers of a request that an answer depends on, for `Vary`.
    pub(crate) fn vary(&self) -> Option<&HeaderValue> {
        self.0.vary.as_ref()
    }

    /// The mechanisms that a guard accepts.
    pub(crate) fn mechanisms(&self, accepted: &LogInRequirement) -> impl Iterator<Item = &dyn DynMechanism> {
        self.configured().filter(|mechanism| accepted.accepts(mechanism.name(), mechanism.is_default()))
    }

    /// All mechanisms, in the order in which they are tried.
    pub(crate) fn configured(&self) -> impl Iterator<Item = &dyn DynMechanism> {
        self.0.mechanisms.iter().map(|mechanism| &**mechanism)
    }

    /// The pool of connections of this type, if there is one.
    pub(crate) fn registered_pool<C: 'static>(&self) -> Option<&Arc<dyn ConnectionSource<Connection = C>>> {
        self.0.pools.of::<C, _>()
    }

    /// The pool of connections of this type. The log says what to add if there is none.
    pub(crate) fn pool<C: 'static>(&self) -> Result<&Arc<dyn ConnectionSource<Connection = C>>, AuthError> {
        self.registered_pool().ok_or_else(|| {
            tracing::error!(
                target: "auth",
                connection = type_name::<C>(),
                "no pool lends such connections, so contexts cannot be loaded: \
                 add `.connections(pool)` to `Auth::builder()`"
            );
            AuthError::Misconfigured
        })
    }

    /// The pool of connections of this type that are awaited. The log says what to add if there is none.
    pub(crate) fn async_pool<C: 'static>(&self) -> Result<&Arc<dyn DynAsyncSource<C>>, AuthError> {
        self.0.async_pools.of::<C, _>().ok_or_else(|| {
            tracing::error!(
                target: "auth",
                connection = type_name::<C>(),
                "no pool lends such connections, so contexts cannot be loaded: \
                 add `.async_connections(pool)` to `Auth::builder()`"
            );
            AuthError::Misconfigured
        })
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mechanisms: Vec<_> = self.0.mechanisms.iter().map(|mechanism| mechanism.name()).collect();
        f.debug_struct("Auth").field("mechanisms", &mechanisms).finish_non_exhaustive()
    }
}

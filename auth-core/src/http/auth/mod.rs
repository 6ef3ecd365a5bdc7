//! What an application registers once: how it authenticates, and where contexts are loaded from.

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
    time::{Duration, SystemTime},
};

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header::HeaderValue, web};
use thiserror::Error;
use tokio::time::timeout;

pub use self::log_in_requirement::LogInRequirement;
use self::pools::Pools;
use crate::{
    context::{AsyncConnectionSource, ConnectionSource, DynAsyncSource, LoadError, Next, NoConnection},
    error::AuthError,
    event::{Check, Observer, RequestScope, check::clock},
    mechanism::{Authenticated, CLOCK_SKEW, Challenge, DynMechanism, Grace, Mechanism, Rejection, Why},
    vocabulary::{AllowReason, Decision, DenyReason, Subject},
};

/// What an application registers once, with `App::app_data`.
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
    /// What an answer depends on of a request, as `Vary` says it.
    vary: Option<HeaderValue>,
}

/// How long a guard waits, if the application says nothing.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What renders denials.
pub(crate) type Render = dyn Fn(&HttpRequest, &AuthError) -> HttpResponse + Send + Sync;

impl Auth {
    /// Starts with nothing: no mechanism and no connections.
    pub fn builder() -> AuthBuilder {
        AuthBuilder {
            mechanisms: Vec::new(),
            pools: Pools::default(),
            async_pools: Pools::default(),
            twice: None,
            on_denied: None,
            hide_unreadable: false,
            time_limit: TIME_LIMIT,
            observers: Vec::new(),
        }
        .connections(NoConnection)
    }

    /// What the application registered for this request.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, AuthError> {
        // Of two forms, one in an inner and one in an outer scope, it could not be told which is meant.
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

    /// What renders denials of this request, if the application has said so.
    pub(crate) fn renderer(request: &HttpRequest) -> Option<&Render> {
        request.app_data::<Self>()?.0.on_denied.as_deref()
    }

    /// Whether a context that the subject may not read is answered as if there were none.
    pub(crate) fn hides_unreadable(&self) -> bool {
        self.0.hide_unreadable
    }

    /// Waits for a mechanism or for contexts, but not for ever.
    pub(crate) async fn in_time<T, E: From<LoadError>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let limit = self.0.time_limit;
        pin!(timeout(limit, answer)).await.unwrap_or_else(|_| {
            Err(LoadError::unavailable(format!("there was no answer within {limit:?}")).into())
        })
    }

    /// What is about to be decided about this request, of which the observers are told.
    pub(crate) fn check<'a>(&'a self, guard: &'static str, request: &'a HttpRequest) -> Check<'a> {
        Check::new(guard, RequestScope { request, observers: &self.0.observers })
    }

    /// Whether somebody is told of decisions.
    pub(crate) fn is_observed(&self) -> bool {
        !self.0.observers.is_empty() || clock().is_some()
    }

    /// Tells that what decides about the request panicked.
    pub(crate) fn panicked(guard: &'static str, request: &HttpRequest, error: &(dyn StdError + 'static)) {
        let Some(auth) = request.app_data::<Self>() else {
            return Check::begun(None, guard, None).failed(error);
        };
        let check = auth.check(guard, request);
        match auth.cached_identity(request) {
            Some(found) => found.checked(check).failed(error),
            None => check.failed(error),
        }
    }

    /// The request's subject, by a mechanism that the guard accepts; 401 where nobody is logged in. It may be known already.
    /// What comes `next` may be done on the mechanism's thread.
    pub(crate) async fn authenticate(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        is_known: bool,
        next: Next,
    ) -> Result<Identity, AuthError> {
        let check = self.check("authenticate", request);
        let found = pin!(self.find(request, accepted, is_known, &next, &check)).await;
        let Some(found) = self.noting_nobody(request, found)? else {
            check.decided(Decision::Deny(DenyReason::Anonymous));
            return Err(self.unauthenticated(accepted, "", Why::Missing));
        };
        let started = check.started.map(|started| started + next.took());
        let check = Check { started, ..found.checked(check) };
        if let Some(within) = self.stale(request, accepted, &found) {
            check.decided(Decision::Deny(DenyReason::Stale));
            return Err(self.unauthenticated(accepted, found.mechanism, Why::Stale { within }));
        }
        if !is_known {
            check.decided(Decision::Allow(AllowReason::Match));
        }
        Ok(found)
    }

    /// The time that was exceeded, if the subject proved too long ago who it is, and no grace period lasts.
    ///
    /// After `check_and_update_authn_fresh` of Flask-Security: a grace period begins when a guard that has
    /// one lets somebody in, and each such guard that is passed sets its end anew. Unlike there, it opens no
    /// guard that asks for more than the one that began it.
    fn stale(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        found: &Identity,
    ) -> Option<Duration> {
        let within = accepted.within?;
        let now = SystemTime::now();
        let recent = accepted.is_recent(&found.authenticated, now);
        let Some(lasting) = accepted.grace else {
            return (!recent).then_some(within);
        };
        let mut mechanisms = self.configured();
        let Some(mechanism) = mechanisms.find(|mechanism| mechanism.name() == found.mechanism) else {
            return Some(within);
        };
        let begun = if recent {
            within
        } else {
            let kept = mechanism.grace(request).filter(|kept| {
                // Not longer than this guard would make it, whatever a clock or another guard has said.
                let rest = kept.until.duration_since(now).unwrap_or_default();
                kept.within <= within && !rest.is_zero() && rest <= lasting.saturating_add(CLOCK_SKEW)
            });
            match kept {
                Some(kept) => kept.within,
                None => return Some(within),
            }
        };
        if let Some(until) = now.checked_add(lasting) {
            mechanism.keep_grace(request, Grace { until, within: begun });
        }
        None
    }

    /// The subject that the handler's guard found, or else that of a mechanism which is accepted by default,
    /// if there is one.
    pub(crate) async fn current(&self, request: &HttpRequest) -> Result<Option<Identity>, AuthError> {
        if let Some(found) = self.cached_identity(request) {
            return Ok(Some(found));
        }
        let by_default = LogInRequirement::any_mechanism();
        if self.mechanisms(&by_default).next().is_none() {
            return Ok(None);
        }
        let check = self.check("authenticate", request);
        let found = self.find(request, &by_default, false, &Next::default(), &check).await;
        let found = self.noting_nobody(request, found)?;
        Ok(found.inspect(|found| found.checked(check).decided(Decision::Allow(AllowReason::Match))))
    }

    /// The same for who has to be somebody: 401 where nobody is logged in.
    pub(crate) async fn current_or_refused(&self, request: &HttpRequest) -> Result<Identity, AuthError> {
        match self.cached_identity(request) {
            Some(found) => Ok(found),
            None => {
                self.authenticate(request, &LogInRequirement::any_mechanism(), false, Next::default()).await
            }
        }
    }

    /// What was found. The request keeps that it was nobody, for a handler may go on without anybody.
    fn noting_nobody(
        &self,
        request: &HttpRequest,
        found: Result<Option<Identity>, AuthError>,
    ) -> Result<Option<Identity>, AuthError> {
        if !matches!(found, Ok(Some(_))) {
            request.extensions_mut().insert(NobodyFound(self.clone()));
        }
        found
    }

    /// Asks the accepted mechanisms in the order in which they were added, until one finds somebody, who is not looked for
    /// again in this request.
    async fn find(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        is_known: bool,
        next: &Next,
        check: &Check<'_>,
    ) -> Result<Option<Identity>, AuthError> {
        let is_accepted =
            |found: &Identity| self.mechanisms(accepted).any(|asked| asked.name() == found.mechanism);
        if is_known && let Some(found) = self.cached_identity(request).filter(is_accepted) {
            return Ok(Some(found));
        }
        let mut is_asked = false;
        for mechanism in self.mechanisms(accepted) {
            is_asked = true;
            // Made where something is told of it, so that the request does not carry it along while it waits.
            let check = || Check { mechanism: Some(mechanism.name()), ..*check };
            let answer = pin!(self.in_time(mechanism.authenticate_and(request, next.clone()))).await;
            match answer {
                Ok(None) => {}
                Ok(Some(authenticated)) => {
                    let found = Identity { by: self.clone(), mechanism: mechanism.name(), authenticated };
                    let before = request.extensions_mut().insert(found.clone());
                    // An outer guard let in somebody else, by a mechanism that this one does not accept; or another
                    // extractor did meanwhile.
                    if let Some(other) = before.filter(|other| other.is_by(self) && !other.is(&found)) {
                        request.extensions_mut().insert(other);
                        found.checked(check()).decided(Decision::Deny(DenyReason::BadCredentials));
                        return Err(self.unauthenticated(accepted, mechanism.name(), Why::Rejected));
                    }
                    return Ok(Some(found));
                }
                Err(Rejection::BadCredentials) => {
                    check().decided(Decision::Deny(DenyReason::BadCredentials));
                    return Err(self.unauthenticated(accepted, mechanism.name(), Why::Rejected));
                }
                Err(Rejection::TooManyRequests { retry_after }) => {
                    let decision = Decision::Deny(DenyReason::TooManyRequests { retry_after });
                    check().decided(decision);
                    return Err(AuthError::TooManyRequests { retry_after });
                }
                Err(Rejection::Unavailable(error)) => {
                    let subject = next.subject();
                    Check { subject: subject.as_deref(), ..check() }.failed(&*error);
                    return Err(AuthError::Unavailable);
                }
                Err(Rejection::CrossSite) => {
                    check().decided(Decision::Deny(DenyReason::CrossSite));
                    return Err(AuthError::Forbidden);
                }
                Err(Rejection::Misconfigured) => return Err(check().misconfigured()),
            }
        }
        if !is_asked {
            tracing::error!(
                target: "auth",
                ?accepted,
                configured = ?self,
                "a guard accepts none of the configured mechanisms, so it answers 500: \
                 add one that it accepts to `Auth::builder()`, or name one in the attribute that is there"
            );
            return Err(check.misconfigured());
        }
        Ok(None)
    }

    /// Whether a subject was found before for this request, so that no mechanism may be asked any more.
    pub(crate) fn has_cached_identity(&self, request: &HttpRequest) -> bool {
        request.extensions().get::<Identity>().is_some_and(|found| found.is_by(self))
    }

    /// What this very `Auth` found before for this request; an inner scope may have registered another one.
    fn cached_identity(&self, request: &HttpRequest) -> Option<Identity> {
        let extensions = request.extensions();
        extensions.get::<Identity>().filter(|found| found.is_by(self)).cloned()
    }

    /// Whoever looked for the caller of this request, if somebody did: the answer depends on what was found.
    pub(crate) fn of_answer(request: &HttpRequest) -> Option<Self> {
        let extensions = request.extensions();
        let nobody = || extensions.get::<NobodyFound>().map(|NobodyFound(auth)| auth);
        extensions.get::<Identity>().map(|found| &found.by).or_else(nobody).cloned()
    }

    /// What an answer depends on of a request, as `Vary` says it.
    pub(crate) fn vary(&self) -> Option<&HeaderValue> {
        self.0.vary.as_ref()
    }

    /// Those that a guard accepts.
    pub(crate) fn mechanisms(&self, accepted: &LogInRequirement) -> impl Iterator<Item = &dyn DynMechanism> {
        self.configured().filter(|mechanism| accepted.accepts(mechanism.name(), mechanism.is_default()))
    }

    /// All of them, in the order in which they are tried.
    pub(crate) fn configured(&self) -> impl Iterator<Item = &dyn DynMechanism> {
        self.0.mechanisms.iter().map(|mechanism| &**mechanism)
    }

    /// A 401 with the challenges of all accepted mechanisms; that of `mechanism` says why it let nobody in.
    fn unauthenticated(&self, accepted: &LogInRequirement, mechanism: &str, why: Why) -> AuthError {
        let challenge = |asked: &dyn DynMechanism| {
            let why = if asked.name() == mechanism { why } else { Why::Missing };
            asked.challenge(&Challenge { why, realm: accepted.realm })
        };
        AuthError::Unauthenticated(self.mechanisms(accepted).filter_map(challenge).collect())
    }

    /// Who lends connections of this type, if somebody does.
    pub(crate) fn find_source<C: 'static>(&self) -> Option<&Arc<dyn ConnectionSource<Connection = C>>> {
        self.0.pools.of::<C, _>()
    }

    /// Who lends connections of this type.
    pub(crate) fn source<C: 'static>(&self) -> Result<&Arc<dyn ConnectionSource<Connection = C>>, AuthError> {
        self.find_source().ok_or_else(|| {
            tracing::error!(
                target: "auth",
                connection = type_name::<C>(),
                "no pool lends such connections, so contexts cannot be loaded: \
                 add `.connections(pool)` to `Auth::builder()`"
            );
            AuthError::Misconfigured
        })
    }

    /// Who lends connections of this type that are awaited.
    pub(crate) fn async_source<C: 'static>(&self) -> Result<&Arc<dyn DynAsyncSource<C>>, AuthError> {
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

/// Kept with a request that has no credentials, or wrong ones, where that decided about the answer.
struct NobodyFound(Auth);

/// What authentication found, kept with the request.
#[derive(Clone)]
pub(crate) struct Identity {
    by: Auth,
    pub(crate) mechanism: &'static str,
    authenticated: Authenticated,
}

impl Identity {
    pub(crate) fn subject(&self) -> Arc<dyn Subject> {
        Arc::clone(&self.authenticated.subject)
    }

    /// The same check, of this subject.
    pub(crate) fn checked<'a>(&'a self, check: Check<'a>) -> Check<'a> {
        Check { subject: Some(&*self.authenticated.subject), mechanism: Some(self.mechanism), ..check }
    }

    /// Whether this very `Auth` found it.
    fn is_by(&self, auth: &Auth) -> bool {
        Arc::ptr_eq(&self.by.0, &auth.0)
    }

    /// Whether this is the same subject. Subjects of two types may have the same ids.
    fn is(&self, other: &Self) -> bool {
        let (one, other) = (&*self.authenticated.subject, &*other.authenticated.subject);
        one.type_id() == other.type_id() && one.id() == other.id()
    }
}

/// Collects what an [`Auth`] consists of.
#[must_use = "call `build`"]
pub struct AuthBuilder {
    mechanisms: Vec<Box<dyn DynMechanism>>,
    pools: Pools,
    async_pools: Pools,
    twice: Option<&'static str>,
    on_denied: Option<Box<Render>>,
    hide_unreadable: bool,
    time_limit: Duration,
    observers: Vec<Box<dyn Observer>>,
}

impl AuthBuilder {
    /// Adds a mechanism. They are tried in the order in which they are added.
    pub fn mechanism(mut self, mechanism: impl Mechanism) -> Self {
        self.mechanisms.push(Box::new(mechanism));
        self
    }

    /// Adds the pool from which the contexts with this connection type are loaded.
    pub fn connections<S: ConnectionSource>(mut self, source: S) -> Self {
        let source: Arc<dyn ConnectionSource<Connection = S::Connection>> = Arc::new(source);
        if !self.pools.add::<S::Connection>(source) {
            self.twice = Some(type_name::<S::Connection>());
        }
        self
    }

    /// The same for connections that are awaited and not blocked on, such as those of `diesel-async`.
    pub fn async_connections<S: AsyncConnectionSource>(mut self, source: S) -> Self {
        let source: Arc<dyn DynAsyncSource<S::Connection>> = Arc::new(source);
        if !self.async_pools.add::<S::Connection>(source) {
            self.twice = Some(type_name::<S::Connection>());
        }
        self
    }

    /// Says how denials of all handlers under this [`Auth`] are rendered. Left out, as problem documents
    /// ([`denial::problem`](crate::http::denial::problem)).
    ///
    /// The renderer gets the request and what it is answered with, and makes any page of it, or a redirect
    /// to a log-in. [`denial`](crate::http::denial) has ready ones, and says what holds for all of them. An
    /// attribute's `on_denied = path` takes its place for one handler.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, http::header};
    /// use auth_core::{Auth, AuthError, denial};
    /// # use auth_core::{User, mechanism::{Authenticated, Mechanism, Rejection}};
    /// # struct FromProxy;
    /// # impl Mechanism for FromProxy {
    /// #     fn name(&self) -> &'static str { "proxy" }
    /// #     async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
    /// # }
    ///
    /// fn to_log_in(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    ///     match error {
    ///         AuthError::Unauthenticated(_) => {
    ///             HttpResponse::SeeOther().insert_header((header::LOCATION, "/log-in")).finish()
    ///         }
    ///         _ => denial::page_or_problem(request, error),
    ///     }
    /// }
    ///
    /// let auth = Auth::builder().mechanism(FromProxy).on_denied(to_log_in).build()?;
    /// # Ok::<(), auth_core::AuthConfigError>(())
    /// ```
    pub fn on_denied(
        mut self,
        render: impl Fn(&HttpRequest, &AuthError) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.on_denied = Some(Box::new(render));
        self
    }

    /// Hides contexts from those who may not read them: whatever a guard asks of such a context, it answers
    /// 404 instead of 403. Status, headers and body are those of a context that does not exist, so that
    /// nobody learns by guessing ids which ones there are. Left out, a guard answers 403. What
    /// `#[derive(LoadContext)]` loads costs one statement, hidden or missing; a loader of the application's own is followed by
    /// a second one where the policy asks parents, and a context that is missing is not.
    ///
    /// A denial to who may read the context stays a 403. So does one that comes before the context is loaded,
    /// as of a role: it is the same whether the context exists or not. The log has the reason in each case,
    /// with `hidden = true` where a 404 is one of these. What a handler asks itself, as by
    /// `Stored::authorize_for_update`, is not hidden: it tells a denial from what is not there.
    ///
    /// ```
    /// use auth_core::Auth;
    /// # use auth_core::{User, mechanism::{Authenticated, Mechanism, Rejection}};
    /// # struct FromProxy;
    /// # impl Mechanism for FromProxy {
    /// #     fn name(&self) -> &'static str { "proxy" }
    /// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
    /// # }
    ///
    /// let auth = Auth::builder().mechanism(FromProxy).hide_unreadable().build()?;
    /// # Ok::<(), auth_core::AuthConfigError>(())
    /// ```
    pub fn hide_unreadable(mut self) -> Self {
        self.hide_unreadable = true;
        self
    }

    /// Says how long a guard waits for a mechanism, for the contexts of one attribute, and for what the database says of
    /// contexts that a function has loaded, before it answers 503. Where the context is loaded on the thread that found the
    /// subject, this is for both together, and what is told is a failure to authenticate, with the subject once it is known.
    /// Left out, 30 s; so long may an asynchronous `ctx_loader` take in any case.
    ///
    /// The request is answered then, whatever still goes on. A thread for blocking work is free again only when its work
    /// returns. A connection that is awaited is closed, for half an answer may be left in it, and the database may go on with
    /// its statement beside those of the pool. So tell the database, too, how long a statement may take.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use auth_core::Auth;
    /// # use auth_core::{User, mechanism::{Authenticated, Mechanism, Rejection}};
    /// # struct FromProxy;
    /// # impl Mechanism for FromProxy {
    /// #     fn name(&self) -> &'static str { "proxy" }
    /// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
    /// # }
    ///
    /// let auth = Auth::builder().mechanism(FromProxy).time_limit(Duration::from_secs(10)).build()?;
    /// # Ok::<(), auth_core::AuthConfigError>(())
    /// ```
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Adds somebody who is told of each decision about a request, as an [`Event`](crate::event::Event). There may be
    /// several. They run on the event loop, so they must not block.
    ///
    /// ```
    /// use auth_core::{Auth, event::{Event, Observer}};
    /// # use auth_core::mechanism::{Authenticated, Mechanism, Rejection};
    /// # struct FromProxy;
    /// # impl Mechanism for FromProxy {
    /// #     fn name(&self) -> &'static str { "proxy" }
    /// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
    /// # }
    ///
    /// struct PrintDenials;
    ///
    /// impl Observer for PrintDenials {
    ///     fn decided(&self, event: &Event<'_>) {
    ///         if !event.decision.is_allowed() {
    ///             println!("{event:?}");
    ///         }
    ///     }
    /// }
    ///
    /// let auth = Auth::builder().mechanism(FromProxy).observer(PrintDenials).build()?;
    /// # Ok::<(), auth_core::AuthConfigError>(())
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Checks what was collected.
    ///
    /// # Errors
    ///
    /// If there is no mechanism, if two have the same name, or if two pools lend the same type of connection.
    pub fn build(self) -> Result<Auth, AuthConfigError> {
        if self.mechanisms.is_empty() {
            return Err(AuthConfigError::NoMechanism);
        }
        for (index, mechanism) in self.mechanisms.iter().enumerate() {
            if self.mechanisms.iter().take(index).any(|earlier| earlier.name() == mechanism.name()) {
                return Err(AuthConfigError::MechanismTwice { name: mechanism.name() });
            }
        }
        if let Some(connection) = self.twice {
            return Err(AuthConfigError::ConnectionsTwice { connection });
        }
        Ok(Auth(Arc::new(AuthParts {
            vary: vary::of(&self.mechanisms),
            mechanisms: self.mechanisms,
            pools: self.pools,
            async_pools: self.async_pools,
            on_denied: self.on_denied,
            hide_unreadable: self.hide_unreadable,
            time_limit: self.time_limit,
            observers: self.observers,
        })))
    }
}

/// An [`Auth`] cannot be made of what was collected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthConfigError {
    /// Nobody could log in.
    #[error("no mechanism: nobody could log in; add one with `.mechanism(…)`")]
    NoMechanism,
    /// Two mechanisms have the same name.
    #[error(
        "two mechanisms are named `{name}`; remove one, or let one ask the other, as `Jwt::or_opaque` does"
    )]
    MechanismTwice {
        /// The name.
        name: &'static str,
    },
    /// It is not clear which pool a context comes from.
    #[error("two pools lend `{connection}`; remove one, or wrap its connections in a type of their own")]
    ConnectionsTwice {
        /// The type of the connections.
        connection: &'static str,
    },
}

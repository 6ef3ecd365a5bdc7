//! Guards: an attribute puts one before its handler.
//!
//! The attributes write a [`Guard`], or the data of one, and this module does the rest in the order of the phases: it
//! authenticates the caller, checks the subject, loads and checks contexts, and only then extracts the handler's other
//! arguments, which reads the body. No other module decides about a handler's access.

mod app_pools;
mod context_check;
mod contexts;
mod declarative;
mod first;
mod handler;
mod id_place;
mod loader;
pub(crate) mod progress;
mod requirements;
mod scope_guard;

use std::{
    future::Future,
    marker::PhantomData,
    pin::{Pin, pin},
    sync::Arc,
};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

pub(crate) use self::handler::guards;
pub use self::{
    declarative::{Checked, ContextFrom, DeclarativeGuard, Other},
    handler::{GuardedHandler, Route},
    id_place::IdPlace,
    loader::{finish, finish_blocking},
    requirements::{
        Argument, CallerRequirement, ContextRequirement, PlainArgument, Quantifier, Requirements,
        SubjectAttribute, SubjectCheck, assert_proof,
    },
    scope_guard::ScopeGuard,
};
use self::{first::First, requirements::proves_what_is_checked};
use crate::{
    error::AuthError,
    event::Check,
    http::{
        auth::{Auth, LogInRequirement},
        catch_panic::caught,
        denial::{self, OnDenied},
    },
    vocabulary::{Decision, DenyReason, Subject},
};

/// A handler as its attributes describe it. The struct that a route attribute makes of the handler implements it, or else a
/// type of its own.
#[doc(hidden)]
pub trait Described: 'static {
    /// The renderer of this handler's denials, in place of the application's.
    const ON_DENIED: Option<OnDenied> = None;

    /// The handler and its requirements. A function, because a constant costs the compiler more.
    fn handler() -> &'static GuardedHandler;
}

/// All checks of a handler, in the order of their phases.
///
/// An attribute writes a [`DeclarativeGuard`] where it can, which is a list of types. It writes the code of this one where a
/// context is made of the handler's arguments.
///
/// `T` are the handler's arguments, as a tuple, and `C` the contexts that it does not take: as arguments of the trait they may
/// be private where the guard is not.
#[doc(hidden)]
pub trait Guard<T: 'static, C: 'static = ()>: Described {
    fn admit(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<T, Error>>;
}

/// The arguments of a guarded handler, which exist only if its guard let the request in.
///
/// The attributes put this extractor into the handler's signature. It is the only one there, because
/// actix-web polls several extractors together, and then the body would be read while the guard still checks.
///
/// `G` is the guard, and `T` and `C` are those of [`Guard`].
#[non_exhaustive]
pub struct Admitted<G, T, C = ()>(pub T, PhantomData<fn() -> (G, C)>);

// No associated function: the compiler would suggest it to those who make an `Admitted` by hand.
pub(crate) fn admitted<G, T, C>(arguments: T) -> Admitted<G, T, C> {
    Admitted(arguments, PhantomData)
}

impl<G: Described, T, C> Admitted<G, T, C> {
    /// The renderer for a guard around this one.
    #[doc(hidden)]
    pub const ON_DENIED: Option<OnDenied> = G::ON_DENIED;

    /// The guard that another one is around.
    #[doc(hidden)]
    #[must_use]
    pub fn handler() -> &'static GuardedHandler {
        G::handler()
    }
}

impl<G: Guard<T, C>, T: 'static, C: 'static> FromRequest for Admitted<G, T, C> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        if let Some(render) = G::ON_DENIED {
            denial::render_by(render, &request);
        }
        progress::begins(&request, G::handler());
        Box::pin(async move {
            let arguments = {
                // Pinned where it is made: otherwise the future is moved, with all the room that it reserves.
                let answer = pin!(G::admit(&request, &mut payload));
                caught("guard", &request, answer).await
            };
            arguments.map(admitted).map_err(|error| denial::rendered(&request, payload, error))
        })
    }
}

/// A handler with a decision about its access: it has a guard, or it is `#[public]` on purpose.
///
/// The attributes implement this for what a route attribute such as `#[get]` makes below them. The scopes of
/// [`protected`](crate::protected) take nothing else, and so may a function that registers handlers:
///
/// ```
/// use actix_web::{HttpResponse, Responder, dev::HttpServiceFactory, get, web};
/// use auth_core::{Guarded, auth_required};
///
/// fn register(scope: actix_web::Scope, handler: impl HttpServiceFactory + Guarded + 'static) -> actix_web::Scope {
///     scope.service(handler)
/// }
///
/// #[auth_required]
/// #[get("/profile")]
/// async fn profile() -> impl Responder {
///     HttpResponse::Ok()
/// }
///
/// let scope = register(web::scope("/api"), profile);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no guard",
    label = "any client may run this handler",
    note = "put a guard such as `#[auth_required]` above its route attribute, or `#[public(reason = \"…\")]` if it is \
            open on purpose; one that stands below the route attribute checks, but is not seen here: move it above",
    note = "a function with a guard and without a route attribute goes by `route`, and what others have written by \
            `public_service`"
)]
pub trait Guarded {
    /// The handler as its attributes describe it. `None` for a service of many handlers, each of which has its own.
    #[doc(hidden)]
    fn handler() -> Option<&'static GuardedHandler>;

    /// The path below which it takes everything. `None` for a handler.
    #[doc(hidden)]
    fn prefix(&self) -> Option<&str> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<G: Described> Guarded for G {
    fn handler() -> Option<&'static GuardedHandler> {
        Some(G::handler())
    }
}

/// Phases 1 and 2: authenticates, then runs the checks that need only the subject.
#[doc(hidden)]
pub async fn authenticate<'r>(
    request: &'r HttpRequest,
    handler: &'static GuardedHandler,
) -> Result<Caller<'r>, AuthError> {
    let entry = Entry::of(request, &handler.requirements)?;
    let (caller, _) = entry.authenticate(None::<First<()>>).await?;
    progress::passes(request);
    Ok(caller)
}

/// The guard of a scope, before that of each handler in it.
pub(crate) async fn enter(request: &HttpRequest, requirements: &Requirements<'_>) -> Result<(), AuthError> {
    let enter = async { Entry::of(request, requirements)?.authenticate(None::<First<()>>).await.map(drop) };
    caught("guard", request, enter).await
}

/// A request whose caller is not known yet.
#[doc(hidden)]
pub struct Entry<'r, 'a> {
    request: &'r HttpRequest,
    auth: &'r Auth,
    requirements: &'a Requirements<'a>,
    /// Whether the request keeps an identity. A mechanism looks for one only if this guard does not accept the kept one.
    is_known: bool,
}

impl<'r, 'a: 'r> Entry<'r, 'a> {
    fn of(request: &'r HttpRequest, requirements: &'a Requirements<'a>) -> Result<Self, AuthError> {
        let auth = Auth::of(request)?;
        Ok(Self { request, auth, requirements, is_known: auth.has_cached_identity(request) })
    }

    /// How the caller is to be authenticated.
    fn accepted(&self) -> &'a LogInRequirement {
        match self.requirements.caller {
            CallerRequirement::Authenticated(accepted) => accepted,
            // The attributes require nothing of others, so they never come here. A caller always has an identity.
            CallerRequirement::Everybody(_) | CallerRequirement::Anonymous => {
                const { &LogInRequirement::any_mechanism() }
            }
        }
    }

    /// Phases 1 and 2. The thread that finds the subject may have checked it, and loaded the first context.
    async fn authenticate<T: 'static>(
        &self,
        first: Option<First<T>>,
    ) -> Result<(Caller<'r>, Option<First<T>>), AuthError> {
        let accepted = self.accepted();
        let Self { request, auth, requirements: Requirements { checks, contexts, .. }, is_known } = *self;
        let (identity, mut first) = pin!(auth.authenticate(request, accepted, is_known, first)).await?;
        let caller =
            Caller { request, auth, mechanism: identity.mechanism, subject: identity.subject(), contexts };
        let mut decisions = first.as_mut().map(First::decisions).into_iter().flatten();
        for check in *checks {
            let event = Check { required: Some(check.names), ..caller.begin(check.name()) };
            // Each check that the thread has not decided is decided here.
            let decision = decisions.next().unwrap_or_else(|| check.decide(&*caller.subject));
            event.decided(decision);
            decision.into_result()?;
        }
        Ok((caller, first))
    }
}

/// Phase 1 of a handler for callers who are not logged in. Wrong credentials are not anonymous: 401.
#[doc(hidden)]
pub async fn anonymous(request: &HttpRequest) -> Result<(), AuthError> {
    let auth = Auth::of(request)?;
    let Some(identity) = auth.current(request).await? else {
        progress::passes(request);
        return Ok(());
    };
    let decision = Decision::Deny(DenyReason::LoggedIn);
    identity.checked(auth.check("anonymous_user_required", request)).decided(decision);
    decision.into_result()
}

/// Phase 4: the handler's other arguments.
#[doc(hidden)]
pub async fn extract<E: FromRequest>(request: &HttpRequest, payload: &mut Payload) -> Result<E, Error> {
    E::from_request(request, payload).await.map_err(Into::into)
}

/// The id that an expression of a guard makes. In a closure, so that a `return` in it cannot leave the guard.
#[doc(hidden)]
pub fn evaluate<I>(expression: impl FnOnce() -> I) -> I {
    expression()
}

/// A role of a guard: a constant with a name.
#[doc(hidden)]
#[must_use]
pub const fn role(name: &'static str) -> &'static str {
    assert!(!name.is_empty(), "a role without a name is nobody's");
    name
}

/// A permission that roles carry: a constant with a name.
#[doc(hidden)]
#[must_use]
pub const fn permission(name: &'static str) -> &'static str {
    assert!(!name.is_empty(), "a permission without a name is nobody's");
    name
}

/// The renderer of a handler's denials, which one attribute gives. It is an error at compile time if an attribute under
/// another name, whose guard is inside, gives one as well.
#[doc(hidden)]
#[must_use]
pub const fn on_denied(render: OnDenied, inner: Option<OnDenied>) -> Option<OnDenied> {
    assert!(inner.is_none(), "`on_denied` is given twice; remove one");
    Some(render)
}

/// The authenticated caller of a request, as its guard sees it.
#[doc(hidden)]
pub struct Caller<'r> {
    request: &'r HttpRequest,
    auth: &'r Auth,
    mechanism: &'static str,
    subject: Arc<dyn Subject>,
    /// The guard's requirements of contexts.
    contexts: &'r [ContextRequirement],
}

impl Caller<'_> {
    /// A check that begins now.
    fn begin(&self, guard: &'static str) -> Check<'_> {
        let check = self.auth.check(guard, self.request);
        Check { subject: Some(&*self.subject), mechanism: Some(self.mechanism), ..check }
    }
}

//! Mechanisms: they authenticate the subject of a request.
//!
//! Ready are, each behind a feature: `BearerToken` (`bearer`, which is on by default), `Jwt` (`jwt`),
//! `SessionCookie` (`session`), and `BasicAuth` (`basic`) together with an application's own log-in by a password,
//! `PasswordLogIn`, and its parts: `Passwords`, `Attempts` and `TrustedProxies`. An application implements [`Mechanism`] for others.

mod again;
#[cfg(feature = "basic")]
mod attempts;
#[cfg(any(feature = "basic", feature = "bearer"))]
mod authorization;
#[cfg(feature = "basic")]
mod basic;
#[cfg(feature = "bearer")]
mod bearer;
mod begun;
#[cfg(feature = "jwt")]
pub mod jwt;
#[cfg(feature = "basic")]
mod normal_form;
#[cfg(feature = "basic")]
mod password;
#[cfg(feature = "basic")]
mod password_log_in;
#[cfg(feature = "basic")]
mod proxies;
mod scheme;
#[cfg(feature = "session")]
pub mod session;
#[cfg(feature = "bearer")]
mod token;

use std::{
    error::Error as StdError,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::again::Finder;
pub(crate) use self::again::{Again, FindAgain};
#[doc(hidden)]
pub use self::begun::{Begun, Refused, Work};
#[cfg(feature = "jwt")]
pub use self::jwt::{FindByClaims, Jwt};
pub use self::scheme::Scheme;
#[cfg(feature = "session")]
pub use self::session::{FindBySession, InvalidOrigin, SessionCookie};
#[cfg(feature = "basic")]
pub use self::{
    attempts::{Attempt, AttemptLimits, Attempts, TooManyAttempts},
    basic::{BasicAuth, RealmError},
    normal_form::NormalForm,
    password::{PasswordError, PasswordHash, Passwords},
    password_log_in::{FindByUsername, LogInError, PasswordLogIn},
    proxies::{ForwardedHeader, InvalidProxy, TrustedProxies},
};
#[cfg(feature = "bearer")]
pub use self::{
    bearer::{BearerToken, FindByToken},
    token::{GenerateTokenError, Token, TokenHash},
};
use crate::{context::LoadError, vocabulary::Subject};

/// How far the clock of another machine may be ahead.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// One way to authenticate a request.
///
/// The mechanisms of an [`Auth`](crate::Auth) are tried in their order. The first that recognizes its
/// credentials decides: wrong credentials are a 401 and never a reason to try the next one.
///
/// ```
/// use actix_web::HttpRequest;
/// use auth_core::{User, mechanism::{Authenticated, Mechanism, Rejection}};
///
/// /// Trusts what a proxy in front of the service says.
/// struct FromProxy;
///
/// impl Mechanism for FromProxy {
///     fn name(&self) -> &'static str {
///         "proxy"
///     }
///
///     async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
///         let Some(user) = request.headers().get("x-user") else {
///             return Ok(None);
///         };
///         match user.to_str() {
///             Ok(id) if !id.is_empty() => Ok(Some(User::new(id).into())),
///             _ => Err(Rejection::BadCredentials),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a mechanism",
    note = "use `auth_core::mechanism::BearerToken`, or implement `auth_core::mechanism::Mechanism` for `{Self}`"
)]
pub trait Mechanism: Send + Sync + 'static {
    /// The name by which attributes and logs know the mechanism.
    fn name(&self) -> &'static str;

    /// Whether guards that name no mechanism take this one. Basic is an exception: a browser sends its
    /// credentials with every request, also with those that another site causes.
    fn is_default(&self) -> bool {
        true
    }

    /// The challenge of a 401, for `WWW-Authenticate`. `None` where HTTP knows no scheme for the mechanism.
    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        let _ = challenge;
        None
    }

    /// Where the credentials are in a request, for an `OpenAPI` document. `None` where it is none of these places; then
    /// the scheme of the [`challenge`](Self::challenge) is taken, if it is `Bearer` or `Basic`.
    fn scheme(&self) -> Option<Scheme> {
        None
    }

    /// The request's subject; `None` where the request has no credentials of this mechanism.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] where it has, and they are wrong or cannot be checked.
    fn authenticate(
        &self,
        request: &HttpRequest,
    ) -> impl Future<Output = Result<Option<Authenticated>, Rejection>>;

    /// Reads the credentials without waiting, and returns the work that checks them. A mechanism that leaves this out does
    /// everything in [`authenticate`](Self::authenticate); one that has it comes to the same outcome in both ways.
    #[doc(hidden)]
    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection> {
        let _ = request;
        Ok(Begun::Asynchronous)
    }

    /// The grace period of the request's subject. Only guards that require a recent log-in and have a grace period
    /// themselves call it, once the mechanism has authenticated the request.
    ///
    /// `None` for a mechanism that has nothing to keep it in, such as one of tokens.
    fn grace(&self, request: &HttpRequest) -> Option<Grace> {
        let _ = request;
        None
    }

    /// Keeps a grace period, in place of an earlier one.
    fn keep_grace(&self, request: &HttpRequest, grace: Grace) {
        let _ = (request, grace);
    }
}

/// A grace period: for how long guards let a subject in although its log-in is no longer recent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grace {
    /// When it ends.
    pub until: SystemTime,
    /// How recent the log-in had to be for the guard that began the period. It opens no guard that requires a more recent
    /// one.
    pub within: Duration,
}

/// The challenge of a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// Why the request is not let in.
    pub why: Why,
    /// The realm of the credentials, if the guard names one.
    pub realm: Option<&'static str>,
}

/// Why a request is not let in by a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has no credentials of this mechanism.
    Missing,
    /// It has some, and they are wrong.
    Rejected,
    /// They are right, but the log-in is too long ago.
    Stale {
        /// How long ago it may be.
        within: Duration,
    },
}

/// The subject that a mechanism found, and when it logged in.
#[derive(Clone)]
pub struct Authenticated {
    pub(crate) subject: Arc<dyn Subject>,
    pub(crate) since: Option<SystemTime>,
    pub(crate) again: Option<Again>,
}

impl Authenticated {
    /// Says when the subject logged in, or when its token was issued. A guard that requires this to be recent
    /// (`within = "…"`) denies without it.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Says how the subject is found once more by the same credentials, over the connection of a transaction, for
    /// [`CurrentUser::again`](crate::CurrentUser::again). [`LoadError::NotFound`] means that the credentials do not count
    /// any more. A mechanism that leaves this out has no store to look into.
    ///
    /// ```
    /// # use auth_core::{LoadError, User, mechanism::Authenticated};
    /// # struct Connection;
    /// # fn find(_: u32, _: &mut Connection) -> Result<User, LoadError> { Ok(User::new("mia")) }
    /// fn authenticate(badge: u32, connection: &mut Connection) -> Result<Authenticated, LoadError> {
    ///     let user = find(badge, connection)?;
    ///     Ok(Authenticated::from(user).found_again_by(move |connection: &mut Connection| find(badge, connection)))
    /// }
    /// ```
    #[must_use]
    pub fn found_again_by<S: Subject, C: 'static>(
        mut self,
        find: impl Fn(&mut C) -> Result<S, LoadError> + Send + Sync + 'static,
    ) -> Self {
        self.again = Some(Again::By(Arc::new(Finder::new(find))));
        self
    }
}

impl<S: Subject> From<S> for Authenticated {
    fn from(subject: S) -> Self {
        Self { subject: Arc::new(subject), since: None, again: None }
    }
}

/// Why a mechanism rejects the credentials of a request.
#[derive(Debug, Error)]
pub enum Rejection {
    /// The credentials are malformed, unknown, expired or revoked: 401.
    #[error("the credentials are wrong")]
    BadCredentials,
    /// There were too many attempts, so the credentials are not checked: 429.
    #[error("too many attempts")]
    TooManyRequests {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// The credentials could not be checked: 503.
    #[error("the credentials could not be checked")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The browser sent them on its own, for another site: 403.
    #[error("another site caused the request")]
    CrossSite,
    /// The application lacks what the mechanism needs, and the mechanism has logged what that is: 500.
    #[error("the application lacks what the mechanism needs")]
    Misconfigured,
}

impl Rejection {
    /// The credentials could not be checked because of this error.
    pub fn unavailable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<LoadError> for Rejection {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound => Self::BadCredentials,
            LoadError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// [`Mechanism`], object-safe.
pub(crate) trait DynMechanism: Send + Sync {
    fn name(&self) -> &'static str;

    fn is_default(&self) -> bool;

    fn challenge(&self, challenge: &Challenge) -> Option<String>;

    fn scheme(&self) -> Option<Scheme>;

    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection>;

    fn authenticate<'a>(
        &'a self,
        request: &'a HttpRequest,
    ) -> LocalBoxFuture<'a, Result<Option<Authenticated>, Rejection>>;

    fn grace(&self, request: &HttpRequest) -> Option<Grace>;

    fn keep_grace(&self, request: &HttpRequest, grace: Grace);
}

impl<M: Mechanism> DynMechanism for M {
    fn name(&self) -> &'static str {
        Mechanism::name(self)
    }

    fn is_default(&self) -> bool {
        Mechanism::is_default(self)
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        Mechanism::challenge(self, challenge)
    }

    fn scheme(&self) -> Option<Scheme> {
        Mechanism::scheme(self)
    }

    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection> {
        Mechanism::begin(self, request)
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a HttpRequest,
    ) -> LocalBoxFuture<'a, Result<Option<Authenticated>, Rejection>> {
        Box::pin(Mechanism::authenticate(self, request))
    }

    fn grace(&self, request: &HttpRequest) -> Option<Grace> {
        Mechanism::grace(self, request)
    }

    fn keep_grace(&self, request: &HttpRequest, grace: Grace) {
        Mechanism::keep_grace(self, request, grace);
    }
}

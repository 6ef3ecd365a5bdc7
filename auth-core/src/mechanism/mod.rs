//! Mechanisms: how a request's subject is found.
//!
//! [`BearerToken`] is ready; an application implements [`Mechanism`] for others.

mod bearer;
mod token;

use std::{error::Error as StdError, future::Future, pin::Pin, sync::Arc};

use actix_web::HttpRequest;
use thiserror::Error;

pub use self::{
    bearer::{BearerToken, FindByToken},
    token::{GenerateTokenError, Token, TokenHash},
};
use crate::{context::LoadError, subject::Subject};

/// One way to authenticate a request.
///
/// The mechanisms of an [`Auth`](crate::Auth) are tried in their order. The first that recognizes its credentials
/// decides: wrong credentials are a 401 and never a reason to try the next one.
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

    /// What a 401 says in `WWW-Authenticate`. `None` where HTTP knows no scheme for the mechanism.
    ///
    /// `rejected` tells that the request came with credentials of this mechanism, and that they are wrong.
    fn challenge(&self, rejected: bool) -> Option<&'static str> {
        let _ = rejected;
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
}

/// Who a mechanism found.
#[derive(Clone)]
pub struct Authenticated {
    subject: Arc<dyn Subject>,
}

impl Authenticated {
    pub(crate) fn into_subject(self) -> Arc<dyn Subject> {
        self.subject
    }
}

impl<S: Subject> From<S> for Authenticated {
    fn from(subject: S) -> Self {
        Self { subject: Arc::new(subject) }
    }
}

/// Why a mechanism found nobody although the request has credentials of its kind.
#[derive(Debug, Error)]
pub enum Rejection {
    /// The credentials are malformed, unknown, expired or revoked: 401.
    #[error("the credentials are wrong")]
    BadCredentials,
    /// The credentials could not be checked: 503.
    #[error("the credentials could not be checked")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
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

    fn challenge(&self, rejected: bool) -> Option<&'static str>;

    fn authenticate<'a>(
        &'a self,
        request: &'a HttpRequest,
    ) -> LocalBoxFuture<'a, Result<Option<Authenticated>, Rejection>>;
}

impl<M: Mechanism> DynMechanism for M {
    fn name(&self) -> &'static str {
        Mechanism::name(self)
    }

    fn challenge(&self, rejected: bool) -> Option<&'static str> {
        Mechanism::challenge(self, rejected)
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a HttpRequest,
    ) -> LocalBoxFuture<'a, Result<Option<Authenticated>, Rejection>> {
        Box::pin(Mechanism::authenticate(self, request))
    }
}

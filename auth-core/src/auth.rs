//! What an application registers once: how it authenticates, and where contexts are loaded from.

use std::{
    any::{Any, TypeId, type_name},
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::Arc,
};

use actix_web::{HttpMessage, HttpRequest, web};
use thiserror::Error;

use crate::{
    context::{ConnectionSource, NoConnection},
    decision::{AllowReason, Decision, DenyReason},
    error::{AuthError, Challenges},
    event::Check,
    mechanism::{DynMechanism, Mechanism, Rejection},
    subject::Subject,
};

/// What an application registers once, with `App::app_data`.
///
/// Make it outside the factory closure of `HttpServer::new` and register a clone; clones share everything. A guarded
/// handler that finds none answers 500 and logs what to add.
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
pub struct Auth(Arc<Registered>);

struct Registered {
    mechanisms: Vec<Box<dyn DynMechanism>>,
    /// An `Arc<dyn ConnectionSource<Connection = C>>` for each `TypeId` of a `C`.
    sources: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Auth {
    /// Starts with nothing: no mechanism and no connections.
    pub fn builder() -> AuthBuilder {
        AuthBuilder { mechanisms: Vec::new(), sources: HashMap::new(), twice: None }.connections(NoConnection)
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

    /// The request's subject; 401 where nobody is logged in.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> Result<Arc<dyn Subject>, AuthError> {
        let check = Check::new("authenticate", None);
        self.subject(request, &check).await?.ok_or_else(|| {
            check.decided(Decision::Deny(DenyReason::Anonymous));
            AuthError::Unauthenticated(self.challenges(None))
        })
    }

    /// The request's subject, if somebody is logged in; looked for until one is found.
    pub(crate) async fn subject(
        &self,
        request: &HttpRequest,
        check: &Check<'_>,
    ) -> Result<Option<Arc<dyn Subject>>, AuthError> {
        if let Some(subject) = self.found_before(request) {
            return Ok(Some(subject));
        }
        for mechanism in &self.0.mechanisms {
            match mechanism.authenticate(request).await {
                Ok(None) => {}
                Ok(Some(authenticated)) => {
                    let subject = authenticated.into_subject();
                    let check = Check { subject: Some(&*subject), ..*check };
                    check.decided(Decision::Allow(AllowReason::Match));
                    let found = Found { by: self.clone(), subject: Arc::clone(&subject) };
                    request.extensions_mut().insert(found);
                    return Ok(Some(subject));
                }
                Err(Rejection::BadCredentials) => {
                    check.decided(Decision::Deny(DenyReason::BadCredentials));
                    return Err(AuthError::Unauthenticated(self.challenges(Some(mechanism.name()))));
                }
                Err(Rejection::Unavailable(error)) => {
                    check.failed(&*error);
                    return Err(AuthError::Unavailable);
                }
            }
        }
        Ok(None)
    }

    /// The subject, if this very `Auth` found it before; an inner scope may have registered another one.
    fn found_before(&self, request: &HttpRequest) -> Option<Arc<dyn Subject>> {
        let extensions = request.extensions();
        let found = extensions.get::<Found>()?;
        Arc::ptr_eq(&found.by.0, &self.0).then(|| Arc::clone(&found.subject))
    }

    fn challenges(&self, rejected_by: Option<&str>) -> Challenges {
        let mechanisms = self.0.mechanisms.iter();
        mechanisms
            .filter_map(|mechanism| mechanism.challenge(rejected_by == Some(mechanism.name())))
            .collect()
    }

    /// Who lends connections of this type.
    pub(crate) fn source<C: 'static>(&self) -> Result<&Arc<dyn ConnectionSource<Connection = C>>, AuthError> {
        self.0.sources.get(&TypeId::of::<C>()).and_then(|source| source.downcast_ref()).ok_or_else(|| {
            tracing::error!(
                target: "auth",
                connection = type_name::<C>(),
                "no pool lends such connections, so contexts cannot be loaded: \
                 add `.connections(pool)` to `Auth::builder()`"
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

/// What authentication found, kept with the request.
struct Found {
    by: Auth,
    subject: Arc<dyn Subject>,
}

/// Collects what an [`Auth`] consists of.
#[must_use = "call `build`"]
pub struct AuthBuilder {
    mechanisms: Vec<Box<dyn DynMechanism>>,
    sources: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    twice: Option<&'static str>,
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
        match self.sources.entry(TypeId::of::<S::Connection>()) {
            Entry::Vacant(entry) => {
                entry.insert(Box::new(source));
            }
            Entry::Occupied(_) => self.twice = Some(type_name::<S::Connection>()),
        }
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
        Ok(Auth(Arc::new(Registered { mechanisms: self.mechanisms, sources: self.sources })))
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
    #[error("two mechanisms are named `{name}`; remove one")]
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

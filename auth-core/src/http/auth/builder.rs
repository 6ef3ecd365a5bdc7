//! How an [`Auth`] is made.

use std::{any::type_name, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse};
use thiserror::Error;

use super::{Auth, AuthParts, Render, TIME_LIMIT, pools::Pools, vary};
use crate::{
    context::{AsyncConnectionSource, ConnectionSource, DynAsyncSource, NoConnection},
    error::AuthError,
    event::Observer,
    mechanism::{DynMechanism, Mechanism},
};

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
}

/// Collects the parts of an [`Auth`].
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

    /// Adds a pool of connections that are awaited and not blocked on, such as those of `diesel-async`.
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
    /// The renderer gets the request and its denial, and makes any page of it, or a redirect to a log-in. By
    /// [`denial::caller`](crate::http::denial::caller) it learns who is logged in.
    /// [`denial`](crate::http::denial) has ready ones, and says what holds for all of them. An attribute's `on_denied =
    /// path` takes its place for one handler.
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

    /// Hides contexts from callers who may not read them: whatever permission a guard checks on such a context, it
    /// answers 404 instead of 403. Status, headers and body are those of a context that does not exist, so that guessing
    /// ids does not show which ones exist. Left out, a guard answers 403. A context by `#[derive(LoadContext)]` costs one
    /// statement, hidden or missing; a loader of the application's own is followed by a second one where the policy
    /// refers to parents, and a context that is missing is not.
    ///
    /// A denial to a caller who may read the context stays a 403. So does one that comes before the context is loaded,
    /// as of a role, because it does not depend on whether the context exists. The log has the reason in each case, with
    /// `hidden = true` where a 404 is one of these. A check that a handler makes itself, as by
    /// `Stored::authorize_for_update`, is not hidden: it distinguishes a denial from a missing row.
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
    /// subject, this is for both together, and its event is a failure to authenticate, with the subject once it is known.
    /// Left out, 30 s; so long may an asynchronous `ctx_loader` take in any case.
    ///
    /// The request is answered then, although its work may go on. A thread for blocking work is free again only when its work
    /// returns. A connection that is awaited is closed, for half an answer may be left in it, and the database may go on with
    /// its statement beside those of the pool. So limit the time of a statement in the database, too.
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

    /// Adds an observer, which receives each decision about a request as an [`Event`](crate::event::Event). There may be
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

    /// Checks all of it, and makes the [`Auth`].
    ///
    /// # Errors
    ///
    /// If there is no mechanism, if two have the same name, or if two pools lend one type of connection.
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
    /// There is no mechanism, so no user could log in.
    #[error("no mechanism: nobody could log in; add one with `.mechanism(…)`")]
    NoMechanism,
    /// Two mechanisms have one name.
    #[error(
        "two mechanisms are named `{name}`; remove one, or let one call the other, as `Jwt::or_opaque` does"
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

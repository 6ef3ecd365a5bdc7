//! Log-ins that `actix-session` keeps; behind the feature `session`.
//!
//! The session holds the user's id, the time of the log-in, and the end of a grace period. Everything else about the user
//! is looked up at every request, so a revoked role or a deactivated user is seen at once. Where sessions are
//! stored is the choice of the application: a feature of `actix-session`, and a store for its
//! `SessionMiddleware`.
//!
//! ```
//! use actix_session::{SessionMiddleware, storage::CookieSessionStore};
//! use actix_web::{App, HttpRequest, HttpResponse, cookie::Key, post, web};
//! use auth_core::{
//!     Auth, AuthError, LoadError, NoConnection, User, anonymous_user_required, auth_required,
//!     mechanism::{FindBySession, SessionCookie, session},
//! };
//!
//! struct Member {
//!     id: i32,
//! }
//! # impl auth_core::Subject for Member {
//! #     fn id(&self) -> auth_core::IdRef<'_> { self.id.into() }
//! #     fn account_id(&self) -> Option<auth_core::IdRef<'_>> { None }
//! #     fn has_role(&self, _: &str) -> bool { false }
//! #     fn account_has_role(&self, _: &str) -> bool { false }
//! #     fn admin_roles(&self) -> auth_core::AdminRoles { auth_core::AdminRoles::none() }
//! # }
//!
//! impl FindBySession for Member {
//!     type Id = i32;
//!     type Connection = NoConnection;
//!
//!     fn find_by_id(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
//!         if id == 2 { Ok(Self { id }) } else { Err(LoadError::NotFound) }
//!     }
//! }
//!
//! #[anonymous_user_required]
//! #[post("/log-in")]
//! async fn log_in(request: HttpRequest, password: web::Json<String>) -> Result<HttpResponse, AuthError> {
//!     // Check the password first.
//!     session::log_in(&request, 2)?;
//!     Ok(HttpResponse::NoContent().finish())
//! }
//!
//! #[auth_required("session")]
//! #[post("/log-out")]
//! async fn log_out(request: HttpRequest) -> Result<HttpResponse, AuthError> {
//!     session::log_out(&request)?;
//!     Ok(HttpResponse::NoContent().finish())
//! }
//!
//! let auth = Auth::builder().mechanism(SessionCookie::<Member>::new(NoConnection)).build()?;
//! let key = Key::generate();
//! let app = App::new()
//!     .app_data(auth)
//!     .wrap(SessionMiddleware::new(CookieSessionStore::default(), key))
//!     .service((log_in, log_out));
//! # Ok::<(), auth_core::AuthConfigError>(())
//! ```
//!
//! With `CookieSessionStore` the session is its cookie: a log-out deletes the cookie in the browser, while a
//! copy of it stays good, for as long as the key does. A store on the server, such as Redis, forgets the
//! session. With every store [`FindBySession::logged_out_at`] ends the sessions of a user.
//!
//! If the store does not answer, the middleware answers 500, before any guard.

mod cookie;
mod origin;

#[cfg(feature = "test")]
use std::time::Duration;
use std::{mem, time::SystemTime};

use actix_session::{Session, SessionExt as _};
use actix_web::{HttpMessage as _, HttpRequest};
use serde::{Deserialize, Serialize};

pub use self::{
    cookie::{FindBySession, SessionCookie},
    origin::{InvalidOrigin, PublicOrigin},
};
use super::Grace;
use crate::{error::AuthError, vocabulary::Id};

/// Where the session holds the log-in.
const KEY: &str = "auth";

/// Logs this user in: the session holds the user's id, and the time.
///
/// Check the password, or another proof, before. The session gets a new id, so that an attacker who knew the old one is
/// not logged in with it. The session forgets all that it holds for another user who was logged in.
///
/// # Errors
///
/// [`AuthError::Misconfigured`] if there is no session to be had, with a log line that says what to add.
pub fn log_in(request: &HttpRequest, id: impl Into<Id>) -> Result<(), AuthError> {
    let session = session_of(request)?;
    let log_in = LogIn { id: id.into(), since: SystemTime::now(), grace: None };
    // A log-in that cannot be read may have been any user's.
    if session.contains_key(KEY) && LogIn::of(&session).is_none_or(|before| before.id != log_in.id) {
        session.clear();
    }
    session.renew();
    // A session that was ended by this very request takes nothing any more, and does not say so.
    if session.insert(KEY, log_in).is_err() || !session.contains_key(KEY) {
        tracing::error!(
            target: "auth",
            "nobody is logged in, because the request has ended its session before: log in without `log_out`"
        );
        return Err(AuthError::Misconfigured);
    }
    Ok(())
}

/// Refuses a request that another site caused, by the headers that [`SessionCookie`] reads, whether or not a user is logged
/// in. It is for a log-in that takes a form: otherwise another site can log a browser in as the attacker, who then sees the
/// data that is entered there.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, post, web::Form};
/// use auth_core::{AuthError, mechanism::session, public};
///
/// #[public]
/// #[post("/log-in")]
/// async fn log_in(request: HttpRequest, password: Form<String>) -> Result<HttpResponse, AuthError> {
///     session::refuse_cross_site(&request)?;
///     // Check the password.
///     session::log_in(&request, 2)?;
///     Ok(HttpResponse::NoContent().finish())
/// }
/// ```
///
/// # Errors
///
/// [`AuthError::Forbidden`] if a browser says that the request comes from a page of another origin.
pub fn refuse_cross_site(request: &HttpRequest) -> Result<(), AuthError> {
    if origin::is_foreign(request, &[]) {
        tracing::info!(target: "auth", outcome = "deny", reason = "cross-site", "another site caused a log-in");
        return Err(AuthError::Forbidden);
    }
    Ok(())
}

/// Ends the session, with all that it holds.
///
/// A request that is still under way then and changes its session, as a grace period does, makes
/// `actix-session` store what it knew under a new id, log-in included. Where that matters, let
/// [`FindBySession::logged_out_at`] say when the user logged out.
///
/// # Errors
///
/// [`AuthError::Misconfigured`] if there is no session to be had, with a log line that says what to add.
pub fn log_out(request: &HttpRequest) -> Result<(), AuthError> {
    session_of(request)?.purge();
    Ok(())
}

/// Makes the log-in and its grace period older, as if this time had passed.
#[cfg(feature = "test")]
pub(crate) fn age(request: &HttpRequest, by: Duration) {
    let Some(session) = of_middleware(request) else { return };
    let earlier = |time: SystemTime| time.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH);
    if let Some(LogIn { id, since, grace }) = LogIn::of(&session) {
        let grace = grace.map(|grace| Grace { until: earlier(grace.until), ..grace });
        let aged = LogIn { id, since: earlier(since), grace };
        let _ = session.insert(KEY, aged);
    }
}

/// All that a session holds of a log-in.
#[derive(Serialize, Deserialize)]
struct LogIn {
    id: Id,
    since: SystemTime,
    grace: Option<Grace>,
}

impl LogIn {
    /// A value that is no log-in, perhaps from another version of the application, is none.
    fn of(session: &Session) -> Option<Self> {
        session.get(KEY).unwrap_or_default()
    }
}

fn session_of(request: &HttpRequest) -> Result<Session, AuthError> {
    of_middleware(request).ok_or_else(|| {
        missing_middleware();
        AuthError::Misconfigured
    })
}

fn missing_middleware() {
    tracing::error!(
        target: "auth",
        "no session middleware is registered, so the mechanism `session` answers 500: \
         add `.wrap(SessionMiddleware::new(store, key))` of actix-session 0.11 to the `App`"
    );
}

/// The request's session, if a middleware loaded it and will store it.
///
/// `actix-session` returns an empty one where there is none, and never stores it. So a stand-in is put where a session
/// would be: it is still there afterwards if there was none.
fn of_middleware(request: &HttpRequest) -> Option<Session> {
    const STAND_IN: &str = "auth-stand-in";

    let extensions = mem::take(&mut *request.extensions_mut());
    let inserted = request.get_session().insert(STAND_IN, true);
    request.extensions_mut().extend(extensions);
    let session = request.get_session();
    (inserted.is_ok() && !session.contains_key(STAND_IN)).then_some(session)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        /// Of a session that another version of the application stored, or another application.
        #[test]
        fn reading_never_panics(text in any::<String>()) {
            let _ = serde_json::from_str::<LogIn>(&text);
        }

        #[test]
        fn a_log_in_is_read_as_it_was_stored(
            id in "-?[0-9]{0,40}|\\PC{0,10}",
            since in 0..=u64::from(u32::MAX),
            grace in any::<Option<(u32, u32)>>(),
        ) {
            let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let grace = grace.map(|(until, within)| Grace {
                until: time(until.into()),
                within: Duration::from_secs(within.into()),
            });
            let stored = serde_json::to_string(&LogIn { id: id.into(), since: time(since), grace }).unwrap();
            let read: LogIn = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!((read.since, read.grace), (time(since), grace));
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        }
    }
}

//! Log-ins that `actix-session` keeps; behind the feature `session`.
//!
//! The session holds who logged in, when, and until when a grace period lasts. Everything else about the user
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
//! A store that does not answer is answered by the middleware, with 500, before any guard is asked.

mod origin;

use std::{
    mem,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_session::{Session, SessionExt as _};
use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{Method, header},
};
use serde::{Deserialize, Serialize};

use self::origin::Origin;
pub use self::origin::{InvalidOrigin, PublicOrigin};
use super::{Authenticated, Begun, Grace, Mechanism, Refused, Rejection, Scheme, Work, begun};
use crate::{
    context::{ConnectionSource, LoadError, with_connection},
    error::AuthError,
    vocabulary::{Id, Subject},
};

/// Where the session holds the log-in.
const KEY: &str = "auth";

/// What the middleware calls its cookie, if the application says nothing.
const COOKIE_NAME: &str = "id";

/// How a subject is found by the id that its session holds. Asked at every request.
///
/// Whoever must no longer get in (deactivated users) is `NotFound`.
///
/// The [module](crate::mechanism::session) has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be found by a session",
    note = "implement `auth_core::mechanism::FindBySession` for `{Self}`"
)]
pub trait FindBySession: Subject + Sized {
    /// What names a subject: the type of its key.
    type Id: FromStr + Send + 'static;

    /// What [`find_by_id`](Self::find_by_id) needs, usually a diesel connection.
    type Connection: 'static;

    /// Finds the subject. May block: it is called on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if this user may not get in (any more), which makes the request an anonymous
    /// one; [`LoadError::Unavailable`] if the store failed.
    fn find_by_id(id: Self::Id, connection: &mut Self::Connection) -> Result<Self, LoadError>;

    /// When all sessions of the user were ended, as by a change of the password: log-ins until this time do
    /// not count.
    ///
    /// A time of whole seconds stands for all of its second, as one of whole milliseconds or microseconds for all of
    /// those: a column that keeps no more tells nothing of what was first within it. So keep microseconds, or a log-in that
    /// follows a log-out at once does not count.
    ///
    /// Times of two clocks may contradict each other. An application that counts the log-outs of each user instead, and
    /// has the number in [`Id`](Self::Id) beside the key, compares no times: a session with another number is `NotFound`.
    fn logged_out_at(&self) -> Option<SystemTime> {
        None
    }
}

/// The mechanism `session`: somebody logged in with [`log_in`], and the session remembers.
///
/// A session without a log-in is no credential, and neither is one whose user is gone: such a request is
/// anonymous, as it is when the session has expired. A user who was deactivated can so still reach the log-in
/// page.
///
/// A session holds one log-in. Two mechanisms for two kinds of users, in the `Auth`s of two scopes, need a
/// `SessionMiddleware` each, with cookies of different names: under one, whoever logged in as the one would
/// be the other of the same id.
///
/// A browser sends the cookie with every request, whoever caused it. So a request that is authenticated by
/// its session and may change something is refused with 403 if another site caused it: every method but GET,
/// HEAD, OPTIONS and TRACE, and every upgrade to a WebSocket, for which browsers ask from any page with the
/// cookie and without asking the service first (CORS). `Sec-Fetch-Site` tells; where it is missing,
/// `Origin` is compared with the application's [`PublicOrigin`], or else with `Host` (never with what a proxy adds). A
/// request with neither is not a browser's and is let through. This is asked before the user is looked up. Log-in itself is not covered, because
/// nobody is authenticated then: a log-in that takes a form asks [`refuse_cross_site`].
///
/// A page's own WebSocket is authenticated by the session and by nothing else: `new WebSocket(…)` of a browser
/// sends no `Authorization`. Programs do, and what they send by themselves is not refused.
pub struct SessionCookie<S: FindBySession> {
    source: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    trusted: Vec<Origin>,
    cookie_name: String,
}

impl<S: FindBySession> SessionCookie<S> {
    /// Looks users up over the connections of this pool.
    pub fn new(source: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self { source: Arc::new(source), trusted: Vec::new(), cookie_name: COOKIE_NAME.to_owned() }
    }

    /// Says what the cookie is called, where the application's `SessionMiddleware` gives it a name: for an `OpenAPI`
    /// document, and for nothing else. Left out, it is `id`, as the middleware has it.
    #[must_use]
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Lets pages of this origin change things as well, such as a front end under a name of its own:
    /// `https://app.example.com`.
    ///
    /// # Errors
    ///
    /// If this is not an origin: a scheme, `://`, a host, perhaps a port, and nothing more.
    pub fn trust_origin(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        self.trusted.push(origin.parse()?);
        Ok(self)
    }

    /// Looks up the user of the request's session, if somebody is logged in.
    fn work(&self, request: &HttpRequest) -> Result<Option<Work>, Rejection> {
        let Some(session) = of_middleware(request) else {
            missing_middleware();
            return Err(Rejection::Misconfigured);
        };
        let Some(LogIn { id, since, .. }) = LogIn::of(&session) else {
            return Ok(None);
        };
        if may_change_something(request) && origin::is_foreign(request, &self.trusted) {
            return Err(Rejection::CrossSite);
        }
        let key = id.to_string().parse::<S::Id>();
        let log_gone = move || {
            tracing::debug!(
                target: "auth",
                subject = ?id.as_id_ref(),
                "the user of this session is gone or was logged out everywhere, so the request is anonymous"
            );
        };
        let Ok(key) = key else {
            log_gone();
            return Ok(None);
        };
        let source = Arc::clone(&self.source);
        Ok(Some(Box::new(move || {
            let find = |connection: &mut S::Connection| S::find_by_id(key, connection);
            match with_connection(&*source, find) {
                Ok(subject) if subject.logged_out_at().is_none_or(|end| since > last_of(end)) => {
                    Ok(Authenticated::from(subject).since(since))
                }
                Ok(_) | Err(LoadError::NotFound) => Err(Refused::new(move || {
                    log_gone();
                    None
                })),
                Err(error) => Err(error.into()),
            }
        })))
    }
}

impl<S: FindBySession> Mechanism for SessionCookie<S> {
    fn name(&self) -> &'static str {
        "session"
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::Cookie { name: self.cookie_name.clone() })
    }

    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection> {
        self.work(request).map(Begun::from)
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        begun::run(self.work(request)?).await
    }

    fn grace(&self, request: &HttpRequest) -> Option<Grace> {
        LogIn::of(&of_middleware(request)?)?.grace
    }

    fn keep_grace(&self, request: &HttpRequest, grace: Grace) {
        let Some(session) = of_middleware(request) else { return };
        if let Some(log_in) = LogIn::of(&session) {
            // Without it there is no grace period, which lets nobody in.
            let _ = session.insert(KEY, LogIn { grace: Some(grace), ..log_in });
        }
    }
}

/// The last moment of the second, millisecond or microsecond that this is, as far as a store kept it.
fn last_of(time: SystemTime) -> SystemTime {
    let nanoseconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    let mut units = [1_000_000_000, 1_000_000, 1_000].into_iter();
    let unit = units.find(|unit| nanoseconds.is_multiple_of(*unit)).unwrap_or(1);
    time.checked_add(Duration::from_nanos(u64::from(unit - 1))).unwrap_or(time)
}

/// Logs this user in: the session holds who it is, and that it is now that this was proved.
///
/// Check the password, or whatever proves it, before. The session gets a new id, so that nobody who knew the
/// old one is logged in with it. What the session holds for somebody else who was logged in is forgotten.
///
/// # Errors
///
/// [`AuthError::Misconfigured`] if there is no session to be had, with a log line that says what to add.
pub fn log_in(request: &HttpRequest, id: impl Into<Id>) -> Result<(), AuthError> {
    let session = session_of(request)?;
    let log_in = LogIn { id: id.into(), since: SystemTime::now(), grace: None };
    // What cannot be read may have been anybody's.
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

/// Refuses a request that another site caused, by the same headers as [`SessionCookie`] does, but whoever is logged
/// in. For a log-in that takes a form: otherwise another site can log a browser in as somebody else, who then sees
/// what is entered there.
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

/// All that a session holds about who logged in.
#[derive(Serialize, Deserialize)]
struct LogIn {
    id: Id,
    since: SystemTime,
    grace: Option<Grace>,
}

impl LogIn {
    /// What is no log-in, perhaps from another version of the application, is none.
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
/// `actix-session` makes an empty one for whoever asks where there is none, and that one is never stored. So
/// a stand-in is put where a session would be: it is still there afterwards if there was none.
fn of_middleware(request: &HttpRequest) -> Option<Session> {
    const STAND_IN: &str = "auth-stand-in";

    let extensions = mem::take(&mut *request.extensions_mut());
    let inserted = request.get_session().insert(STAND_IN, true);
    request.extensions_mut().extend(extensions);
    let session = request.get_session();
    (inserted.is_ok() && !session.contains_key(STAND_IN)).then_some(session)
}

/// Whether somebody gains by causing this request without seeing the answer. An upgrade opens a channel in
/// both directions, to which no rule of the same origin applies. HTTP/2 asks for one by CONNECT (RFC 8441).
fn may_change_something(request: &HttpRequest) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(request.method());
    !reads || request.headers().contains_key(header::UPGRADE)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn what_reads_is_asked_for_by_name_and_is_no_upgrade() {
        let changes = |method: Method, upgrade: Option<&str>| {
            let request = TestRequest::default().method(method);
            may_change_something(
                &match upgrade {
                    Some(protocol) => request.insert_header((header::UPGRADE, protocol)),
                    None => request,
                }
                .to_http_request(),
            )
        };
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert!(!changes(method.clone(), None), "{method}");
            for protocol in ["websocket", "WebSocket", "h2c, websocket", ""] {
                assert!(changes(method.clone(), Some(protocol)), "{method} {protocol}");
            }
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "get"] {
            assert!(changes(method.parse().unwrap(), None), "{method}");
        }
    }

    #[test]
    fn a_time_stands_for_all_of_what_its_store_keeps_no_more_of() {
        let at = |nanoseconds| SystemTime::UNIX_EPOCH + Duration::new(1_764_500_000, nanoseconds);
        for (stored, last) in [
            (0, 999_999_999),
            (700_000_000, 700_999_999),
            (701_000_000, 701_999_999),
            (701_002_000, 701_002_999),
            (701_002_003, 701_002_003),
        ] {
            assert_eq!(last_of(at(stored)), at(last), "{stored}");
        }
        let before = SystemTime::UNIX_EPOCH - Duration::new(5, 500_000_001);
        assert!(last_of(before) >= before);
    }

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

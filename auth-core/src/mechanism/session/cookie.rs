//! The mechanism `session`: it looks up the user of a log-in that the session holds.

use std::{
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpRequest,
    http::{Method, header},
};

use super::{
    KEY, LogIn, missing_middleware, of_middleware,
    origin::{self, InvalidOrigin, Origin},
};
use crate::{
    context::{ConnectionSource, LoadError, with_connection},
    mechanism::{Authenticated, Begun, Grace, Mechanism, Refused, Rejection, Scheme, Work, begun},
    vocabulary::Subject,
};

/// The default name of the middleware's cookie.
const COOKIE_NAME: &str = "id";

/// How a subject is found by the id that its session holds. Every request with a log-in calls it.
///
/// For users who must no longer get in, such as deactivated ones, return `NotFound`.
///
/// The [module](crate::mechanism::session) has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be found by a session",
    note = "implement `auth_core::mechanism::FindBySession` for `{Self}`"
)]
pub trait FindBySession: Subject + Sized {
    /// The type of a subject's key.
    type Id: FromStr + Send + 'static;

    /// The connection that [`find_by_id`](Self::find_by_id) needs, usually a diesel connection.
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
    /// those: a column that keeps no more does not say which was first within it. So keep microseconds, or a log-in that
    /// follows a log-out at once does not count.
    ///
    /// Times of two clocks may contradict each other. An application that counts the log-outs of each user instead, and
    /// has the number in [`Id`](Self::Id) beside the key, compares no times: a session with another number is `NotFound`.
    fn logged_out_at(&self) -> Option<SystemTime> {
        None
    }
}

/// The mechanism `session`: a user logs in with [`log_in`](super::log_in), and the session remembers.
///
/// A session without a log-in is no credential, and neither is one whose user is gone: such a request is
/// anonymous, as it is when the session has expired. A user who was deactivated can so still reach the log-in
/// page.
///
/// A session holds one log-in. Two mechanisms for two kinds of users, in the `Auth`s of two scopes, need a
/// `SessionMiddleware` each, with cookies of different names: under one, a user
/// of the one kind would be the user of the other kind with the same id.
///
/// A browser sends the cookie with every request, also with those that another site causes. So a request that is
/// authenticated by its session and may change something is refused with 403 if another site caused it: every method but
/// GET, HEAD, OPTIONS and TRACE, and every upgrade to a WebSocket, which browsers open from any page with the cookie and
/// without a preflight (CORS). `Sec-Fetch-Site` decides; where it is missing, `Origin` is compared with the application's
/// [`PublicOrigin`](super::PublicOrigin), or else with `Host` (never with what a proxy adds). A request with neither is
/// not a browser's and is let through. This is checked before the user is looked up. Log-in itself is not covered,
/// because no user is authenticated then: a log-in that takes a form calls
/// [`refuse_cross_site`](super::refuse_cross_site).
///
/// A page's own WebSocket is authenticated by the session and by nothing else: `new WebSocket(…)` of a browser
/// sends no `Authorization`. Programs do, and what they send by themselves is not refused.
pub struct SessionCookie<S: FindBySession> {
    pool: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    trusted: Vec<Origin>,
    cookie_name: String,
}

impl<S: FindBySession> SessionCookie<S> {
    /// Looks users up over the connections of this pool.
    pub fn new(pool: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self { pool: Arc::new(pool), trusted: Vec::new(), cookie_name: COOKIE_NAME.to_owned() }
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

    /// Looks up the user of the request's session, if a user is logged in.
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
        let text = id.to_string();
        let key = text.parse::<S::Id>();
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
        let pool = Arc::clone(&self.pool);
        Ok(Some(Box::new(move || {
            let find = |connection: &mut S::Connection| Self::find(key, since, connection);
            match with_connection(&*pool, find) {
                Ok(subject) => Ok(Authenticated::from(subject).since(since).found_again_by(
                    move |connection: &mut S::Connection| {
                        let key = text.parse().map_err(|_| LoadError::NotFound)?;
                        Self::find(key, since, connection)
                    },
                )),
                Err(LoadError::NotFound) => Err(Refused::new(move || {
                    log_gone();
                    None
                })),
                Err(error) => Err(error.into()),
            }
        })))
    }

    /// The subject, if the log-in of this time still counts.
    fn find(key: S::Id, since: SystemTime, connection: &mut S::Connection) -> Result<S, LoadError> {
        let subject = S::find_by_id(key, connection)?;
        let counts = subject.logged_out_at().is_none_or(|end| since > last_of(end));
        if counts { Ok(subject) } else { Err(LoadError::NotFound) }
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
            // Without it there is no grace period, so that guards deny.
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

/// Whether another site gains by causing this request without seeing the answer. An upgrade opens a channel in both
/// directions, to which the same-origin policy does not apply. HTTP/2 opens one by CONNECT (RFC 8441).
fn may_change_something(request: &HttpRequest) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(request.method());
    !reads || request.headers().contains_key(header::UPGRADE)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

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
}

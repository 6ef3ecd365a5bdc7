//! Checks, and how a check emits its decision: to the observers, and as a `tracing` event.
//!
//! A decision to allow is a `DEBUG` event, one to deny an `INFO` event; a failure is an `ERROR` event that also has its cause.

use std::{
    borrow::Cow,
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix_web::{HttpRequest, http::Method};
use tracing::{Level, field};

use super::{Event, Observer, micros};
use crate::{
    error::AuthError,
    vocabulary::{Decision, DenyReason, Permission, Subject},
};

/// The most characters of an id that are logged.
const MAX_ID: usize = 256;

/// A check that takes place now, with all that its event says of it.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    /// The attribute's name, `authenticate`, `guard`, or the name of a handler's own rule.
    pub(crate) guard: &'static str,
    /// Nowhere outside of a request.
    pub(crate) scope: Option<RequestScope<'a>>,
    pub(crate) subject: Option<&'a dyn Subject>,
    /// The mechanism that authenticated the subject, or refused its credentials.
    pub(crate) mechanism: Option<&'static str>,
    /// The roles that the guard requires, or the permissions that roles carry.
    pub(crate) required: Option<&'a [&'a str]>,
    pub(crate) permission: Option<Permission>,
    /// The context's type, and its id.
    pub(crate) context: Option<(&'static str, &'a str)>,
    /// Whether the answer to the client is that the context does not exist.
    pub(crate) hidden: bool,
    /// `None` if the check is not observed.
    pub(crate) started: Option<Instant>,
    /// When the check ended, if that was before it emits its decision.
    pub(crate) ended: Option<Instant>,
    /// How long it took to load the context.
    pub(crate) load: Option<Duration>,
}

/// The request that a check is about, and the observers of its decision.
#[derive(Clone, Copy)]
pub(crate) struct RequestScope<'a> {
    pub(crate) request: Requested<'a>,
    pub(crate) observers: &'a [Box<dyn Observer>],
}

/// The request of a check.
#[derive(Clone, Copy)]
pub(crate) enum Requested<'a> {
    Here(&'a HttpRequest),
    /// On another thread, to which the request itself cannot go.
    Noted(&'a NotedRequest),
}

/// The part of an event that is about its request.
pub(crate) struct NotedRequest {
    method: &'static str,
    route: Option<String>,
}

impl NotedRequest {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self { method: known(request.method()), route: request.match_pattern() }
    }
}

impl<'a> Requested<'a> {
    fn method(self) -> &'static str {
        match self {
            Self::Here(request) => known(request.method()),
            Self::Noted(noted) => noted.method,
        }
    }

    fn route(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Here(request) => request.match_pattern().map(Cow::from),
            Self::Noted(noted) => noted.route.as_deref().map(Cow::from),
        }
    }
}

/// The request whose caller a subject is: where checks outside of a guard begin, their events say so and reach the observers.
#[derive(Clone)]
#[cfg_attr(not(feature = "diesel"), expect(dead_code, reason = "checks outside of a guard are about rows"))]
pub(crate) struct Origin(pub(crate) Arc<dyn BeginsChecks>);

/// A request that checks on other threads are a part of.
pub(crate) trait BeginsChecks: Send + Sync {
    /// A check of its caller that begins now.
    fn begin(&self, guard: &'static str) -> Check<'_>;
}

impl Origin {
    #[cfg(feature = "diesel")]
    fn of(subject: &dyn Subject) -> Option<&Self> {
        subject.origin()?.downcast_ref()
    }
}

/// A `tracing` event with what every event of a check has. A macro, for its level is part of its code.
macro_rules! log {
    ($level:ident, $check:ident, $details:ident, $decision:ident) => {
        tracing::$level!(
            target: "auth",
            guard = $check.guard,
            method = $details.method,
            route = $details.route.as_deref(),
            // Quoted and escaped if it is a text: a line break in it must not begin a line of the log.
            subject = $check.subject.map(|subject| field::debug(subject.id())),
            mechanism = $check.mechanism,
            required = $check.required.map(field::debug),
            permission = $check.permission.map(Permission::as_str),
            context = $check.context.map(|(context, _)| context),
            context_id = $check.context.map(|(_, id)| id),
            outcome = $decision.outcome(),
            reason = $decision.reason(),
            hidden = $check.hidden.then_some(true),
            error = $details.error.as_deref(),
            duration_us = micros($details.duration),
            load_us = $check.load.map(micros),
        )
    };
}

impl<'a> Check<'a> {
    /// Within a request, begun at this time.
    pub(crate) fn new(guard: &'static str, scope: RequestScope<'a>, started: Option<Instant>) -> Self {
        Self { scope: Some(scope), ..Self::begun(started, guard, None) }
    }

    /// Outside of a request, begun at this time.
    pub(crate) fn begun(
        started: Option<Instant>,
        guard: &'static str,
        subject: Option<&'a dyn Subject>,
    ) -> Self {
        Self {
            guard,
            scope: None,
            subject,
            mechanism: None,
            required: None,
            permission: None,
            context: None,
            hidden: false,
            started,
            ended: None,
            load: None,
        }
    }

    /// Begun at this time by a subject, who may be the caller of a request.
    #[cfg(feature = "diesel")]
    pub(crate) fn by(started: Option<Instant>, guard: &'static str, subject: &'a dyn Subject) -> Self {
        match Origin::of(subject) {
            Some(origin) => {
                let check = origin.0.begin(guard);
                Self { started: started.or(check.started), ..check }
            }
            None => Self::begun(started, guard, Some(subject)),
        }
    }

    /// This check, of another context of its type.
    pub(crate) fn of(&self, id: &'a str) -> Self {
        // A client may write as much as it likes, but not into the log.
        let end = (id.len() > MAX_ID).then(|| id.char_indices().nth(MAX_ID)).flatten();
        let id = end.and_then(|(end, _)| id.get(..end)).unwrap_or(id);
        Self { context: self.context.map(|(context, _)| (context, id)), ..*self }
    }

    /// Whether the decision is observed. If not, no text is made for its event.
    pub(crate) fn is_observed(&self) -> bool {
        self.started.is_some()
    }

    /// The time, if the check is observed.
    pub(crate) fn begins_to_load(&self) -> Option<Instant> {
        self.started.map(|_| Instant::now())
    }

    /// Counts the load, which ended before this check began, as a part of it.
    pub(crate) fn begun_before_load(self) -> Self {
        let begun = |started: Instant| started.checked_sub(self.load.unwrap_or_default()).unwrap_or(started);
        Self { started: self.started.map(begun), ..self }
    }

    pub(crate) fn has_loaded(&mut self, since: Option<Instant>) {
        self.load = since.map(|since| since.elapsed());
    }

    pub(crate) fn decided(&self, decision: Decision) {
        self.emit(decision, None);
    }

    /// Nothing could be decided, which denies.
    pub(crate) fn failed(&self, error: &(dyn Error + 'static)) {
        self.emit(Decision::Deny(DenyReason::Unavailable), Some(error));
    }

    /// The application lacks what is needed to decide, and the log has what that is.
    pub(crate) fn misconfigured(&self) -> AuthError {
        self.decided(Decision::Deny(DenyReason::Misconfigured));
        AuthError::Misconfigured
    }

    fn observers(&self) -> &'a [Box<dyn Observer>] {
        self.scope.map_or(&[], |scope| scope.observers)
    }

    fn duration(&self) -> Duration {
        let Some(started) = self.started else { return Duration::ZERO };
        self.ended.unwrap_or_else(Instant::now).saturating_duration_since(started)
    }

    fn emit(&self, decision: Decision, error: Option<&(dyn Error + 'static)>) {
        let observers = self.observers();
        // Most requests are allowed: their events would hide the others.
        let level = match error {
            Some(_) => Level::ERROR,
            None if decision.is_allowed() => Level::DEBUG,
            None => Level::INFO,
        };
        if observers.is_empty() && !logs(level) {
            return;
        }
        let details = EventDetails {
            method: self.scope.map(|scope| scope.request.method()),
            route: self.scope.and_then(|scope| scope.request.route()),
            error: error.map(|error| Causes(error).to_string()),
            duration: self.duration(),
        };
        // The level is part of an event's code, so each has its own.
        match level {
            Level::ERROR => log!(error, self, details, decision),
            Level::DEBUG => log!(debug, self, details, decision),
            _ => log!(info, self, details, decision),
        }
        if observers.is_empty() {
            return;
        }
        let event = Event {
            time: SystemTime::now(),
            guard: self.guard,
            method: details.method.unwrap_or(OTHER),
            route: details.route.as_deref(),
            subject: self.subject.map(Subject::id),
            mechanism: self.mechanism,
            required: self.required,
            permission: self.permission,
            context: self.context.map(|(context, _)| context),
            context_id: self.context.map(|(_, id)| id),
            decision,
            hidden: self.hidden,
            error: details.error.as_deref(),
            duration: details.duration,
            load: self.load,
        };
        for observer in observers {
            // It has no say in what becomes of the request.
            if catch_unwind(AssertUnwindSafe(|| observer.decided(&event))).is_err() {
                tracing::error!(target: "auth", route = event.route, "an observer of decisions panicked");
            }
        }
    }
}

/// A text of a client in a field where an id stands: quoted, behind a word that says what it is, so that it looks neither
/// like an id nor like words of the log.
pub(crate) fn quoted(what: &str, text: &str) -> String {
    let mut quoted = format!("{what} \"");
    let mut length = quoted.chars().count();
    for character in text.chars() {
        let escaped = character.escape_debug();
        length += escaped.len();
        // With what ends the quotation.
        if length + 2 > MAX_ID {
            quoted.push('…');
            break;
        }
        quoted.extend(escaped);
    }
    quoted.push('"');
    quoted
}

/// The fields of an event that are computed only if it is observed.
struct EventDetails<'a> {
    method: Option<&'static str>,
    route: Option<Cow<'a, str>>,
    error: Option<String>,
    duration: Duration,
}

/// The time, if a check is logged. If it is not observed, not even the clock is read.
pub(crate) fn clock() -> Option<Instant> {
    [Level::DEBUG, Level::INFO, Level::ERROR].into_iter().any(logs).then(Instant::now)
}

/// The time, if a check by this subject is observed.
#[cfg(feature = "diesel")]
pub(crate) fn clock_of(subject: &dyn Subject) -> Option<Instant> {
    if Origin::of(subject).is_some() { Some(Instant::now()) } else { clock() }
}

fn logs(level: Level) -> bool {
    match level {
        Level::ERROR => tracing::enabled!(target: "auth", Level::ERROR),
        Level::DEBUG => tracing::enabled!(target: "auth", Level::DEBUG),
        _ => tracing::enabled!(target: "auth", Level::INFO),
    }
}

/// A method that HTTP does not define. Named as OpenTelemetry names it.
const OTHER: &str = "_OTHER";

/// The method, or one name for all methods that HTTP does not define.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER)
}

/// An error with its causes.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use actix_web::test::TestRequest;

    use super::*;
    use crate::vocabulary::User;

    #[derive(Default)]
    struct Methods(Mutex<Vec<&'static str>>);

    impl Observer for Methods {
        fn decided(&self, event: &Event<'_>) {
            self.0.lock().unwrap().push(event.method);
        }
    }

    #[test]
    fn a_client_makes_up_no_methods() {
        let methods = Arc::new(Methods::default());
        let observers: [Box<dyn Observer>; 1] = [Box::new(Arc::clone(&methods))];
        for method in ["GET", "PATCH", "PROPFIND", "get", "X"] {
            let request = TestRequest::default().method(method.parse().unwrap()).to_http_request();
            let scope = RequestScope { request: Requested::Here(&request), observers: &observers };
            Check::new("authenticate", scope, None).decided(Decision::Deny(DenyReason::Anonymous));
        }
        assert_eq!(*methods.0.lock().unwrap(), ["GET", "PATCH", "_OTHER", "_OTHER", "_OTHER"]);
    }

    #[test]
    fn a_text_of_a_client_is_quoted() {
        let no_id = |text: &str| quoted("no id", text);
        assert_eq!(no_id(""), r#"no id """#);
        assert_eq!(no_id("3 (no-match): DELETE by Adam"), r#"no id "3 (no-match): DELETE by Adam""#);
        assert_eq!(
            no_id("1\" outcome=allow\n\u{202e}\0\u{301}"),
            r#"no id "1\" outcome=allow\n\u{202e}\0\u{301}""#
        );
        for long in ["9".repeat(5_000), "\u{202e}".repeat(5_000), "é".repeat(5_000)] {
            let quoted = no_id(&long);
            assert!(quoted.ends_with("…\""), "{quoted}");
            assert!((240..=MAX_ID).contains(&quoted.chars().count()), "{quoted}");
        }
        // As long as it may be.
        let whole = "9".repeat(MAX_ID - 9);
        assert_eq!(no_id(&whole), format!("no id \"{whole}\""));
    }

    #[test]
    fn a_check_that_is_not_observed_allocates_nothing_and_reads_no_clock() {
        let request = TestRequest::default().to_http_request();
        let subject = User::new("mia");
        let scope = RequestScope { request: Requested::Here(&request), observers: &[] };
        let measured = allocation_counter::measure(|| {
            let check = Check { subject: Some(&subject), ..Check::new("roles_required", scope, clock()) };
            assert_eq!(check.started, None);
            assert_eq!(check.begins_to_load(), None);
            check.of("7").decided(Decision::Deny(DenyReason::NoMatch));
            check.failed(&std::fmt::Error);
        });
        assert_eq!(measured.count_total, 0);
    }
}

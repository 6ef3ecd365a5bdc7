//! Events of decisions: their stable schema, the observers that receive them, and metrics.
//!
//! Every decision about a request is an [`Event`]: the authentication, each check of roles or permissions, each context, and
//! each failure to decide, because a store failed, something panicked, or the application lacks something that the guard
//! needs. Each [`Observer`] of the [`Auth`](crate::Auth) receives it, and so does `tracing`, with the target `auth`. A
//! request that is denied has one event with the outcome `deny`, of the check that denied it (a list of contexts may
//! have several, where what is unreadable is [hidden](crate::AuthBuilder::hide_unreadable)); one that is let in has only
//! events with the outcome `allow`.
//!
//! The level in `tracing` is `DEBUG` for a decision to allow, `INFO` for one to deny, and `ERROR` for a failure.
//!
//! # The schema
//!
//! An event serializes as these fields, and `tracing` has the same names. A field that does not apply is left out. Fields
//! may be added, and so may reasons; none changes its meaning.
//!
//! | field | type | what it is | left out |
//! |---|---|---|---|
//! | `time_us` | integer | when it was decided: µs since 1970-01-01T00:00:00Z | in `tracing`, which has a time of its own |
//! | `guard` | text | the attribute that checks, as `roles_required`; `authenticate`; `guard`, where a guard panicked between its checks; the name of a rule that a handler applies itself | never |
//! | `method` | text | the method of the request; `_OTHER` for one that HTTP does not define | in `tracing`, outside of a request |
//! | `route` | text | the pattern of the route with its scopes, as `/sensors/{sensor_id}`; never the path | where no route matches |
//! | `subject` | integer or text | the caller's id | where the caller is not known |
//! | `mechanism` | text | which mechanism authenticated the subject, or refused the credentials | where none did |
//! | `required` | list of texts | the roles, or the permissions that roles carry | for other guards |
//! | `permission` | text | the permission on a context | without a context |
//! | `context` | text | the type of the context, with its path | without a context |
//! | `context_id` | text | its id, as the type of the id writes it by `Debug`: `7`, `"a7"`; for several, all of them; `no id "…"` where the request names something that is no id, which is quoted; `group "…"` for the label of a group; empty where the request names nothing, or more than can be meant; at most 256 characters | without a context |
//! | `outcome` | text | `allow` or `deny` | never |
//! | `reason` | text | why, in one of the words below | never |
//! | `hidden` | boolean | `true`: the answer to the client is that there is no such context | unless it is |
//! | `error` | text | an error with its causes | unless the reason is `unavailable` |
//! | `duration_us` | integer | for how long the check took, in µs | never |
//! | `load_us` | integer | for how long the database took to find the context, or the list that it is the first of, in µs; the wait for a connection is in it | without a context; where a `ctx_loader` finds it; for the others of a list |
//!
//! The reasons to allow are `match`, `admin` and `admin-reader`; those to deny are `anonymous`, `bad-credentials`,
//! `too-many-requests`, `stale`, `cross-site`, `logged-in`, `no-match`, `not-found`, `empty`, `too-many`, `unavailable` and
//! `misconfigured`, each as [`DenyReason`](crate::DenyReason) says.
//!
//! `context_id` is one text for each row, however a client writes its id: `1`, `+1` and `0001` are `1`. A text of the
//! client's is always quoted and escaped as in Rust, so it cannot look like an id, or like words of the log. A page that
//! shows it must still escape it for HTML, and so it must the subjects' ids that are texts.
//!
//! # Decisions without an event
//!
//! A decision outside of a guard has no [`Auth`](crate::Auth), so no observer receives it, unless the handler emits its
//! denial by [`Auth::deny`](crate::Auth::deny) or [`CurrentUser::deny`](crate::CurrentUser::deny). `authorize_for_update` logs it
//! by `tracing`; [`check_access`](crate::check_access), `Stored::check_access`, `explain` and lists emit nothing. Nor does an
//! application's own log-in, because its handler deals with a wrong password: `PasswordLogIn` logs it by `tracing`. Where no `Auth` is registered there is no
//! observer either: the log says what to add.

mod batched;
pub(crate) mod check;
#[cfg(feature = "metrics")]
mod metrics;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, Serializer};

pub use self::batched::{Batched, BatchedBuilder, FlushError, HandOver};
pub(crate) use self::check::{BeginsChecks, Check, NotedRequest, Origin, RequestScope, Requested, quoted};
#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
use crate::vocabulary::{Decision, IdRef, Permission};

/// Receives every decision about a request; [`AuthBuilder::observer`](crate::AuthBuilder::observer) adds one.
///
/// It runs on the event loop before the request goes on, so it must not block: [`Batched`] stores events on a thread of its
/// own. It changes no decision. A panic in it is logged and has no other consequence.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use auth_core::event::{Event, Observer};
///
/// #[derive(Default)]
/// struct CountDenials(AtomicU64);
///
/// impl Observer for CountDenials {
///     fn decided(&self, event: &Event<'_>) {
///         if !event.decision.is_allowed() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    note = "implement `auth_core::Observer` for `{Self}`, or use `auth_core::event::Metrics`, with the feature `metrics`"
)]
pub trait Observer: Send + Sync + 'static {
    /// Receives a decision.
    fn decided(&self, event: &Event<'_>);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn decided(&self, event: &Event<'_>) {
        (**self).decided(event);
    }
}

/// A decision about a request. [The module](self#the-schema) says how it serializes, and when a field is `None`.
///
/// ```
/// use auth_core::event::{Event, Observer};
/// # #[derive(Default)]
/// # struct Lines(std::sync::Mutex<Vec<String>>);
///
/// impl Observer for Lines {
///     fn decided(&self, event: &Event<'_>) {
///         let line = serde_json::to_string(event).expect("an event is JSON");
///         // … `{"time_us":1790000000000000,"guard":"roles_required","method":"GET","route":"/invoices", …`
/// #       self.0.lock().unwrap().push(line);
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The time of the decision.
    #[serde(rename = "time_us", serialize_with = "since_epoch")]
    pub time: SystemTime,
    /// The attribute that checks, `authenticate`, `guard`, or the name of a rule that a handler applies itself.
    pub guard: &'static str,
    /// The method of the request: one that HTTP defines, or `_OTHER`.
    pub method: &'static str,
    /// The pattern of the route, with its scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    /// The caller's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<IdRef<'a>>,
    /// Which mechanism authenticated the subject, or refused the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<&'static str>,
    /// The roles, or the permissions that roles carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<&'a [&'a str]>,
    /// The permission on a context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
    /// The type of the context, with its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<&'static str>,
    /// The id of the context, or a quotation of what names it: the label of its group, or what is no id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_id: Option<&'a str>,
    /// The decision, and its reason.
    #[serde(flatten)]
    pub decision: Decision,
    /// Whether the answer to the client is that there is no such context.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Why nothing could be decided: an error with its causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
    /// For how long the check took.
    #[serde(rename = "duration_us", serialize_with = "in_micros")]
    pub duration: Duration,
    /// For how long the database took to find the context.
    #[serde(
        rename = "load_us",
        serialize_with = "in_micros_if_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub load: Option<Duration>,
}

fn since_epoch<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(micros(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
}

fn in_micros<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(micros(*duration))
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn in_micros_if_some<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(micros).serialize(serializer)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

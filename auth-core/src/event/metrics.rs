//! Metrics of decisions, through the facade `metrics`: the application says who exports them.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::{Event, Observer};

const DECISIONS: &str = "auth_decisions_total";
const LOAD: &str = "auth_load_duration_seconds";

/// An observer that counts decisions and measures how long contexts take to load; behind the feature `metrics`.
///
/// | name | kind | labels |
/// |---|---|---|
/// | `auth_decisions_total` | counter | `route`, `method`, `guard`, `outcome`, `reason`, as in [the schema](super#the-schema); a route that is none is `""` |
/// | `auth_load_duration_seconds` | histogram, in seconds | `context`: the type |
///
/// No label has values that a client makes up, so there are as many series as the application has routes and guards.
///
/// ```
/// use auth_core::{Auth, event::Metrics};
/// # use auth_core::mechanism::{Authenticated, Mechanism, Rejection};
/// # struct FromProxy;
/// # impl Mechanism for FromProxy {
/// #     fn name(&self) -> &'static str { "proxy" }
/// #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
/// # }
///
/// // … install an exporter, such as that of `metrics-exporter-prometheus` …
/// let auth = Auth::builder().mechanism(FromProxy).observer(Metrics::new()).build()?;
/// # Ok::<(), auth_core::AuthConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Metrics;

impl Metrics {
    /// Describes the metrics to the exporter, which is installed before.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!(DECISIONS, Unit::Count, "Decisions about requests, by what was decided and why.");
        describe_histogram!(LOAD, Unit::Seconds, "How long it took to load a context, or a list of them.");
        Self
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn decided(&self, event: &Event<'_>) {
        counter!(
            DECISIONS,
            "route" => event.route.unwrap_or_default().to_owned(),
            "method" => event.method,
            "guard" => event.guard,
            "outcome" => event.decision.outcome(),
            "reason" => event.decision.reason(),
        )
        .increment(1);
        if let (Some(context), Some(load)) = (event.context, event.load) {
            histogram!(LOAD, "context" => context).record(load);
        }
    }
}

//! The guard report: every guarded handler with its route, its guards and its policies, from the attributes
//! themselves. A reviewer reads it instead of the handlers.
//!
//! Each attribute leaves a static behind, which the linker gathers. So the report costs nothing until a program calls for
//! it, and every handler is in it without being added by hand.

mod below_public;
#[cfg(feature = "introspection")]
mod introspected;
#[cfg(feature = "openapi")]
pub mod openapi;
pub(crate) mod recording;
mod registered;
pub(crate) mod table;

use std::{borrow::Cow, fmt, future::Future};

use actix_web::web::ServiceConfig;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

pub use self::{
    below_public::BelowPublic,
    registered::{Registered, UnknownRoute},
};
use crate::guard::{GuardedHandler, ScopeGuard, guards};

/// The entries that the attributes of a program leave behind.
#[doc(hidden)]
#[linkme::distributed_slice]
pub static HANDLERS: [fn() -> &'static GuardedHandler];

fn handlers() -> impl DoubleEndedIterator<Item = &'static GuardedHandler> {
    HANDLERS.iter().map(|handler| handler())
}

/// Every guarded handler of this program, in the order of modules, names and paths, and those that are `#[public]` above a
/// route attribute.
///
/// Generic handlers are not in it before they are registered on a [protected](crate::protected) scope: until then their
/// types are unknown. Attributes below a route attribute do not see its route.
///
/// ```standalone_crate
/// use actix_web::{Responder, get, post};
/// use auth_core::{public, report, roles_required};
///
/// #[public(reason = "probes have no credentials")]
/// #[get("/health")]
/// async fn health() -> impl Responder {
///     "ok"
/// }
///
/// #[roles_required("account-admin")]
/// #[post("/invoices")]
/// async fn invoice() -> impl Responder {
///     "sent"
/// }
///
/// let report = report();
/// let mut lines = report.entries().iter().map(|entry| entry.to_string());
/// assert_eq!(lines.next().unwrap(), r#"GET /health: public(reason = "probes have no credentials")"#);
/// assert_eq!(lines.next().unwrap(), r#"POST /invoices: roles_required("account-admin")"#);
/// ```
#[must_use]
pub fn report() -> Report {
    // A guard that another one surrounds is reported with that one.
    let outermost = handlers().filter(|handler| !handlers().any(|other| other.is_around(handler)));
    let mut entries: Vec<ReportEntry> = outermost.copied().flat_map(ReportEntry::of).collect();
    entries.sort_by(|one, other| one.place().cmp(&other.place()));
    Report { entries }
}

/// A list of guarded handlers, one entry for each of their routes. [`report`] makes it.
///
/// [`Display`](fmt::Display) shows it as a table for a terminal, [`to_markdown`](Self::to_markdown) and
/// [`to_json`](Self::to_json) as their names say.
#[derive(Debug, Clone)]
pub struct Report {
    entries: Vec<ReportEntry>,
}

/// One route of a guarded handler, and all its requirements.
///
/// [`Display`](fmt::Display) shows it in a line, and [`Serialize`] as JSON.
#[derive(Debug, Clone)]
pub struct ReportEntry {
    handler: GuardedHandler,
    methods: Vec<Cow<'static, str>>,
    path: String,
    /// Whether it is a service of many routes below the path.
    is_service: bool,
    /// The guards of the scopes that the handler is registered in, the outermost first.
    scopes: Vec<ScopeGuard>,
    /// Whether HEAD is answered as GET is, behind the same guards.
    answers_head: bool,
}

impl Report {
    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[ReportEntry] {
        &self.entries
    }

    /// Keeps only the handlers of this crate, by the name that it has in Rust code: other crates of the program may have
    /// guarded handlers, too.
    #[must_use]
    pub fn of_crate(mut self, name: &str) -> Self {
        self.entries.retain(|ReportEntry { handler, .. }| {
            handler.module().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        self
    }

    /// Compares the report with the handlers that an application registers: it finds where each handler is, which
    /// handlers of the report are registered nowhere, and which routes have no guard. Call it when a service starts, and
    /// in a test.
    ///
    /// Handlers are found by their registration in [`protected`](crate::protected). Routes without a guard are listed
    /// only with the feature `introspection`, which reads the other routes from actix-web. It is for tests: actix-web
    /// calls it experimental, and with it refuses a route that names a parameter twice. It knows methods by path, so it
    /// misses a route that takes any method behind another one of the same path; and it does not know default services.
    /// On an [`App`](actix_web::App) that has nothing but protected scopes there are no other routes.
    ///
    /// ```standalone_crate
    /// # #[actix_web::main]
    /// # async fn main() {
    /// use actix_web::{Responder, get, post};
    /// use auth_core::{auth_required, protected::ProtectedConfig, report};
    ///
    /// #[auth_required]
    /// #[get("/profile")]
    /// async fn profile() -> impl Responder {
    ///     "you"
    /// }
    ///
    /// #[auth_required]
    /// #[post("/profile")]
    /// async fn forgotten() -> impl Responder {
    ///     "changed"
    /// }
    ///
    /// let registered = report()
    ///     .registered_by(|config| {
    ///         ProtectedConfig::new(config).service(profile);
    ///     })
    ///     .await;
    /// assert_eq!(registered.report().entries().len(), 1);
    /// assert_eq!(registered.never().entries()[0].handler().name(), "forgotten");
    /// assert!(!registered.is_complete());
    /// # }
    /// ```
    pub fn registered_by<F: FnOnce(&mut ServiceConfig)>(
        &self,
        configure: F,
    ) -> impl Future<Output = Registered> + use<F> {
        Registered::by(self, configure)
    }

    /// The report as a table in Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let rows = self.rows().into_iter().map(|row| row.map(|cell| table::escape(&cell)));
        table::markdown(&rows.collect::<Vec<_>>())
    }

    /// The report as JSON: a list of the entries.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it can fail: there are texts, numbers and lists of them.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn rows(&self) -> Vec<[String; 5]> {
        let header = ["method", "path", "handler", "guards", "policy"].map(str::to_owned);
        let row = |entry: &ReportEntry| {
            let handler = entry.handler;
            let policies: Vec<String> = handler.policies().collect();
            [
                entry.written_methods(),
                entry.path.clone(),
                handler.path(),
                entry.guards().collect::<Vec<_>>().join("; "),
                policies.join("; "),
            ]
        };
        std::iter::once(header).chain(self.entries.iter().map(row)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table::text(&self.rows()))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl ReportEntry {
    /// The key by which a report is in order.
    fn place(&self) -> (&str, &str, &str) {
        (self.handler.module(), self.handler.name(), &self.path)
    }

    /// An entry for each route that the handler's attributes know; one without a route where they know none.
    fn of(handler: GuardedHandler) -> impl Iterator<Item = Self> {
        let unknown = handler.routes().is_empty().then(|| (Vec::new(), String::new()));
        let known = handler.routes().iter().map(|route| {
            let methods = route.methods().iter().copied().map(Cow::Borrowed).collect();
            (methods, route.pattern().to_owned())
        });
        let entry = move |(methods, path)| Self {
            handler,
            methods,
            path,
            is_service: false,
            scopes: Vec::new(),
            answers_head: false,
        };
        known.chain(unknown).map(entry)
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &GuardedHandler {
        &self.handler
    }

    /// The methods of the route; none where neither the attributes nor the registration has any.
    #[must_use]
    pub fn methods(&self) -> &[Cow<'static, str>] {
        &self.methods
    }

    /// Whether HEAD is answered as GET is, behind the same guards: on a protected scope, which has no handler of HEAD for
    /// this path. [`Report::registered_by`] finds it, and the report shows it among the methods.
    #[must_use]
    pub fn answers_head(&self) -> bool {
        self.answers_head
    }

    fn written_methods(&self) -> String {
        if self.is_service { "any".to_owned() } else { self.all_methods().collect::<Vec<_>>().join(", ") }
    }

    fn all_methods(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().flat_map(|method| {
            let head = (self.answers_head && method == "GET").then_some("HEAD");
            std::iter::once(&**method).chain(head)
        })
    }

    /// The path with its parameters, as in `/sensors/{sensor_id}`. In entries of [`Report::registered_by`], with those of
    /// the scopes around it; else as the route attribute has it, and empty without one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// All requirements, as attributes write them: first those of the scopes around the handler, then those of its own
    /// guards, in the order of the phases.
    pub fn guards(&self) -> impl Iterator<Item = String> {
        let scopes = self
            .scopes
            .iter()
            .flat_map(|guard| guards(&guard.requirements()).map(|guard| format!("scope: {guard}")));
        scopes.chain(self.handler.guards())
    }

    /// Whether there is no requirement, neither of the handler nor of a scope around it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.handler.is_public() && self.scopes.is_empty()
    }
}

impl fmt::Display for ReportEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.handler.path())?;
        } else {
            write!(f, "{} {}", self.written_methods(), self.path)?;
        }
        let guards: Vec<String> = self.guards().collect();
        write!(f, ": {}", guards.join("; "))
    }
}

impl Serialize for ReportEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { handler, path, .. } = self;
        let mut entry = serializer.serialize_struct("ReportEntry", 8)?;
        entry.serialize_field("methods", &self.all_methods().collect::<Vec<_>>())?;
        entry.serialize_field("path", path)?;
        entry.serialize_field("handler", &handler.path())?;
        entry.serialize_field("file", handler.file())?;
        entry.serialize_field("line", &handler.line())?;
        entry.serialize_field("public", &self.is_public())?;
        entry.serialize_field("guards", &self.guards().collect::<Vec<_>>())?;
        entry.serialize_field("policies", &handler.policies().collect::<Vec<_>>())?;
        entry.end()
    }
}

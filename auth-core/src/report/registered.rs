//! Where the handlers of a report are registered, and what is missing on either side.

use std::{fmt, future::Future};

use actix_service::{IntoServiceFactory as _, ServiceFactory as _};
use actix_web::{App, dev::AppConfig, web::ServiceConfig};

use super::{HANDLERS, Report, ReportEntry};
use crate::protected::recording::{Recorded, recording};

/// What an application registers, held against a report. [`Report::registered_by`] makes it.
///
/// [`Display`](fmt::Display) lists what is missing, a line each; nothing where nothing is.
#[derive(Debug, Clone)]
pub struct Registered {
    pub(super) report: Report,
    pub(super) never: Report,
    pub(super) presumed: Report,
    pub(super) unknown: Vec<UnknownRoute>,
}

/// A route that no guard knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRoute {
    pub(super) methods: Vec<String>,
    pub(super) path: String,
    /// Whether the path is registered more than once, for the same methods.
    pub(super) is_shadowed: bool,
}

impl UnknownRoute {
    /// The methods; none where the route takes all.
    #[must_use]
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The path, with that of all scopes around it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for UnknownRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = if self.methods.is_empty() { "any".to_owned() } else { self.methods.join(", ") };
        let why = if self.is_shadowed { "is registered twice" } else { "has no guard" };
        write!(f, "{methods} {} {why}", self.path)
    }
}

impl Registered {
    /// Every route of the report's handlers, with its whole path and the guards of its scopes, by path.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The handlers of the report that are registered nowhere.
    #[must_use]
    pub fn never(&self) -> &Report {
        &self.never
    }

    /// The handlers that are presumably registered on a plain scope, as there is a route of their methods and path:
    /// whether it is theirs, nobody knows. Always empty without the feature `introspection`.
    #[must_use]
    pub fn presumed(&self) -> &Report {
        &self.presumed
    }

    /// The routes that no guard knows. Always empty without the feature `introspection`.
    #[must_use]
    pub fn unknown(&self) -> &[UnknownRoute] {
        &self.unknown
    }

    /// Whether every handler is registered on a protected scope; with the feature `introspection`, also whether there is
    /// no other route.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.never.entries.is_empty() && self.presumed.entries.is_empty() && self.unknown.is_empty()
    }

    pub(super) fn by<F: FnOnce(&mut ServiceConfig)>(
        report: &Report,
        configure: F,
    ) -> impl Future<Output = Self> + use<F> {
        // `App` registers its services when its factory is asked for a service, before anything is awaited.
        let app = App::new().configure(configure);
        #[cfg(feature = "introspection")]
        let introspected = super::introspected::Introspected::default();
        #[cfg(feature = "introspection")]
        let app = introspected.watch(app);
        let app = app.into_factory();
        let (service, recorded) = recording(|| app.new_service(AppConfig::default()));
        let mut found = Self::held_against(report, recorded);
        async move {
            let service = service.await;
            #[cfg(feature = "introspection")]
            if let Ok(service) = &service {
                let request = actix_web::test::TestRequest::default().to_request();
                // It cannot fail, and would tell nothing if it did.
                let _ = actix_web::dev::Service::call(service, request).await;
                introspected.complete(&mut found);
            }
            drop(service);
            let key = |entry: &ReportEntry| (entry.path.clone(), entry.methods.clone());
            found.report.entries.sort_by_key(key);
            found
        }
    }

    fn held_against(report: &Report, recorded: Vec<Recorded>) -> Self {
        let mut registered = Vec::new();
        for Recorded { handler, methods, path, scopes, is_service } in recorded {
            // What is registered knows the handler's own guard, and not those that are around it.
            let outermost =
                HANDLERS.iter().rfind(|outer| outer.is_around(&handler)).copied().unwrap_or(handler);
            registered.push(ReportEntry { handler: outermost, methods, path, is_service, scopes });
        }
        let is_registered = |entry: &&ReportEntry| {
            registered.iter().any(|registered: &ReportEntry| registered.handler.is(&entry.handler))
        };
        let never = report.entries.iter().filter(|entry| !is_registered(entry)).cloned().collect();
        let report = |entries| Report { entries };
        Self {
            report: report(registered),
            never: report(never),
            presumed: report(Vec::new()),
            unknown: Vec::new(),
        }
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.never.entries {
            let handler = entry.handler;
            writeln!(
                f,
                "{} is guarded and registered nowhere ({}:{})",
                handler.path(),
                handler.file(),
                handler.line()
            )?;
        }
        for entry in &self.presumed.entries {
            let handler = entry.handler.path();
            let route = (entry.written_methods(), &entry.path);
            writeln!(f, "{} {} is presumably {handler}; register it on a protected scope", route.0, route.1)?;
        }
        for route in &self.unknown {
            writeln!(f, "{route}")?;
        }
        Ok(())
    }
}

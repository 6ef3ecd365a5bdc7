//! Where the handlers of a report are registered, and the missing entries on either side.

use std::{fmt, future::Future};

use actix_service::{IntoServiceFactory as _, ServiceFactory as _};
use actix_web::{App, dev::AppConfig, web::ServiceConfig};

use super::{BelowPublic, Report, ReportEntry, below_public, handlers};
use crate::report::recording::{Recorded, recording};

/// The registrations of an application, compared with a report. [`Report::registered_by`] makes it.
///
/// [`Display`](fmt::Display) lists the missing entries, one in a line; it is empty where the report is complete.
#[derive(Debug, Clone)]
pub struct Registered {
    pub(super) report: Report,
    pub(super) never: Report,
    pub(super) presumed: Report,
    pub(super) unknown: Vec<UnknownRoute>,
    below_public: Vec<BelowPublic>,
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

    /// The handlers that are presumably registered on a plain scope, as there is a route of their methods and path;
    /// actix-web does not tell whether it is theirs. Always empty without the feature `introspection`.
    #[must_use]
    pub fn presumed(&self) -> &Report {
        &self.presumed
    }

    /// The routes that no guard knows. Always empty without the feature `introspection`.
    #[must_use]
    pub fn unknown(&self) -> &[UnknownRoute] {
        &self.unknown
    }

    /// The guarded routes that lie below the path of a public service. Where the service was registered first, it answers
    /// in their place.
    #[must_use]
    pub fn below_public(&self) -> &[BelowPublic] {
        &self.below_public
    }

    /// Whether every handler is registered on a protected scope, and no public service answers in the place of one; with
    /// the feature `introspection`, also whether there is no other route.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.never.entries.is_empty()
            && self.presumed.entries.is_empty()
            && self.unknown.is_empty()
            && !self.below_public.iter().any(BelowPublic::is_shadowed)
    }

    pub(super) fn by<F: FnOnce(&mut ServiceConfig)>(
        report: &Report,
        configure: F,
    ) -> impl Future<Output = Self> + use<F> {
        // `App` registers its services when its factory makes a service, before the first await.
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
                // It cannot fail, and a failure would carry no information.
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
        let of_head = |path: &str| {
            let mut others = recorded.iter().filter(|other| other.path == path);
            others.any(|other| other.methods.iter().any(|method| method == "HEAD"))
        };
        let answers_head: Vec<bool> =
            recorded.iter().map(|found| found.in_scope && !of_head(&found.path)).collect();
        let mut registered = Vec::new();
        for (found, answers_head) in recorded.into_iter().zip(answers_head) {
            let Recorded { handler, methods, path, pieces, scopes, is_service, .. } = found;
            // The registration knows the handler's own guard, and not the guards around it.
            let outermost = handlers().rfind(|outer| outer.is_around(&handler)).copied().unwrap_or(handler);
            let answers_head = answers_head && methods.iter().any(|method| method == "GET");
            let handler = outermost;
            registered
                .push((ReportEntry { handler, methods, path, is_service, scopes, answers_head }, pieces));
        }
        let below_public = below_public::all(&registered);
        let registered: Vec<ReportEntry> = registered.into_iter().map(|(entry, _)| entry).collect();
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
            below_public,
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
        for route in self.below_public.iter().filter(|route| route.is_shadowed()) {
            writeln!(f, "{route}; register it before")?;
        }
        Ok(())
    }
}

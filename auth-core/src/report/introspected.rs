//! The routes that actix-web itself reports: handlers on plain scopes, and routes without a guard.
//!
//! Its introspection is experimental and knows methods by path: where two routes have the same path, and one of them
//! takes any method, it does not tell them apart.

use std::{cell::RefCell, rc::Rc};

use actix_web::{
    App, Error, HttpResponse,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    introspection::{IntrospectionReportItem, IntrospectionTree},
    web::Data,
};

use super::{Registered, ReportEntry, UnknownRoute};
use crate::report::recording::UNKNOWN;

/// Where the application reports its routes, once it gets a first request.
#[derive(Clone, Default)]
pub(super) struct Introspected(Rc<RefCell<Option<Data<IntrospectionTree>>>>);

impl Introspected {
    /// The application, with middleware that answers each request by itself.
    pub(super) fn watch<T>(
        &self,
        app: App<T>,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + use<T>,
    >
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<BoxBody>,
                Error = Error,
                InitError = (),
            > + 'static,
    {
        let Self(tree) = self.clone();
        app.wrap_fn(move |request, _| {
            tree.replace(request.app_data::<Data<IntrospectionTree>>().cloned());
            async { Ok(request.into_response(HttpResponse::NoContent().finish())) }
        })
    }

    /// One for each method of each path; one without methods for a path that takes all.
    fn routes(&self) -> Vec<UnknownRoute> {
        let tree = self.0.borrow();
        let items: Vec<IntrospectionReportItem> =
            tree.iter().flat_map(|tree| Vec::from(&tree.root)).collect();
        let resources = items.into_iter().filter(|item| item.resource_type == "resource");
        let routes = resources.flat_map(|item| {
            let any = item.methods.is_empty().then(Vec::new);
            let methods = item.methods.into_iter().map(|method| vec![method]).chain(any);
            let (path, is_shadowed) = (item.full_path, item.potentially_unreachable);
            let route = |methods| UnknownRoute { methods, path: path.clone(), is_shadowed };
            methods.map(route).collect::<Vec<_>>()
        });
        routes.collect()
    }

    /// Adds the routes that the protected scopes do not know.
    pub(super) fn complete(&self, found: &mut Registered) {
        let is_known = |route: &UnknownRoute| {
            found.report.entries.iter().any(|entry| {
                if entry.is_service {
                    return is_below(&route.path, &entry.path);
                }
                !route.is_shadowed && entry.path == route.path && has_method(entry, route)
            })
        };
        let unknown: Vec<UnknownRoute> = self.routes().into_iter().filter(|route| !is_known(route)).collect();
        // On plain scopes, or within one: there is a route that would fit.
        let presumed = |entry: &ReportEntry| {
            let suffix = entry.path.strip_prefix(UNKNOWN).unwrap_or(&entry.path);
            let fits = |route: &&UnknownRoute| {
                let is_prefix = |prefix: &str| prefix.is_empty() || prefix.starts_with('/');
                has_method(entry, route)
                    && !suffix.is_empty()
                    && route.path.strip_suffix(suffix).is_some_and(is_prefix)
            };
            let route = unknown.iter().find(fits)?;
            Some(ReportEntry { path: route.path.clone(), ..entry.clone() })
        };
        let within_unknown = found.report.entries.iter().filter(|entry| entry.path.starts_with(UNKNOWN));
        found.presumed.entries =
            found.never.entries.iter().chain(within_unknown).filter_map(presumed).collect();
        let presumed = &found.presumed.entries;
        let is_presumed = |entry: &ReportEntry| presumed.iter().any(|other| other.handler.is(&entry.handler));
        found.never.entries.retain(|entry| !is_presumed(entry));
        found.unknown = unknown;
    }
}

fn has_method(entry: &ReportEntry, route: &UnknownRoute) -> bool {
    let takes = |method: &String| entry.methods.iter().any(|other| other == method);
    !route.methods.is_empty() && route.methods.iter().all(takes)
}

/// Whether the path is this one or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

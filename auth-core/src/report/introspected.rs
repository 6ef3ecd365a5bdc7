//! What actix-web itself says is registered: for handlers on plain scopes, and for routes without a guard.
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

/// Where the application says what it has registered, once it is asked anything.
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

    /// A pair for each method of each path; no method for a path that takes all.
    fn routes(&self) -> Vec<(Option<String>, String)> {
        let tree = self.0.borrow();
        let items: Vec<IntrospectionReportItem> =
            tree.iter().flat_map(|tree| Vec::from(&tree.root)).collect();
        let resources = items.into_iter().filter(|item| item.resource_type == "resource");
        let pairs = resources.flat_map(|item| {
            let any = item.methods.is_empty().then_some(None);
            let methods = item.methods.into_iter().map(Some).chain(any);
            methods.map(|method| (method, item.full_path.clone())).collect::<Vec<_>>()
        });
        pairs.collect()
    }

    /// Adds what the protected scopes do not know.
    pub(super) fn complete(&self, found: &mut Registered) {
        let is_known = |(method, path): &(Option<String>, String)| {
            found.report.entries.iter().any(|entry| {
                let whole_service = entry.handler.routes().is_empty() && entry.methods.is_empty();
                if whole_service {
                    return is_below(path, &entry.path);
                }
                entry.path == *path
                    && method.as_ref().is_some_and(|method| entry.methods.contains(&&**method))
            })
        };
        let mut unknown: Vec<_> = self.routes().into_iter().filter(|route| !is_known(route)).collect();
        // On plain scopes: where only one handler fits a path, and only this path fits the handler.
        let fits = |entry: &ReportEntry, (method, path): &(Option<String>, String)| {
            let has_method = method.as_ref().is_some_and(|method| entry.methods.contains(&&**method));
            has_method && !entry.path.is_empty() && path.strip_suffix(&*entry.path).is_some_and(is_prefix)
        };
        let never = found.never.entries.clone();
        for entry in &never {
            let routes: Vec<_> = unknown.iter().filter(|route| fits(entry, route)).cloned().collect();
            let Some((_, path)) = routes.first() else {
                continue;
            };
            let is_only_path = routes.iter().all(|(_, other)| other == path);
            let is_only_handler = |route| never.iter().filter(|other| fits(other, route)).count() == 1;
            if is_only_path && routes.len() == entry.methods.len() && routes.iter().all(is_only_handler) {
                unknown.retain(|route| !routes.contains(route));
                found
                    .never
                    .entries
                    .retain(|other| !(other.handler.is(&entry.handler) && other.path == entry.path));
                found.report.entries.push(ReportEntry { path: path.clone(), ..entry.clone() });
            }
        }
        found.unknown = unknown
            .into_iter()
            .map(|(method, path)| UnknownRoute { methods: method.into_iter().collect(), path })
            .collect();
    }
}

/// Whether the path is this one or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

/// Whether this is the path of a scope.
fn is_prefix(path: &str) -> bool {
    path.is_empty() || path.starts_with('/')
}

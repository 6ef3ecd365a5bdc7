//! `OpenAPI` documents that describe the requirements of the guards, by `utoipa`; behind the feature `openapi`.
//!
//! The description of a handler by `#[utoipa::path]` (its body, its answers) stays as it is; the attribute stands above
//! the guards, where it sees the handler's arguments. [`GuardedApi`] adds the facts that follow from the guards, so that
//! each is written once:
//!
//! * the security schemes of the configured mechanisms, each under the mechanism's name;
//! * for each operation which of them it accepts, and none for open operations or those for anonymous callers;
//! * the answers 401, 403, 404, 429 and 503 where a guard gives them, as problem documents (RFC 9457);
//! * parameters of the path that the document lacks, as texts;
//! * a sentence about the requirements;
//! * operations that the document lacks altogether, so that none is missing.
//!
//! ```standalone_crate
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_web::{Responder, get};
//! use auth_core::{
//!     Auth, auth_required,
//!     mechanism::Scheme,
//!     openapi::GuardedApi,
//!     protected::{ProtectedConfig, ProtectedScope},
//!     report,
//! };
//! use utoipa::OpenApi;
//! # use auth_core::mechanism::{Authenticated, Mechanism, Rejection};
//! # struct ApiKey;
//! # impl Mechanism for ApiKey {
//! #     fn name(&self) -> &'static str { "key" }
//! #     fn scheme(&self) -> Option<Scheme> { Some(Scheme::Header { name: "x-api-key".to_owned() }) }
//! #     async fn authenticate(&self, _: &actix_web::HttpRequest) -> Result<Option<Authenticated>, Rejection> { Ok(None) }
//! # }
//!
//! #[utoipa::path(get, path = "/api/profile", responses((status = 200, description = "You.", body = String)))]
//! #[auth_required]
//! #[get("/profile")]
//! async fn profile() -> impl Responder {
//!     "you"
//! }
//!
//! #[derive(OpenApi)]
//! #[openapi(paths(profile))]
//! struct Api;
//!
//! fn configure(config: &mut ProtectedConfig<'_>) {
//!     config.service(ProtectedScope::new("/api").service(profile));
//! }
//!
//! let auth = Auth::builder().mechanism(ApiKey).build()?;
//! let registered = report().registered_by(|config| configure(&mut ProtectedConfig::new(config))).await;
//! let document = GuardedApi::new(&registered, &auth).complete(Api::openapi())?;
//!
//! let document = serde_json::to_value(document)?;
//! let operation = &document["paths"]["/api/profile"]["get"];
//! assert_eq!(operation["security"], serde_json::json!([{ "key": [] }]));
//! assert_eq!(operation["responses"]["401"]["$ref"], "#/components/responses/Unauthorized");
//! assert_eq!(operation["responses"]["200"]["content"]["text/plain"]["schema"]["type"], "string");
//! # Ok(())
//! # }
//! ```
//!
//! # The order of the attributes
//!
//! `#[utoipa::path]` stands above the guards, and the route attribute below them: the guards rewrite the handler's
//! signature, and above them `utoipa` sees it as it was written. With `utoipa`'s feature `actix_extras` it then finds the
//! path and the method in the route attribute, and the body among the arguments, without further keys.
//!
//! # Limits
//!
//! Anybody may read a document. So it shows no role, no permission that roles carry and no rule of a policy, unless
//! [`show_rules`](GuardedApi::show_rules) switches them on. And it is about one [`Auth`]: where scopes have their own,
//! make a document of each.

mod all_requirements;
mod components;
#[cfg(test)]
mod tests;
#[cfg(feature = "diesel")]
mod visible;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use utoipa::openapi::{
    OpenApi, RefOr, Required, Response, Schema, Type,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem},
    schema::ObjectBuilder,
};

use self::all_requirements::AllRequirements;
use super::{Registered, ReportEntry};
use crate::http::auth::Auth;

/// Adds the requirements of an application's guards to an `OpenAPI` document. See the [module](self).
#[derive(Debug, Clone, Copy)]
#[must_use = "call `complete`"]
pub struct GuardedApi<'a> {
    registered: &'a Registered,
    auth: &'a Auth,
    rules: bool,
}

/// Why a document cannot describe the requirements of the guards.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The document has operations that no guarded handler serves. Describe routes without a guard in a document of their
    /// own, and merge it with the completed one.
    #[error(
        "no guard knows {}: correct the path, register the handler, or merge what is open later",
        .operations.join(", ")
    )]
    Unknown {
        /// The operations, as in `GET /sensors/{sensor_id}`.
        operations: Vec<String>,
    },
    /// A guard accepts none of the configured mechanisms, so that it lets nobody in.
    #[error(
        "{operation} accepts none of the configured mechanisms: add one to `Auth::builder()`, or name another"
    )]
    NoMechanism {
        /// The operation, as in `GET /sensors/{sensor_id}`.
        operation: String,
    },
}

impl<'a> GuardedApi<'a> {
    /// Takes the routes from the result of [`Report::registered_by`](super::Report::registered_by), and the mechanisms
    /// from the [`Auth`] that the application registers.
    pub fn new(registered: &'a Registered, auth: &'a Auth) -> Self {
        Self { registered, auth, rules: false }
    }

    /// Shows the requirements as the [guard report](super::report()) does: with the names of roles, and the rules of
    /// policies. Use it for a document whose readers may all know these.
    pub fn show_rules(mut self) -> Self {
        self.rules = true;
        self
    }

    /// Completes a document, which may be empty: `OpenApi::default()`. Its content is kept, except the security of
    /// operations, which the guards determine. Its paths are whole, with those of the scopes around the handlers.
    ///
    /// An application that renders denials in its own way describes them in the document's `components`, as the
    /// responses `Unauthorized`, `Forbidden`, `NotFound`, `TooManyRequests` and `ServiceUnavailable`.
    ///
    /// An operation keeps the id that the document gives it if that is unique, and else gets one of its module and its
    /// function. `OpenAPI` knows no operations of the method CONNECT, and the routes of
    /// [`public_service`](crate::ProtectedScope::public_service) are not added.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the document has operations that no guard knows, or if a guard accepts none of the configured
    /// mechanisms.
    pub fn complete(self, mut document: OpenApi) -> Result<OpenApi, DocumentError> {
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            let known = operations(item).into_iter().filter(|(_, operation)| operation.is_some());
            unknown.extend(known.map(|(method, _)| format!("{method} {path}")));
        }
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for entry in self.registered.report().entries() {
            let path = template(entry.path());
            for method in entry.methods() {
                let id = format!("{method} {path}");
                // Of two that are registered alike, the first serves all requests.
                if names.contains_key(&id) || !METHODS.contains(&&**method) {
                    continue;
                }
                let item = document.paths.paths.entry(path.clone()).or_default();
                let common = parameters_in_path(item.parameters.as_ref());
                for (_, operation) in operations(item).into_iter().filter(|(name, _)| name == method) {
                    let operation = operation.get_or_insert_with(|| added(entry));
                    self.say(operation, entry, method, &id)?;
                    add_parameters(operation, &path, &common);
                }
                unknown.remove(&id);
                names.insert(id, name(entry));
            }
        }
        if !unknown.is_empty() {
            return Err(DocumentError::Unknown { operations: unknown.into_iter().collect() });
        }
        identify(&mut document, &names);
        components::add(document.components.get_or_insert_default(), self.auth);
        Ok(document)
    }

    /// Describes the requirements of one route.
    fn say(
        self,
        operation: &mut Operation,
        entry: &ReportEntry,
        method: &str,
        id: &str,
    ) -> Result<(), DocumentError> {
        let all_requirements = AllRequirements::of(entry);
        let security = all_requirements.security(self.auth);
        operation.security =
            Some(security.ok_or_else(|| DocumentError::NoMechanism { operation: id.to_owned() })?);
        for status in all_requirements.denials(self.auth, method) {
            let responses = &mut operation.responses.responses;
            responses.entry(status.as_str().to_owned()).or_insert_with(|| components::reference(status));
        }
        let sentence =
            if self.rules { all_requirements::as_written(entry) } else { all_requirements.in_words() };
        operation.description = Some(match operation.description.take() {
            Some(description) if !description.is_empty() => format!("{description}\n\n{sentence}"),
            _ => sentence,
        });
        Ok(())
    }
}

/// The methods for which a document may have operations.
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// The operations of a path, by their methods.
fn operations(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); METHODS.len()] {
    [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("DELETE", &mut item.delete),
        ("OPTIONS", &mut item.options),
        ("HEAD", &mut item.head),
        ("PATCH", &mut item.patch),
        ("TRACE", &mut item.trace),
    ]
}

/// An operation that the document lacks.
fn added(entry: &ReportEntry) -> Operation {
    OperationBuilder::new()
        .tag(module(entry))
        .response("default", Response::new("What the handler answers."))
        .build()
}

/// The module that a handler is in, without those around it.
fn module(entry: &ReportEntry) -> &'static str {
    entry.handler().module().rsplit("::").next().unwrap_or_default()
}

fn name(entry: &ReportEntry) -> String {
    format!("{}_{}", module(entry), entry.handler().name())
}

/// Ids are unique in a document (`OpenAPI` 3.1, section 4.8.10).
fn identify(document: &mut OpenApi, names: &BTreeMap<String, String>) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let each = |document: &mut OpenApi, work: &mut dyn FnMut(&str, &mut Operation)| {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                if let Some(operation) = operation {
                    work(&format!("{method} {path}"), operation);
                }
            }
        }
    };
    each(document, &mut |_, operation| {
        if let Some(id) = &operation.operation_id {
            *count.entry(id.clone()).or_default() += 1;
        }
    });
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, count)| **count == 1).map(|(id, _)| id.clone()).collect();
    each(document, &mut |operation_name, operation| {
        if operation.operation_id.as_ref().is_some_and(|id| count.get(id) == Some(&1)) {
            return;
        }
        let name = names.get(operation_name).map_or(operation_name, String::as_str);
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        let id = std::iter::once(name.to_owned()).chain(numbered).find(|id| !taken.contains(id));
        taken.extend(id.clone());
        operation.operation_id = id;
    });
}

/// A pattern of actix-web as `OpenAPI` writes it: parameters without regular expressions.
fn template(pattern: &str) -> String {
    let mut template = String::with_capacity(pattern.len());
    let (mut depth, mut in_name, mut after) = (0_u32, true, false);
    for character in pattern.chars() {
        match character {
            '{' => {
                depth += 1;
                if depth == 1 {
                    template.push('{');
                    in_name = true;
                }
            }
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    template.push('}');
                }
            }
            ':' if depth > 0 => in_name = false,
            // `{tail}*` takes the rest of a path.
            '*' if after && depth == 0 => {}
            other if depth == 0 || in_name => template.push(other),
            _ => {}
        }
        after = character == '}' && depth == 0;
    }
    if template.is_empty() { "/".to_owned() } else { template }
}

/// The names in the braces of a template.
fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn parameters_in_path(parameters: Option<&Vec<RefOr<Parameter>>>) -> BTreeSet<String> {
    let known = parameters.into_iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => Some(parameter.name.clone()),
        // Its name is that of the component, in most documents.
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    });
    known.collect()
}

/// Every parameter of a path has to be described.
fn add_parameters(operation: &mut Operation, path: &str, common: &BTreeSet<String>) {
    let known = parameters_in_path(operation.parameters.as_ref());
    let missing: Vec<_> = parameters(path)
        .filter(|name| !known.contains(*name) && !common.contains(*name))
        .map(|name| {
            let text = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            RefOr::T(parameter.required(Required::True).schema(Some(text)).build())
        })
        .collect();
    if !missing.is_empty() {
        operation.parameters.get_or_insert_default().extend(missing);
    }
}

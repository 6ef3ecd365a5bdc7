//! Sends the requests, and turns each answer into a cell.

use std::collections::BTreeSet;

use actix_http::Request;
use actix_web::{
    Error, HttpMessage as _,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode},
    test::TestRequest,
};
use thiserror::Error as ThisError;

use super::{
    AccessMatrix, Cell, Place, Row,
    request::{Part, RouteRequest, filled, parts},
};
use crate::{
    guard::progress::Progress,
    http::denial::Denial,
    report::{Registered, ReportEntry},
};

/// Builds an [`AccessMatrix`] from requests: as which subjects, for which objects. [`AccessMatrix::builder`] begins it.
#[must_use = "call `observe`"]
pub struct AccessMatrixBuilder {
    routes: BTreeSet<(String, Order)>,
    /// The routes of guarded handlers.
    guarded: BTreeSet<(String, Order)>,
    subjects: Vec<Subject>,
    parameters: Vec<Parameter>,
    requests: Vec<RouteRequest>,
}

struct Subject {
    name: String,
    /// Makes a request one of this subject.
    send: Box<dyn Fn(TestRequest) -> TestRequest>,
}

struct Parameter {
    name: String,
    objects: Vec<Object>,
}

struct Object {
    name: String,
    value: String,
}

/// A method, in the order of a file: first those that only read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Order(usize, String);

impl Order {
    fn of(method: &str) -> Self {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        Self(known.iter().position(|known| *known == method).unwrap_or(known.len()), method.to_owned())
    }
}

/// Why the requests cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ObserveError {
    /// There is no subject.
    #[error("there are no subjects: add some with `.subject(name, …)`")]
    NoSubjects,
    /// Two have the same name, so one would stand for both.
    #[error("there are two times `{name}`; give one of them another name")]
    Twice {
        /// The name.
        name: String,
    },
    /// A path parameter has no value.
    #[error(
        "nothing says what `{{{parameter}}}` is in `{path}`: add `.objects({parameter:?}, [(name, value), …])`"
    )]
    NoObjects {
        /// The name of the parameter.
        parameter: String,
        /// The path of a route that has it.
        path: String,
    },
    /// A request is for a route that is not registered.
    #[error(
        "`{method} {path}` is not registered, and there is a request for it; write the path as it is registered"
    )]
    UnknownRoute {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
}

impl AccessMatrixBuilder {
    pub(super) fn new(registered: &Registered) -> Self {
        let routes = |entry: &ReportEntry| {
            let path = entry.path().to_owned();
            entry.methods().iter().map(move |method| (path.clone(), Order::of(method))).collect::<Vec<_>>()
        };
        let entries = registered.report().entries();
        let guarded = entries.iter().filter(|entry| !entry.handler().is_public()).flat_map(routes).collect();
        let unknown = registered.unknown().iter().flat_map(|route| {
            // Where a route takes all methods, one of them stands for all.
            let any = route.methods().is_empty().then_some("GET");
            let methods = route.methods().iter().map(String::as_str).chain(any);
            methods.map(|method| (route.path().to_owned(), Order::of(method)))
        });
        Self {
            routes: entries.iter().flat_map(routes).chain(unknown).collect(),
            guarded,
            subjects: Vec::new(),
            parameters: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Sends requests as this subject: the function makes a request one of the subject, by a header or a cookie. A
    /// function that leaves the request as it is stands for a caller who is not logged in.
    pub fn subject(
        mut self,
        name: impl Into<String>,
        send: impl Fn(TestRequest) -> TestRequest + 'static,
    ) -> Self {
        self.subjects.push(Subject { name: name.into(), send: Box::new(send) });
        self
    }

    /// The values of the path parameters with this name, in all routes: objects by name, such as one's own, one of
    /// another account, and one that does not exist. Where a route has several parameters, each object of one is combined
    /// with each of the others.
    pub fn objects<N: Into<String>, V: ToString>(
        mut self,
        parameter: impl Into<String>,
        objects: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let objects =
            objects.into_iter().map(|(name, value)| Object { name: name.into(), value: value.to_string() });
        self.parameters.push(Parameter { name: parameter.into(), objects: objects.collect() });
        self
    }

    /// Sends this request to its route, instead of the usual one or, if it has a name, in addition to it.
    pub fn request(mut self, request: RouteRequest) -> Self {
        self.requests.push(request);
        self
    }

    /// Sends the requests, one after the other, to a service such as `actix_web::test::init_service` makes.
    ///
    /// # Errors
    ///
    /// If a part of the requests is missing. [`AccessMatrix::compare_with`] reports the requests that fail.
    pub async fn observe<S, B>(&self, app: &S) -> Result<AccessMatrix, ObserveError>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    {
        self.check()?;
        let mut rows = Vec::new();
        for route @ (path, Order(_, method)) in &self.routes {
            let is_guarded = self.guarded.contains(route);
            let parts = parts(path);
            let objects = self.combined(path, &parts)?;
            for request in self.requests_to(method, path) {
                for objects in &objects {
                    let names = objects.iter().map(|object| object.name.as_str());
                    let object = names.chain(request.name.as_deref()).collect::<Vec<_>>().join(", ");
                    let filled = filled(&parts, objects.iter().map(|object| object.value.as_str()));
                    let mut cells = Vec::new();
                    for subject in &self.subjects {
                        cells.push(request.observe(&filled, subject, is_guarded, app).await);
                    }
                    rows.push(Row {
                        place: Place { method: method.clone(), path: path.clone(), object },
                        cells,
                    });
                }
            }
        }
        let subjects = self.subjects.iter().map(|subject| subject.name.clone()).collect();
        Ok(AccessMatrix { subjects, rows })
    }

    fn check(&self) -> Result<(), ObserveError> {
        if self.subjects.is_empty() {
            return Err(ObserveError::NoSubjects);
        }
        unique(self.subjects.iter().map(|subject| &subject.name))?;
        unique(self.parameters.iter().map(|parameter| &parameter.name))?;
        for parameter in &self.parameters {
            unique(parameter.objects.iter().map(|object| &object.name))?;
        }
        for RouteRequest { method, path, .. } in &self.requests {
            if !self.routes.contains(&(path.clone(), Order::of(method.as_str()))) {
                return Err(ObserveError::UnknownRoute { method: method.to_string(), path: path.clone() });
            }
        }
        Ok(())
    }

    /// The combinations of each object of each parameter with each of the others.
    fn combined(&self, path: &str, parts: &[Part<'_>]) -> Result<Vec<Vec<&Object>>, ObserveError> {
        let mut combined: Vec<Vec<&Object>> = vec![Vec::new()];
        for part in parts {
            let Part::Parameter(name) = part else { continue };
            let parameter = self.parameters.iter().find(|known| known.name == *name);
            let objects = parameter.map(|known| known.objects.as_slice()).unwrap_or_default();
            if objects.is_empty() {
                let (parameter, path) = ((*name).to_owned(), path.to_owned());
                return Err(ObserveError::NoObjects { parameter, path });
            }
            combined = combined
                .iter()
                .flat_map(|before: &Vec<_>| {
                    objects.iter().map(|object| before.iter().copied().chain([object]).collect())
                })
                .collect();
        }
        Ok(combined)
    }

    /// The usual requests, unless the route has one without a name of its own, and the requests with names.
    fn requests_to(&self, method: &str, path: &str) -> Vec<CellRequest> {
        let of_route =
            self.requests.iter().filter(|request| request.method.as_str() == method && request.path == path);
        let mut requests: Vec<CellRequest> =
            of_route.map(|request| CellRequest::on_purpose(request.clone())).collect();
        if requests.iter().all(|request| request.name.is_some()) {
            requests.insert(0, CellRequest::of_every(method, path));
        }
        requests
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), ObserveError> {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(ObserveError::Twice { name: name.clone() });
        }
    }
    Ok(())
}

/// A request to a route, before it is made one of a subject.
struct CellRequest {
    name: Option<String>,
    request: RouteRequest,
    /// The request that follows a denial; the cell shows both answers where they differ.
    malformed: Option<RouteRequest>,
    /// Whether the handler has to refuse it.
    refused: bool,
}

impl CellRequest {
    fn on_purpose(request: RouteRequest) -> Self {
        let malformed = request.method.is_safe().then(|| request.malformed());
        Self { name: request.name.clone(), malformed, request, refused: false }
    }

    fn of_every(method: &str, path: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        if method.is_safe() {
            Self::on_purpose(RouteRequest::new(method, path))
        } else {
            let request = RouteRequest::refused(method, path);
            Self { name: None, request, malformed: None, refused: true }
        }
    }

    async fn observe<S, B>(&self, path: &str, subject: &Subject, is_guarded: bool, app: &S) -> Cell
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    {
        let send =
            async |request: &RouteRequest| answer((subject.send)(request.to(path)), is_guarded, app).await;
        let first = send(&self.request).await;
        match (first, &self.malformed) {
            (Outcome::Passed(status), _)
                if self.refused && (status.is_success() || status.is_redirection()) =>
            {
                Cell {
                    text: format!(
                        "{status}, so it was carried out: say what to send instead, by a `RouteRequest`"
                    ),
                    failed: true,
                }
            }
            (Outcome::Denied(_), Some(malformed)) => {
                let second = send(malformed).await;
                if second == first || second.failed() {
                    second.cell()
                } else {
                    Cell { text: format!("{}/{}", first.text(), second.text()), failed: false }
                }
            }
            _ => first.cell(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Denied(StatusCode),
    /// Nothing can be concluded from it.
    Failed(StatusCode),
    /// The part behind all checks answers; or there are no checks.
    Passed(StatusCode),
    /// An argument that the guard needs for its decision was refused before the decision.
    NotReached,
    /// Something in front of the handler answers, and it is no denial.
    NotBegun(StatusCode),
}

async fn answer<S, B>(request: TestRequest, is_guarded: bool, app: &S) -> Outcome
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
{
    let request = request.to_request();
    let progress = Progress::default();
    request.extensions_mut().insert(progress.clone());
    // A middleware may answer by an error.
    let (status, is_denial) = match app.call(request).await {
        Ok(response) => (response.status(), response.response().error().is_some_and(is_denial)),
        Err(error) => (error.as_response_error().error_response().status(), is_denial(&error)),
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS => Outcome::Failed(status),
        _ if status.is_server_error() => Outcome::Failed(status),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Outcome::Denied(status),
        // As the application renders it: a redirect to the log-in, for example.
        _ if is_denial => Outcome::Denied(status),
        _ if progress.has_begun() && !progress.has_admitted() => Outcome::NotReached,
        _ if is_guarded && !progress.has_begun() => Outcome::NotBegun(status),
        _ => Outcome::Passed(status),
    }
}

fn is_denial(error: &Error) -> bool {
    error.as_error::<Denial>().is_some()
}

impl Outcome {
    fn text(self) -> String {
        match self {
            Self::Denied(status) => status.as_u16().to_string(),
            Self::Failed(status) => status.to_string(),
            Self::Passed(_) => "yes".to_owned(),
            Self::NotReached => "not reached".to_owned(),
            Self::NotBegun(status) => format!(
                "{status}, and the guard was not asked: something in front of it answers; \
                 say what to send instead, by a `RouteRequest`"
            ),
        }
    }

    fn failed(self) -> bool {
        matches!(self, Self::Failed(_) | Self::NotBegun(_))
    }

    fn cell(self) -> Cell {
        Cell { text: self.text(), failed: self.failed() }
    }
}

//! The request for a route, and how its path is filled in.

use actix_web::http::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use actix_web::test::TestRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that stay as they are in a path (RFC 3986, section 2.3), and the slash, which the tail of a path may
/// have.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The query that no handler knows.
const UNKNOWN: &str = "access-matrix=unknown";

/// A request that an [`AccessMatrix`](super::AccessMatrix) sends to one route, instead of its usual one or, with a name,
/// in addition to it.
///
/// The handler may carry it out: choose a request that it refuses after all checks, or one that may be repeated.
///
/// ```
/// use actix_web::http::Method;
/// use auth_core::test::RouteRequest;
///
/// let another_row = RouteRequest::new(Method::PUT, "/plans/{plan_id}")
///     .named("with a sensor of another account")
///     .body("application/json", r#"{"sensor": 4}"#);
/// ```
#[derive(Debug, Clone)]
#[must_use = "give it to `AccessMatrixBuilder::request`"]
pub struct RouteRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) name: Option<String>,
    query: String,
    body: Option<(String, Vec<u8>)>,
}

impl RouteRequest {
    /// A request without query and body to the route with this path, which has its parameters as it is registered:
    /// `/plans/{plan_id}`.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), name: None, query: String::new(), body: None }
    }

    /// Gives this request rows of its own, whose objects have this name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The query, as in `limit=1&sort=name`.
    pub fn query(self, query: impl Into<String>) -> Self {
        Self { query: query.into(), ..self }
    }

    /// The body and its type.
    pub fn body(self, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some((content_type.into(), body.into())), ..self }
    }

    /// A request that every handler refuses which looks at its query or at its body.
    pub(super) fn refused(method: Method, path: &str) -> Self {
        Self::new(method, path).malformed().body("application/json", "{")
    }

    /// This request with a query that no handler knows.
    pub(super) fn malformed(&self) -> Self {
        let separator = if self.query.is_empty() { "" } else { "&" };
        Self { query: format!("{}{separator}{UNKNOWN}", self.query), ..self.clone() }
    }

    /// The request for this path, whose parameters are filled in.
    pub(super) fn to(&self, path: &str) -> TestRequest {
        let uri = if self.query.is_empty() { path.to_owned() } else { format!("{path}?{}", self.query) };
        let mut request = TestRequest::with_uri(&uri).method(self.method.clone());
        if let Some((content_type, body)) = &self.body {
            if let Ok(content_type) = HeaderValue::from_str(content_type) {
                request = request.insert_header((CONTENT_TYPE, content_type));
            }
            request = request.set_payload(body.clone());
        }
        request
    }
}

/// A part of a path: as it is, or the name of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Literal(&'a str),
    Parameter(&'a str),
}

/// The parts of a path as it is registered: a parameter is `{name}`, `{name:regular expression}`, or `{name}*`.
pub(super) fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((literal, behind)) = rest.split_once('{') {
        parts.push(Part::Literal(literal));
        // The expression may have braces of its own.
        let mut depth = 1;
        let end = behind.find(|character| {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let (inside, after) = end.and_then(|end| behind.split_at_checked(end)).unwrap_or((behind, ""));
        parts.push(Part::Parameter(inside.split_once(':').map_or(inside, |(name, _)| name)));
        rest = after.strip_prefix('}').unwrap_or(after);
        if rest == "*" {
            rest = "";
        }
    }
    parts.push(Part::Literal(rest));
    parts
}

/// The path with a value for each parameter, in their order.
pub(super) fn filled<'a>(parts: &[Part<'_>], values: impl IntoIterator<Item = &'a str>) -> String {
    let mut values = values.into_iter();
    let parts = parts.iter().map(|part| match part {
        Part::Literal(text) => (*text).to_owned(),
        Part::Parameter(_) => utf8_percent_encode(values.next().unwrap_or_default(), PATH).to_string(),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::{
        Part::{Literal, Parameter},
        filled, parts,
    };

    #[test]
    fn paths_are_filled_in() {
        let pattern = "/accounts/{account_id}/files/{name:[a-z]{1,3}}/{tail}*";
        let parts = parts(pattern);
        assert_eq!(
            parts,
            [
                Literal("/accounts/"),
                Parameter("account_id"),
                Literal("/files/"),
                Parameter("name"),
                Literal("/"),
                Parameter("tail"),
                Literal("")
            ]
        );
        assert_eq!(filled(&parts, ["3", "a b?", "x/y.z"]), "/accounts/3/files/a%20b%3F/x/y.z");
    }

    #[test]
    fn a_path_without_parameters_stays() {
        assert_eq!(filled(&parts("/health"), []), "/health");
        assert_eq!(parts("/{open"), [Literal("/"), Parameter("open"), Literal("")]);
    }
}

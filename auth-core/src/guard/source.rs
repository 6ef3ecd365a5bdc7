//! Where a request names a context. What is read here comes before the body.

use actix_web::{HttpRequest, web::Query};
use percent_encoding::percent_decode_str;

use crate::error::AuthError;

/// Where a guard finds the id of its context.
#[doc(hidden)]
#[derive(Debug)]
pub enum Source {
    /// The first of these path parameters that the route has.
    Path(&'static [&'static str]),
    /// A parameter of the query.
    Query(&'static str),
    /// A header.
    Header(&'static str),
}

impl Source {
    /// The id's text. `None` if the client names nothing, or something that cannot be understood in one way:
    /// a handler might read the other of two values.
    ///
    /// # Errors
    ///
    /// [`AuthError::Misconfigured`] if it cannot be found for any request.
    pub(super) fn text(&self, request: &HttpRequest) -> Result<Option<String>, AuthError> {
        match *self {
            Self::Path(parameters) => path_parameter(request, parameters),
            Self::Query(wanted) => {
                let query = Query::<Vec<(String, String)>>::from_query(request.query_string());
                let parameters = query.map(Query::into_inner).unwrap_or_default();
                Ok(only(parameters.into_iter().filter(|(name, _)| name == wanted).map(|(_, value)| value)))
            }
            Self::Header(wanted) => {
                let values = request.headers().get_all(wanted);
                Ok(only(values).and_then(|value| value.to_str().ok()).map(str::to_owned))
            }
        }
    }
}

/// The item, if there is one and no more.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

/// What the request has at the first of these path parameters, decoded as `web::Path` does.
fn path_parameter(
    request: &HttpRequest,
    parameters: &'static [&'static str],
) -> Result<Option<String>, AuthError> {
    let path = request.match_info();
    let named = |name: &'static str| path.get(name).map(|raw| (name, raw));
    let Some((name, raw)) = parameters.iter().copied().find_map(named) else {
        tracing::error!(
            target: "auth",
            ?parameters,
            route = request.match_pattern(),
            "the route has none of the path parameters that could name the context: \
             say which one does with `id = \"…\"`"
        );
        return Err(AuthError::Misconfigured);
    };
    // Of two of the same name, the handler might read the one that was not checked.
    if path.iter().filter(|(other, _)| *other == name).count() > 1 {
        tracing::error!(
            target: "auth",
            parameter = name,
            route = request.match_pattern(),
            "a scope and a route have a path parameter of the same name: give one of them another"
        );
        return Err(AuthError::Misconfigured);
    }
    Ok(percent_decode_str(raw).decode_utf8().ok().map(Into::into))
}

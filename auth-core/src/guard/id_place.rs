//! Where a request names a context. Reading these places does not touch the body.

use std::{borrow::Cow, str::FromStr};

use actix_web::{HttpRequest, web::Query};
use percent_encoding::percent_decode_str;

use crate::{
    context::{AsyncLoadContext, AsyncLoadContexts, Loadable, NotOnThread, OnThread},
    error::AuthError,
    http::auth::Auth,
    vocabulary::id::is_stored,
};

/// A place in a request for the id of a context, or for a part of the id.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum IdPlace {
    /// The first of these path parameters that the route has.
    Path(&'static [&'static str]),
    /// A parameter of the query.
    Query(&'static str),
    /// A header.
    Header(&'static str),
}

/// The key that a request names a context by, if its text is one, and the text.
#[derive(Debug)]
pub struct RequestId<'r, K> {
    pub(super) key: Option<K>,
    pub(super) text: Cow<'r, str>,
}

/// A context that a request can name in `S`: one [`IdPlace`], or a tuple of them.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded by what the request names",
    label = "how is it found?",
    note = "a context implements `auth_core::LoadContext`, a list of contexts needs `auth_core::LoadContexts`; \
            `#[derive(auth_core::LoadContext)]` writes both",
    note = "an id in one place implements `FromStr`; a tuple is named in as many places: `id = (\"…\", \"…\")`; \
            and `()` in none: `id = ()`",
    note = "labelled groups are what a function makes: `ctx_loader = f(…)`"
)]
pub trait ReadFrom<S>: Loadable {
    /// # Errors
    ///
    /// [`AuthError::Misconfigured`] if it cannot be found for any request.
    fn read<'r>(places: &[IdPlace], request: &'r HttpRequest) -> Result<RequestId<'r, Self::Key>, AuthError>;

    /// The load of what the request names, for the thread that finds the subject. `None` where it cannot go there, or the
    /// request names nothing: then it is read once the subject is known.
    fn on_thread(
        places: &[IdPlace],
        request: &HttpRequest,
        auth: &Auth,
    ) -> Option<impl OnThread<Self> + 'static> {
        let _ = (places, request, auth);
        None::<NotOnThread>
    }
}

/// The id of a context that is named in one place.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an id that is named in one place",
    label = "how is it made of the text of a request?",
    note = "an id in one place implements `FromStr`; a tuple is named in as many places: `id = (\"…\", \"…\")`; \
            and `()` in none: `id = ()`"
)]
pub trait IdInOnePlace: FromStr {}

#[diagnostic::do_not_recommend]
impl<I: FromStr> IdInOnePlace for I {}

impl<T: AsyncLoadContext<Id: IdInOnePlace>> ReadFrom<IdPlace> for T {
    fn read<'r>(places: &[IdPlace], request: &'r HttpRequest) -> Result<RequestId<'r, T::Id>, AuthError> {
        let [place] = places else { return Err(AuthError::Misconfigured) };
        let text = place.text(request)?;
        Ok(RequestId { key: text.as_deref().and_then(key), text: text.unwrap_or_default() })
    }

    fn on_thread(
        places: &[IdPlace],
        request: &HttpRequest,
        auth: &Auth,
    ) -> Option<impl OnThread<T> + 'static> {
        // A query can be long, and its sender is not known yet.
        let [place @ (IdPlace::Path(_) | IdPlace::Header(_))] = places else { return None };
        let text = place.find(request).ok()??.into_owned();
        // The thread parses the id, because its subject is known there.
        T::on_thread(auth.registered_pool()?, move || key(&text))
    }
}

/// As many ids as there are; one that is none, and the whole names nothing.
#[diagnostic::do_not_recommend]
impl<T: AsyncLoadContexts<Id: FromStr>> ReadFrom<IdPlace> for Vec<T> {
    fn read<'r>(
        places: &[IdPlace],
        request: &'r HttpRequest,
    ) -> Result<RequestId<'r, Vec<T::Id>>, AuthError> {
        let [place] = places else { return Err(AuthError::Misconfigured) };
        let texts = place.texts(request)?;
        let key = texts.as_ref().and_then(|texts| texts.iter().map(|text| key(text)).collect());
        Ok(RequestId { key, text: texts.unwrap_or_default().join(",").into() })
    }
}

/// A context of which there is only one, such as the platform as a whole.
#[diagnostic::do_not_recommend]
impl<T: AsyncLoadContext<Id = ()>> ReadFrom<()> for T {
    fn read<'r>(places: &[IdPlace], _: &'r HttpRequest) -> Result<RequestId<'r, ()>, AuthError> {
        let [] = places else { return Err(AuthError::Misconfigured) };
        Ok(RequestId { key: Some(()), text: Cow::Borrowed("") })
    }
}

macro_rules! place_of {
    ($part:ident) => {
        IdPlace
    };
}

/// An id of several parts.
macro_rules! read_from_parts {
    ($($part:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, reason = "each part is called as its type")]
        impl<T, $($part: FromStr),+> ReadFrom<($(place_of!($part),)+)> for T
        where
            T: AsyncLoadContext<Id = ($($part,)+)>,
        {
            fn read<'r>(places: &[IdPlace], request: &'r HttpRequest) -> Result<RequestId<'r, T::Id>, AuthError> {
                let [$($part),+] = places else { return Err(AuthError::Misconfigured) };
                $(let $part = $part.text(request)?;)+
                // A part that is not there, or is there twice, names nothing: `""` might be a part of a key.
                let parsed = (|| Some(($($part.as_deref().and_then(key)?,)+)))();
                let text = [$($part.as_deref().unwrap_or_default()),+].join(",").into();
                Ok(RequestId { key: parsed, text })
            }
        }
    };
}
read_from_parts!(A B);
read_from_parts!(A B C);
read_from_parts!(A B C D);

impl IdPlace {
    /// The id's text. `None` if the client names nothing, or the text has two readings: a handler might take the other one.
    fn text<'r>(&self, request: &'r HttpRequest) -> Result<Option<Cow<'r, str>>, AuthError> {
        self.find(request).map_err(|wrong| wrong.logged(request))
    }

    fn find<'r>(&self, request: &'r HttpRequest) -> Result<Option<Cow<'r, str>>, WrongRoute> {
        match *self {
            Self::Path(parameters) => path_parameter(request, parameters),
            Self::Query(wanted) => Ok(query_parameters(request, wanted)
                .and_then(|values| only(values.into_iter()))
                .map(Cow::Owned)),
            Self::Header(wanted) => {
                let values = request.headers().get_all(wanted);
                Ok(only(values).and_then(|value| value.to_str().ok()).map(Cow::Borrowed))
            }
        }
    }

    /// The texts of several ids: of each parameter of the query that is called so, or separated by commas, as
    /// the values of a header are (RFC 9110, section 5.6.1). In a header, empty elements are no elements (5.6.1.2).
    fn texts(&self, request: &HttpRequest) -> Result<Option<Vec<String>>, AuthError> {
        Ok(match *self {
            Self::Path(parameters) => path_parameter(request, parameters)
                .map_err(|wrong| wrong.logged(request))?
                .map(|text| separated(&text)),
            Self::Query(wanted) => query_parameters(request, wanted),
            Self::Header(wanted) => {
                let values = request.headers().get_all(wanted).map(|value| value.to_str().map(separated));
                let texts = values.collect::<Result<Vec<_>, _>>().ok().map(|texts| texts.concat());
                texts.map(|texts| texts.into_iter().filter(|text| !text.is_empty()).collect())
            }
        })
    }
}

/// The text as a key. A text with a NUL is no key, because not every database takes it in a query.
fn key<K: FromStr>(text: &str) -> Option<K> {
    if is_stored(text) { text.parse().ok() } else { None }
}

/// The values of the parameters with this name. `None` if it is not clear which are meant: a client may write the name in
/// another way, as `id[]` or `ID`, and the handler might read that one.
fn query_parameters(request: &HttpRequest, wanted: &str) -> Option<Vec<String>> {
    let Query(parameters) = Query::<Vec<(String, String)>>::from_query(request.query_string()).ok()?;
    let mut values = Vec::new();
    for (name, value) in parameters {
        if name == wanted {
            values.push(value);
        } else if base(&name).eq_ignore_ascii_case(base(wanted)) {
            return None;
        }
    }
    Some(values)
}

/// The name of a parameter without what some read as an index: `id` of `id[]`, `id[0]` and ` id `.
fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or_default().trim()
}

fn separated(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).collect()
}

/// The item, if there is one and no more.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

/// A route that names no context in any request.
enum WrongRoute {
    /// It has none of these path parameters.
    HasNone(&'static [&'static str]),
    HasTwo(&'static str),
}

impl WrongRoute {
    /// The log has what to do about it.
    fn logged(self, request: &HttpRequest) -> AuthError {
        let route = request.match_pattern();
        match self {
            Self::HasNone(parameters) => tracing::error!(
                target: "auth",
                ?parameters,
                route,
                "the route has none of the path parameters that could name the context: \
                 say which one does with `id = \"…\"`"
            ),
            Self::HasTwo(parameter) => tracing::error!(
                target: "auth",
                parameter,
                route,
                "a scope and a route have a path parameter of the same name: give one of them another"
            ),
        }
        AuthError::Misconfigured
    }
}

/// The value of the first of these path parameters that the route has, decoded as `web::Path` does.
fn path_parameter<'r>(
    request: &'r HttpRequest,
    parameters: &'static [&'static str],
) -> Result<Option<Cow<'r, str>>, WrongRoute> {
    let path = request.match_info();
    let named = |name: &'static str| path.get(name).map(|raw| (name, raw));
    let (name, raw) = parameters.iter().copied().find_map(named).ok_or(WrongRoute::HasNone(parameters))?;
    // Of two of the same name, the handler might read the one that was not checked.
    if path.iter().filter(|(other, _)| *other == name).count() > 1 {
        return Err(WrongRoute::HasTwo(name));
    }
    if raw.contains('%') {
        return Ok(percent_decode_str(raw).decode_utf8().ok());
    }
    Ok(Some(Cow::Borrowed(raw)))
}

//! Compares the attributes, the handler and the route pattern: one function for each rule. The outcome is the model of the
//! guard, which is complete unless there is an error.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::{Attribute, ExprPath, FnArg, Meta};

use crate::args::Args;
use crate::errors::Errors;
use crate::handler::Handler;
use crate::model::{Caller, Guard, Kind, Place};
use crate::route::Route;
use crate::types::impl_trait;

mod authentication;
mod contexts;
mod id_place;

/// The guard that the attributes describe.
pub(crate) fn guard(
    place: &Place,
    args: Vec<Args>,
    on_denied: Option<ExprPath>,
    route: Option<&Route>,
    errors: &mut Errors,
) -> Guard {
    let mut authentication = Vec::new();
    let mut anonymous = false;
    let mut checks = Vec::new();
    let mut requirements = Vec::new();
    for args in args {
        match args {
            Args::Authentication(args) => authentication.push(*args),
            Args::Anonymous => anonymous = true,
            Args::Check(check) => checks.push(check),
            Args::Context(args) => requirements.extend(contexts::requirement(*args, place, errors)),
            Args::Public(_) => {}
        }
    }
    let log_in = authentication::log_in_requirement(&authentication, errors);
    let caller = if anonymous { Caller::Anonymous } else { Caller::Authenticated(log_in) };
    Guard { caller, checks, contexts: contexts::merged(requirements, place, route, errors), on_denied }
}

/// The attribute that stands alone on the handler, if it must.
pub(crate) fn alone(attributes: &[(Kind, Span)], wrapped: bool, errors: &mut Errors) -> Option<Kind> {
    let is_written = |kind: &Kind| attributes.iter().any(|(other, _)| other == kind);
    let (kind, why) =
        Kind::ALL.into_iter().filter(is_written).find_map(|kind| Some((kind, kind.alone()?)))?;
    let name = kind.name();
    let mut same = attributes.iter().filter(|(other, _)| *other == kind);
    let (_, span) = same.next()?;
    if let Some((other, _)) = attributes.iter().find(|(other, _)| *other != kind) {
        errors.push(*span, format_args!("{why}; remove `{name}` or `{}`", other.name()));
        return None;
    }
    if wrapped {
        errors.push(*span, format_args!("{why}; remove `{name}` or the guard"));
        return None;
    }
    for (_, again) in same {
        errors.push(*again, format_args!("`{name}` is written twice; remove one"));
    }
    Some(kind)
}

/// Reports a function that cannot carry a guard.
pub(crate) fn handler(handler: &Handler, errors: &mut Errors) {
    let signature = &handler.signature;
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token.span,
            format_args!("a guarded handler is asynchronous; write `async fn {}`", signature.ident),
        );
    }
    for attribute in handler.attributes.iter().filter(|attribute| is_openapi(attribute)) {
        errors.push_spanned(
            attribute.path(),
            "below a guard, this does not see the handler's arguments, and leaves the body out of the document; put \
             it above the guard",
        );
    }
    let receiver = signature.receiver().map(|receiver| receiver.self_token.span);
    if let Some(span) = receiver {
        errors.push(span, "a guard goes on a free function, not on a method; move it out of the `impl`");
    } else if let Some(span) = handler.own_type {
        errors.push(
            span,
            "a guard goes on a free function, not on one of an `impl`; move it out and name the type",
        );
    }
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(_) => {}
            FnArg::Typed(argument) => {
                if let Some(attribute) = argument.attrs.first() {
                    errors.push_spanned(
                        attribute,
                        "an attribute on an argument would be lost; put it on the function",
                    );
                }
                if let Some(span) = impl_trait(argument.ty.to_token_stream()) {
                    errors.push(
                        span,
                        "a guard has to name the type of each argument; \
                         write a generic parameter instead of `impl`",
                    );
                }
            }
        }
    }
}

/// Whether it is `#[utoipa::path(…)]`. The compiler's own `#[path = "…"]` is for modules.
fn is_openapi(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let is_path = path.segments.last().is_some_and(|last| last.ident == "path");
    is_path && (path.segments.len() > 1 || matches!(attribute.meta, Meta::List(_)))
}

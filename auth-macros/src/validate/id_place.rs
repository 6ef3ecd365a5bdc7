//! The place of a context's id: in the request, or an expression over arguments; or the function that makes the context.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, LitStr, Pat};

use super::contexts::{ContextRequirement, argument};
use crate::args::{Loader, Origin};
use crate::errors::Errors;
use crate::handler::argument_name;
use crate::model::{IdPlace, LoaderArgument, Place};
use crate::nearest::{all_of, one_of};
use crate::route::Route;
use crate::types::{context_type, element_type, snake_case_name};

/// The place of the id that an attribute names, or the conventional one.
pub(super) fn id_place(
    requirement: &ContextRequirement,
    place: &Place,
    route: Option<&Route>,
    errors: &mut Errors,
) -> Option<IdPlace> {
    // Without a visible route, the parameters of the request decide.
    let route = route.and_then(|route| Some((route, route.parameters()?)));
    match &requirement.origin {
        Some(Origin::Expression(expression)) => of_arguments(expression, place, errors),
        Some(Origin::Loader(loader)) => of_loader(loader, place, errors),
        Some(Origin::Parts(_, parts)) => {
            let parts: Vec<Option<IdPlace>> =
                parts.iter().map(|part| of_request(part, route.as_ref(), errors)).collect();
            parts.into_iter().collect::<Option<_>>().map(IdPlace::Parts)
        }
        Some(origin) => of_request(origin, route.as_ref(), errors),
        None => by_convention(requirement, route.as_ref(), errors).map(IdPlace::Path),
    }
}

/// A place in the request that holds an id, or a part of one.
fn of_request(origin: &Origin, route: Visible<'_, '_>, errors: &mut Errors) -> Option<IdPlace> {
    let name = match origin {
        Origin::Query(literal) => return Some(IdPlace::Query(literal.value())),
        Origin::Header(literal) => return Some(IdPlace::Header(literal.value())),
        Origin::Route(literal) => of_route(literal, route, errors)?,
        Origin::Scope(literal) => of_scope(literal, route, errors)?,
        Origin::Expression(_) | Origin::Loader(_) | Origin::Parts(..) => {
            errors.push(
                origin.span(),
                "a part of a key is a path parameter in quotes, `scope(\"…\")`, `query(\"…\")` or `header(\"…\")`",
            );
            return None;
        }
    };
    Some(IdPlace::Path(vec![name]))
}

/// The arguments of a loader.
fn of_loader(loader: &Loader, place: &Place, errors: &mut Errors) -> Option<IdPlace> {
    let mut arguments = Vec::new();
    for name in &loader.arguments {
        let wanted = name.unraw().to_string();
        let is_argument = place
            .handler
            .arguments()
            .any(|argument| argument_name(&argument.pat).is_some_and(|name| name.unraw() == wanted));
        if is_argument || wanted != CONNECTION {
            let (index, _) = argument(&wanted, name.span(), place, errors)?;
            arguments.push(LoaderArgument::Of(index, name.clone()));
        } else if arguments.iter().any(|argument| matches!(argument, LoaderArgument::Connection)) {
            errors.push(name.span(), "`connection` is named twice; there is one connection");
            return None;
        } else {
            arguments.push(LoaderArgument::Connection);
        }
    }
    Some(IdPlace::Loader { path: loader.path.clone(), arguments })
}

/// A loader's name for the connection, unless the handler has an argument of this name.
const CONNECTION: &str = "connection";

/// The arguments that an expression names. Without arguments, the id would be equal for all requests.
fn of_arguments(expression: &Expr, place: &Place, errors: &mut Errors) -> Option<IdPlace> {
    let tokens = expression.to_token_stream();
    let named = |pattern: &Pat| argument_name(pattern).is_some_and(|name| mentions(tokens.clone(), name));
    let arguments: Vec<usize> = place
        .handler
        .arguments()
        .enumerate()
        .filter(|(_, argument)| named(&argument.pat))
        .map(|(index, _)| index)
        .collect();
    if arguments.is_empty() {
        let written = tokens.to_string().replace(" . ", ".");
        let remedy = match expression {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                format!("a path parameter stands in quotes: `id = \"{tokens}\"`")
            }
            _ => "name what the id is taken from, as in `id = body.account_id`".to_owned(),
        };
        errors
            .push_spanned(expression, format_args!("`{written}` names no argument of the handler; {remedy}"));
        return None;
    }
    Some(IdPlace::Arguments { expression: Box::new(expression.clone()), arguments })
}

/// Whether tokens name a variable. A field, a method or a part of a path of that name does not count.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    let is_punct =
        |token: &TokenTree, which| matches!(token, TokenTree::Punct(punct) if punct.as_char() == which);
    let mut tokens = tokens.into_iter().peekable();
    let mut before = String::new();
    while let Some(token) = tokens.next() {
        let of_path = tokens.peek().is_some_and(|next| is_punct(next, ':'));
        // The end of a range and the value of a field do count.
        let of_another = before.ends_with("::") || before.ends_with('.') && !before.ends_with("..");
        let found = match &token {
            TokenTree::Ident(ident) => !of_another && !of_path && ident == name,
            TokenTree::Group(group) => mentions(group.stream(), name),
            _ => false,
        };
        if found {
            return true;
        }
        match &token {
            TokenTree::Punct(punct) => before.push(punct.as_char()),
            _ => before.clear(),
        }
    }
    false
}

/// A route whose pattern is visible, with its path parameters.
type Visible<'a, 'r> = Option<&'a (&'r Route, Vec<&'r str>)>;

fn of_route(literal: &LitStr, route: Visible<'_, '_>, errors: &mut Errors) -> Option<String> {
    let wanted = literal.value();
    let Some((route, parameters)) = route.filter(|(_, parameters)| !parameters.contains(&wanted.as_str()))
    else {
        return Some(wanted);
    };
    errors.push(
        literal.span(),
        format_args!(
            "{} has no path parameter `{wanted}`, it has {}; \
             write `id = scope(\"{wanted}\")` for one of an enclosing scope",
            route.description(),
            listed(parameters)
        ),
    );
    None
}

fn of_scope(literal: &LitStr, route: Visible<'_, '_>, errors: &mut Errors) -> Option<String> {
    let wanted = literal.value();
    let Some((route, _)) = route.filter(|(_, parameters)| parameters.contains(&wanted.as_str())) else {
        return Some(wanted);
    };
    errors.push(
        literal.span(),
        format_args!(
            "{} has the path parameter `{wanted}` itself; write `id = \"{wanted}\"` for it, \
             or give that of the enclosing scope another name",
            route.description(),
        ),
    );
    None
}

fn by_convention(
    requirement: &ContextRequirement,
    route: Visible<'_, '_>,
    errors: &mut Errors,
) -> Option<Vec<String>> {
    let candidates = candidates(requirement);
    let Some((route, parameters)) = route else {
        return Some(candidates);
    };
    if let Some(found) = candidates.iter().find(|name| parameters.contains(&name.as_str())) {
        return Some(vec![found.clone()]);
    }
    errors.push(
        requirement.span,
        format_args!(
            "{} has no path parameter {}, it has {}; write `id = \"…\"` for another, \
             or `id = scope(\"…\")` for one of an enclosing scope",
            route.description(),
            one_of(&candidates),
            listed(parameters)
        ),
    );
    None
}

fn listed(parameters: &[&str]) -> String {
    if parameters.is_empty() { "none".to_owned() } else { all_of(parameters) }
}

/// The names that a path parameter has by convention, the most telling one first.
fn candidates(requirement: &ContextRequirement) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let argument = requirement.argument.map(|_| requirement.name.clone());
    let ty = requirement.ty.as_ref().and_then(|ty| {
        let ty = context_type(ty);
        snake_case_name(element_type(ty).map_or(ty, context_type))
    });
    for name in [argument, ty].into_iter().flatten() {
        let name = format!("{name}_id");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.push("id".to_owned());
    names
}

impl Origin {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Route(literal) | Self::Scope(literal) | Self::Query(literal) | Self::Header(literal) => {
                literal.span()
            }
            Self::Expression(expression) => expression.span(),
            Self::Parts(span, _) => *span,
            Self::Loader(loader) => loader.path.span(),
        }
    }
}

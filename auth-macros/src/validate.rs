//! Holds the attributes, the handler and the route pattern against each other: one function for each
//! rule. What comes out is the model of the guard, complete where no error was found.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, LitStr, Type};

use crate::args::{Args, ContextArgs, Id};
use crate::errors::Errors;
use crate::handler::{Handler, argument_name, context_type, snake_case_name};
use crate::model::{Context, Guard, Kind, Permission, Place};
use crate::nearest::{all_of, nearest, one_of};
use crate::route::Route;

/// The guard that the attributes ask for.
pub(crate) fn guard(place: &Place, args: Vec<Args>, route: Option<&Route>, errors: &mut Errors) -> Guard {
    let mut checks = Vec::new();
    let mut asked = Vec::new();
    for args in args {
        match args {
            Args::AuthRequired | Args::Public => {}
            Args::Roles(roles) => checks.push(roles),
            Args::Context(args) => asked.extend(ask(*args, place, errors)),
        }
    }
    Guard { checks, contexts: contexts(asked, route, errors) }
}

/// Whether the handler is open, which it can only be without any other of our attributes.
pub(crate) fn openness(said: &[(Kind, Span)], wrapped: bool, errors: &mut Errors) -> bool {
    let mut open = said.iter().filter(|(kind, _)| *kind == Kind::Public);
    let Some((_, span)) = open.next() else {
        return false;
    };
    let other = said.iter().map(|(kind, _)| kind.name()).find(|name| *name != Kind::Public.name());
    if let Some(other) = other {
        errors.push(*span, format_args!("an open handler has no guard; remove `public` or `{other}`"));
        return false;
    }
    if wrapped {
        errors.push(*span, "an open handler has no guard; remove `public` or the guard");
        return false;
    }
    for (_, again) in open {
        errors.push(*again, "`public` is written twice; remove one");
    }
    true
}

/// What a function must be to carry a guard.
pub(crate) fn handler(handler: &Handler, errors: &mut Errors) {
    let signature = &handler.signature;
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token.span,
            format_args!("a guarded handler is asynchronous; write `async fn {}`", signature.ident),
        );
    }
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.push(
                receiver.self_token.span,
                "a guard goes on a free function, not on a method; move it out of the `impl`",
            ),
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

/// Where `impl Trait` stands in a type.
pub(crate) fn impl_trait(ty: TokenStream) -> Option<Span> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "impl" => Some(ident.span()),
        TokenTree::Group(group) => impl_trait(group.stream()),
        _ => None,
    })
}

/// One permission for one context, as an attribute asks for it.
struct Asked {
    /// What names the context in the attribute, to point at.
    span: Span,
    /// How a message names the context.
    name: String,
    argument: Option<usize>,
    ty: Type,
    id: Option<Id>,
    permission: (Permission, Span),
}

fn ask(args: ContextArgs, place: &Place, errors: &mut Errors) -> Option<Asked> {
    let (span, name, argument, ty) = match (args.ctx_arg.given, args.ctx.given) {
        (Some(_), Some(ctx)) => {
            errors.push(ctx, "`ctx_arg` hands the context to the handler, `ctx` only checks it; remove one");
            return None;
        }
        (None, None) => {
            errors.push(
                args.span,
                "no context is named; write `ctx_arg = \"…\"` for an argument of the handler, \
                 or `ctx = Account` for a context that it does not take",
            );
            return None;
        }
        (Some(_), None) => {
            let literal = args.ctx_arg.value?;
            let (index, ty) = argument(&literal, place, errors)?;
            (literal.span(), literal.value(), Some(index), ty)
        }
        (None, Some(_)) => {
            let ty = args.ctx.value?;
            let name = ty.to_token_stream().to_string();
            (ty.span(), name, None, ty)
        }
    };
    Some(Asked {
        span,
        name,
        argument,
        ty,
        id: match (args.id.given, args.id.value) {
            (Some(_), None) => return None,
            (_, id) => id,
        },
        permission: args.permission?,
    })
}

/// The argument that `ctx_arg` names.
fn argument(literal: &LitStr, place: &Place, errors: &mut Errors) -> Option<(usize, Type)> {
    let wanted = literal.value();
    let mut names = Vec::new();
    for (index, argument) in place.handler.arguments().enumerate() {
        let Some(name) = argument_name(&argument.pat) else {
            continue;
        };
        let name = name.unraw().to_string();
        if name == wanted {
            return Some((index, (*argument.ty).clone()));
        }
        names.push(name);
    }
    let remedy = if place.wrapped {
        "another guard has already taken the arguments; write this attribute above the others, \
         under its own name"
            .to_owned()
    } else if let Some(name) = nearest(&wanted, &names) {
        format!("did you mean `{name}`?")
    } else if names.is_empty() {
        "it has no argument with a name".to_owned()
    } else {
        format!("it has {}", all_of(&names))
    };
    errors.push(literal.span(), format_args!("the handler has no argument `{wanted}`; {remedy}"));
    None
}

/// Brings together what is asked of the same context, so that it is loaded once.
fn contexts(asked: Vec<Asked>, route: Option<&Route>, errors: &mut Errors) -> Vec<Context> {
    // An attribute that leaves the id out means that of another one for the same argument.
    let named: Vec<(usize, Id)> =
        asked.iter().filter_map(|asked| Some((asked.argument?, asked.id.clone()?))).collect();
    let mut contexts: Vec<Context> = Vec::new();
    for mut asked in asked {
        if asked.id.is_none() {
            asked.id = named
                .iter()
                .find(|(argument, _)| Some(*argument) == asked.argument)
                .map(|(_, id)| id.clone());
        }
        let Some(ids) = ids(&asked, route, errors) else {
            continue;
        };
        match contexts.iter_mut().find(|context| is_same(context, &asked, &ids)) {
            None => contexts.push(Context {
                argument: asked.argument,
                ty: asked.ty,
                ids,
                permissions: vec![asked.permission.0],
            }),
            Some(context) if context.ids != ids => errors.push(
                asked.id.as_ref().map_or(asked.span, Id::span),
                format_args!(
                    "`{}` has the id {} in another attribute; one argument holds one context",
                    asked.name,
                    one_of(&context.ids)
                ),
            ),
            Some(context) => add(context, asked, errors),
        }
    }
    contexts
}

/// Whether a context that will be loaded is the one that is asked about.
fn is_same(context: &Context, asked: &Asked, ids: &[String]) -> bool {
    match (context.argument, asked.argument) {
        (Some(one), Some(other)) => one == other,
        _ => context.ids == ids && context_name(&context.ty) == context_name(&asked.ty),
    }
}

fn context_name(ty: &Type) -> String {
    context_type(ty).to_token_stream().to_string()
}

fn add(context: &mut Context, asked: Asked, errors: &mut Errors) {
    let (permission, span) = asked.permission;
    if context.permissions.iter().any(|other| other.name() == permission.name()) {
        errors.push(
            span,
            format_args!("`{}` is asked of `{}` twice; remove one", permission.name(), asked.name),
        );
        return;
    }
    if context.argument.is_none() {
        context.argument = asked.argument;
        context.ty = asked.ty;
    }
    context.permissions.push(permission);
}

/// The path parameters that may name the context.
fn ids(asked: &Asked, route: Option<&Route>, errors: &mut Errors) -> Option<Vec<String>> {
    let parameters = route.and_then(Route::parameters);
    match (&asked.id, route.zip(parameters)) {
        (Some(Id::Scope(literal)), Some((route, parameters)))
            if parameters.contains(&literal.value().as_str()) =>
        {
            errors.push(
                literal.span(),
                format_args!(
                    "{} has the path parameter `{1}` itself; write `id = \"{1}\"` for it, \
                     or give that of the enclosing scope another name",
                    route.description(),
                    literal.value()
                ),
            );
            None
        }
        (Some(Id::Scope(literal)), _) | (Some(Id::Route(literal)), None) => Some(vec![literal.value()]),
        (Some(Id::Route(literal)), Some((route, parameters))) => {
            let wanted = literal.value();
            if parameters.contains(&wanted.as_str()) {
                return Some(vec![wanted]);
            }
            errors.push(
                literal.span(),
                format_args!(
                    "{} has no path parameter `{wanted}`, it has {}; \
                     write `id = scope(\"{wanted}\")` for one of an enclosing scope",
                    route.description(),
                    listed(&parameters)
                ),
            );
            None
        }
        (None, None) => Some(candidates(asked)),
        (None, Some((route, parameters))) => {
            let candidates = candidates(asked);
            let found = candidates.iter().find(|name| parameters.contains(&name.as_str())).cloned();
            if found.is_none() {
                errors.push(
                    asked.span,
                    format_args!(
                        "{} has no path parameter {}, it has {}; write `id = \"…\"` for another, \
                         or `id = scope(\"…\")` for one of an enclosing scope",
                        route.description(),
                        one_of(&candidates),
                        listed(&parameters)
                    ),
                );
            }
            found.map(|name| vec![name])
        }
    }
}

fn listed(parameters: &[&str]) -> String {
    if parameters.is_empty() { "none".to_owned() } else { all_of(parameters) }
}

/// The names that a path parameter has by convention, the most telling one first.
fn candidates(asked: &Asked) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let argument = asked.argument.map(|_| asked.name.clone());
    let ty = snake_case_name(context_type(&asked.ty));
    for name in [argument, ty].into_iter().flatten() {
        let name = format!("{name}_id");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.push("id".to_owned());
    names
}

impl Id {
    fn span(&self) -> Span {
        match self {
            Self::Route(literal) | Self::Scope(literal) => literal.span(),
        }
    }
}

impl Permission {
    fn name(&self) -> String {
        match self {
            Self::Known(known) => known.name().to_owned(),
            Self::Path(path) => path.to_token_stream().to_string(),
        }
    }
}

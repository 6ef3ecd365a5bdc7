//! Merges the requirements of the attributes on each context, so that it is loaded once.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::id_place::id_place;
use crate::args::{ContextArgs, Origin};
use crate::errors::Errors;
use crate::handler::argument_name;
use crate::model::{Context, IdPlace, Permission, Place};
use crate::nearest::{all_of, suggestion};
use crate::route::Route;
use crate::types::{context_type, element_type};

/// The requirement of one attribute: one permission for one context.
pub(super) struct ContextRequirement {
    /// The context's name in the attribute, to point at.
    pub(super) span: Span,
    /// The context's name in messages.
    pub(super) name: String,
    pub(super) argument: Option<usize>,
    /// None: only the loader's signature has it.
    pub(super) ty: Option<Type>,
    pub(super) origin: Option<Origin>,
    pub(super) permission: (Permission, Span),
    pub(super) allow_empty: bool,
}

pub(super) fn requirement(
    args: ContextArgs,
    place: &Place,
    errors: &mut Errors,
) -> Option<ContextRequirement> {
    let (span, name, argument, ty) = match (args.ctx_arg.given, args.ctx.given, args.ctx_loader.given) {
        (Some(_), Some(ctx), _) => {
            errors.push(ctx, "`ctx_arg` hands the context to the handler, `ctx` only checks it; remove one");
            return None;
        }
        (None, Some(ctx), Some(_)) => {
            errors.push(ctx, "what `ctx_loader` makes is checked without `ctx`; remove `ctx`");
            return None;
        }
        (None, None, None) => {
            errors.push(
                args.span,
                "no context is named; write `ctx_arg = \"…\"` for an argument of the handler, \
                 or `ctx = Account` for a context that it does not take",
            );
            return None;
        }
        (Some(_), None, _) => {
            let literal = args.ctx_arg.value?;
            let (index, ty) = argument(&literal.value(), literal.span(), place, errors)?;
            (literal.span(), literal.value(), Some(index), Some(ty))
        }
        (None, Some(_), None) => {
            let ty = args.ctx.value?;
            let name = ty.to_token_stream().to_string();
            (ty.span(), name, None, Some(ty))
        }
        (None, None, Some(_)) => {
            let path = &args.ctx_loader.value.as_ref()?.path;
            (path.span(), path.to_token_stream().to_string(), None, None)
        }
    };
    let origin = match (args.id.given, args.ctx_loader.given) {
        (Some(id), Some(_)) => {
            errors.push(id, "`ctx_loader` finds the context without an id; remove `id`");
            return None;
        }
        (Some(_), None) => Some(args.id.value?),
        (None, Some(_)) => Some(Origin::Loader(args.ctx_loader.value?)),
        (None, None) => None,
    };
    let allow_empty = args.allow_empty.value.is_some_and(|value| value.value());
    if let (Some(key), Some(ty)) = (args.allow_empty.given.filter(|_| args.ctx_loader.given.is_none()), &ty)
        && element_type(context_type(ty)).is_none()
    {
        errors.push(key, format_args!("`allow_empty` is about lists, and `{name}` is no `Vec`; remove it"));
    }
    Some(ContextRequirement { span, name, argument, ty, origin, permission: args.permission?, allow_empty })
}

/// The argument of this name.
pub(super) fn argument(
    wanted: &str,
    span: Span,
    place: &Place,
    errors: &mut Errors,
) -> Option<(usize, Type)> {
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
    } else if let Some(suggestion) = suggestion(wanted, &names) {
        suggestion
    } else if names.is_empty() {
        "it has no argument with a name".to_owned()
    } else {
        format!("it has {}", all_of(&names))
    };
    errors.push(span, format_args!("the handler has no argument `{wanted}`; {remedy}"));
    None
}

/// Merges the requirements on each context, so that it is loaded once.
pub(super) fn merged(
    requirements: Vec<ContextRequirement>,
    place: &Place,
    route: Option<&Route>,
    errors: &mut Errors,
) -> Vec<Context> {
    // An attribute without an id takes the id of another attribute for the same argument.
    let origins: Vec<(usize, Origin)> = requirements
        .iter()
        .filter_map(|requirement| Some((requirement.argument?, requirement.origin.clone()?)))
        .collect();
    let mut contexts: Vec<Context> = Vec::new();
    for mut requirement in requirements {
        if requirement.origin.is_none() {
            requirement.origin = origins
                .iter()
                .find(|(argument, _)| Some(*argument) == requirement.argument)
                .map(|(_, origin)| origin.clone());
        }
        let Some(id_place) = id_place(&requirement, place, route, errors) else {
            continue;
        };
        let of_argument =
            |context: &Context| context.argument.is_some() && context.argument == requirement.argument;
        let same = contexts
            .iter()
            .position(of_argument)
            .or_else(|| contexts.iter().position(|context| is_same(context, &requirement, &id_place)));
        match same.and_then(|index| contexts.get_mut(index)) {
            None => contexts.push(Context {
                argument: requirement.argument,
                ty: requirement.ty,
                id_place,
                permissions: vec![requirement.permission.0],
                allow_empty: requirement.allow_empty,
                late: false,
            }),
            Some(context) if !context.id_place.is(&id_place) => errors.push(
                requirement.origin.as_ref().map_or(requirement.span, Origin::span),
                format_args!(
                    "`{}` comes from {} in another attribute; one argument holds one context",
                    requirement.name,
                    context.id_place.written()
                ),
            ),
            Some(context) => add(context, requirement, errors),
        }
    }
    order(&mut contexts, errors);
    contexts
}

/// Whether a requirement is about this context, where at most one of the two has an argument.
fn is_same(context: &Context, requirement: &ContextRequirement, id_place: &IdPlace) -> bool {
    match (context.argument, requirement.argument) {
        (Some(_), Some(_)) => false,
        // A function that gets equal arguments makes a context of one type, even if no attribute names the type.
        _ if matches!(id_place, IdPlace::Loader { .. }) => context.id_place.is(id_place),
        _ => context.id_place.is(id_place) && name(context.ty.as_ref()) == name(requirement.ty.as_ref()),
    }
}

fn name(ty: Option<&Type>) -> Option<String> {
    ty.map(|ty| context_type(ty).to_token_stream().to_string())
}

fn add(context: &mut Context, requirement: ContextRequirement, errors: &mut Errors) {
    let (permission, span) = requirement.permission;
    if context.permissions.iter().any(|other| other.name() == permission.name()) {
        errors.push(
            span,
            format_args!("`{}` is required of `{}` twice; remove one", permission.name(), requirement.name),
        );
        return;
    }
    if context.argument.is_none() {
        context.argument = requirement.argument;
        context.ty = requirement.ty;
    }
    context.permissions.push(permission);
    // An empty list is a denial unless every attribute allows it.
    context.allow_empty &= requirement.allow_empty;
}

/// Marks the contexts that wait for extracted arguments, and reports those that wait for a waiting context.
fn order(contexts: &mut [Context], errors: &mut Errors) {
    let dependent = |context: &&Context| !context.id_place.arguments().is_empty();
    let waiting: Vec<usize> =
        contexts.iter().filter(dependent).filter_map(|context| context.argument).collect();
    let ready: Vec<usize> = contexts
        .iter()
        .filter(|context| !dependent(context))
        .filter_map(|context| context.argument)
        .collect();
    for context in contexts {
        let arguments = context.id_place.arguments();
        context.late = arguments.iter().any(|argument| !ready.contains(argument));
        if arguments.iter().any(|argument| waiting.contains(argument)) {
            let written = match &context.id_place {
                IdPlace::Arguments { expression, .. } => expression.to_token_stream(),
                IdPlace::Loader { path, .. } => path.to_token_stream(),
                IdPlace::Path(_) | IdPlace::Query(_) | IdPlace::Header(_) | IdPlace::Parts(_) => continue,
            };
            errors.push_spanned(
                written,
                "this context is loaded from arguments too; use an extracted argument, or a context whose id is in the path, \
                 query or a header",
            );
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

//! Contexts: brings together what the attributes ask of each, so that it is loaded once.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::source::source;
use crate::args::{ContextArgs, Origin};
use crate::errors::Errors;
use crate::handler::argument_name;
use crate::model::{Context, IdPlace, Permission, Place};
use crate::nearest::{all_of, suggestion};
use crate::route::Route;
use crate::types::{context_type, element_type};

/// One permission for one context, as an attribute asks for it.
pub(super) struct Asked {
    /// What names the context in the attribute, to point at.
    pub(super) span: Span,
    /// How a message names the context.
    pub(super) name: String,
    pub(super) argument: Option<usize>,
    /// None: what a loader makes.
    pub(super) ty: Option<Type>,
    pub(super) origin: Option<Origin>,
    pub(super) permission: (Permission, Span),
    pub(super) allow_empty: bool,
}

pub(super) fn ask(args: ContextArgs, place: &Place, errors: &mut Errors) -> Option<Asked> {
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
    Some(Asked { span, name, argument, ty, origin, permission: args.permission?, allow_empty })
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

/// Brings together what is asked of the same context, so that it is loaded once.
pub(super) fn merged(
    asked: Vec<Asked>,
    place: &Place,
    route: Option<&Route>,
    errors: &mut Errors,
) -> Vec<Context> {
    // An attribute that leaves the id out means that of another one for the same argument.
    let named: Vec<(usize, Origin)> =
        asked.iter().filter_map(|asked| Some((asked.argument?, asked.origin.clone()?))).collect();
    let mut contexts: Vec<Context> = Vec::new();
    for mut asked in asked {
        if asked.origin.is_none() {
            asked.origin = named
                .iter()
                .find(|(argument, _)| Some(*argument) == asked.argument)
                .map(|(_, origin)| origin.clone());
        }
        let Some(source) = source(&asked, place, route, errors) else {
            continue;
        };
        let of_argument =
            |context: &Context| context.argument.is_some() && context.argument == asked.argument;
        let same = contexts
            .iter()
            .position(of_argument)
            .or_else(|| contexts.iter().position(|context| is_same(context, &asked, &source)));
        match same.and_then(|index| contexts.get_mut(index)) {
            None => contexts.push(Context {
                argument: asked.argument,
                ty: asked.ty,
                source,
                permissions: vec![asked.permission.0],
                allow_empty: asked.allow_empty,
                late: false,
            }),
            Some(context) if !context.source.is(&source) => errors.push(
                asked.origin.as_ref().map_or(asked.span, Origin::span),
                format_args!(
                    "`{}` comes from {} in another attribute; one argument holds one context",
                    asked.name,
                    context.source.written()
                ),
            ),
            Some(context) => add(context, asked, errors),
        }
    }
    order(&mut contexts, errors);
    contexts
}

/// Whether a context that will be loaded is the one that is asked about, for no argument or another attribute's.
fn is_same(context: &Context, asked: &Asked, source: &IdPlace) -> bool {
    match (context.argument, asked.argument) {
        (Some(_), Some(_)) => false,
        // What one function makes of the same arguments has one type, whether it is written or not.
        _ if matches!(source, IdPlace::Loader { .. }) => context.source.is(source),
        _ => context.source.is(source) && name(context.ty.as_ref()) == name(asked.ty.as_ref()),
    }
}

fn name(ty: Option<&Type>) -> Option<String> {
    ty.map(|ty| context_type(ty).to_token_stream().to_string())
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
    // Where one attribute does not allow it, an empty list is a denial.
    context.allow_empty &= asked.allow_empty;
}

/// Which contexts have to wait for arguments, and that none waits for one that waits itself.
fn order(contexts: &mut [Context], errors: &mut Errors) {
    let dependent = |context: &&Context| !context.source.arguments().is_empty();
    let waiting: Vec<usize> =
        contexts.iter().filter(dependent).filter_map(|context| context.argument).collect();
    let ready: Vec<usize> = contexts
        .iter()
        .filter(|context| !dependent(context))
        .filter_map(|context| context.argument)
        .collect();
    for context in contexts {
        let arguments = context.source.arguments();
        context.late = arguments.iter().any(|argument| !ready.contains(argument));
        if arguments.iter().any(|argument| waiting.contains(argument)) {
            let written = match &context.source {
                IdPlace::Arguments { expression, .. } => expression.to_token_stream(),
                IdPlace::Loader { path, .. } => path.to_token_stream(),
                IdPlace::Path(_) | IdPlace::Query(_) | IdPlace::Header(_) | IdPlace::Parts(_) => continue,
            };
            errors.push_spanned(
                written,
                "this names a context that is made of arguments itself; name an argument that is extracted from \
                 the request, or a context that the request itself names",
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

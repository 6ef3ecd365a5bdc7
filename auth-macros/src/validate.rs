//! Holds the attributes, the handler and the route pattern against each other: one function for each
//! rule. What comes out is the model of the guard, complete where no error was found.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath, FnArg, LitStr, Pat, Type};

use crate::args::{Args, ContextArgs, Loader, Origin};
use crate::errors::Errors;
use crate::handler::{Handler, argument_name, context_type, element_type, snake_case_name};
use crate::model::{Caller, Context, Guard, Kind, LoaderArgument, Permission, Place, Source};
use crate::nearest::{all_of, nearest, one_of};
use crate::route::Route;

mod authentication;

/// The guard that the attributes ask for.
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
    let mut asked = Vec::new();
    for args in args {
        match args {
            Args::Authentication(args) => authentication.push(*args),
            Args::Anonymous => anonymous = true,
            Args::Check(check) => checks.push(check),
            Args::Context(args) => asked.extend(ask(*args, place, errors)),
            Args::Public => {}
        }
    }
    let accepted = authentication::accepted(&authentication, errors);
    let caller = if anonymous { Caller::Anonymous } else { Caller::Authenticated(accepted) };
    Guard { caller, checks, contexts: contexts(asked, place, route, errors), on_denied }
}

/// The attribute that stands alone on the handler, where it is one of those that must.
pub(crate) fn alone(said: &[(Kind, Span)], wrapped: bool, errors: &mut Errors) -> Option<Kind> {
    let (kind, why) = ALONE.into_iter().find(|(kind, _)| said.iter().any(|(other, _)| other == kind))?;
    let name = kind.name();
    let mut these = said.iter().filter(|(other, _)| *other == kind);
    let (_, span) = these.next()?;
    if let Some((other, _)) = said.iter().find(|(other, _)| *other != kind) {
        errors.push(*span, format_args!("{why}; remove `{name}` or `{}`", other.name()));
        return None;
    }
    if wrapped {
        errors.push(*span, format_args!("{why}; remove `{name}` or the guard"));
        return None;
    }
    for (_, again) in these {
        errors.push(*again, format_args!("`{name}` is written twice; remove one"));
    }
    Some(kind)
}

/// The attributes that stand next to no other, and why.
const ALONE: [(Kind, &str); 2] = [
    (Kind::Public, "an open handler has no guard"),
    (Kind::AnonymousUserRequired, "nothing can be asked of a caller who is not logged in"),
];

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
    /// None: what a loader makes.
    ty: Option<Type>,
    origin: Option<Origin>,
    permission: (Permission, Span),
    allow_empty: bool,
}

fn ask(args: ContextArgs, place: &Place, errors: &mut Errors) -> Option<Asked> {
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
fn argument(wanted: &str, span: Span, place: &Place, errors: &mut Errors) -> Option<(usize, Type)> {
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
    } else if let Some(name) = nearest(wanted, &names) {
        format!("did you mean `{name}`?")
    } else if names.is_empty() {
        "it has no argument with a name".to_owned()
    } else {
        format!("it has {}", all_of(&names))
    };
    errors.push(span, format_args!("the handler has no argument `{wanted}`; {remedy}"));
    None
}

/// Brings together what is asked of the same context, so that it is loaded once.
fn contexts(asked: Vec<Asked>, place: &Place, route: Option<&Route>, errors: &mut Errors) -> Vec<Context> {
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
fn is_same(context: &Context, asked: &Asked, source: &Source) -> bool {
    match (context.argument, asked.argument) {
        (Some(_), Some(_)) => false,
        // What one function makes of the same arguments has one type, whether it is written or not.
        _ if matches!(source, Source::Loader { .. }) => context.source.is(source),
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

/// Where the request names the context.
fn source(asked: &Asked, place: &Place, route: Option<&Route>, errors: &mut Errors) -> Option<Source> {
    // Without a visible route, what the request has decides.
    let route = route.and_then(|route| Some((route, route.parameters()?)));
    match &asked.origin {
        Some(Origin::Expression(expression)) => of_arguments(expression, place, errors),
        Some(Origin::Loader(loader)) => of_loader(loader, place, errors),
        Some(Origin::Parts(_, parts)) => {
            let parts: Vec<Option<Source>> =
                parts.iter().map(|part| of_request(part, route.as_ref(), errors)).collect();
            parts.into_iter().collect::<Option<_>>().map(Source::Parts)
        }
        Some(origin) => of_request(origin, route.as_ref(), errors),
        None => by_convention(asked, route.as_ref(), errors).map(Source::Path),
    }
}

/// A place in the request that holds an id, or a part of one.
fn of_request(origin: &Origin, route: Visible<'_, '_>, errors: &mut Errors) -> Option<Source> {
    let name = match origin {
        Origin::Query(literal) => return Some(Source::Query(literal.value())),
        Origin::Header(literal) => return Some(Source::Header(literal.value())),
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
    Some(Source::Path(vec![name]))
}

/// What a loader is called with.
fn of_loader(loader: &Loader, place: &Place, errors: &mut Errors) -> Option<Source> {
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
    Some(Source::Loader { path: loader.path.clone(), arguments })
}

/// What a loader calls the connection, unless the handler has an argument of this name.
const CONNECTION: &str = "connection";

/// The arguments that an expression names. Without any it would be the same for every request.
fn of_arguments(expression: &Expr, place: &Place, errors: &mut Errors) -> Option<Source> {
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
    Some(Source::Arguments { expression: Box::new(expression.clone()), arguments })
}

/// Whether tokens name a variable. Not so a field, a method or a part of a path that is called alike.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    let is_punct =
        |token: &TokenTree, which| matches!(token, TokenTree::Punct(punct) if punct.as_char() == which);
    let mut tokens = tokens.into_iter().peekable();
    let mut before = String::new();
    while let Some(token) = tokens.next() {
        let of_path = tokens.peek().is_some_and(|next| is_punct(next, ':'));
        // Not so the end of a range, or the value of a field.
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
                Source::Arguments { expression, .. } => expression.to_token_stream(),
                Source::Loader { path, .. } => path.to_token_stream(),
                Source::Path(_) | Source::Query(_) | Source::Header(_) | Source::Parts(_) => continue,
            };
            errors.push_spanned(
                written,
                "this names a context that is made of arguments itself; name an argument that is extracted from \
                 the request, or a context that the request itself names",
            );
        }
    }
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

fn by_convention(asked: &Asked, route: Visible<'_, '_>, errors: &mut Errors) -> Option<Vec<String>> {
    let candidates = candidates(asked);
    let Some((route, parameters)) = route else {
        return Some(candidates);
    };
    if let Some(found) = candidates.iter().find(|name| parameters.contains(&name.as_str())) {
        return Some(vec![found.clone()]);
    }
    errors.push(
        asked.span,
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
fn candidates(asked: &Asked) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let argument = asked.argument.map(|_| asked.name.clone());
    let ty = asked.ty.as_ref().and_then(|ty| {
        let ty = context_type(ty);
        snake_case_name(element_type(ty).unwrap_or(ty))
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
    fn span(&self) -> Span {
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

impl Permission {
    fn name(&self) -> String {
        match self {
            Self::Known(known) => known.name().to_owned(),
            Self::Path(path) => path.to_token_stream().to_string(),
        }
    }
}

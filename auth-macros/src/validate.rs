//! Holds the attributes, the handler and the route pattern against each other: one function for each
//! rule. What comes out is the model of the guard, complete where no error was found.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, FnArg, LitStr, Pat, Type};

use crate::args::{Args, ContextArgs, Id};
use crate::errors::Errors;
use crate::handler::{Handler, argument_name, context_type, snake_case_name};
use crate::model::{Caller, Context, Guard, Kind, Permission, Place, Source};
use crate::nearest::{all_of, nearest, one_of};
use crate::route::Route;

mod authentication;

/// The guard that the attributes ask for.
pub(crate) fn guard(place: &Place, args: Vec<Args>, route: Option<&Route>, errors: &mut Errors) -> Guard {
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
    Guard { caller, checks, contexts: contexts(asked, place, route, errors) }
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
fn contexts(asked: Vec<Asked>, place: &Place, route: Option<&Route>, errors: &mut Errors) -> Vec<Context> {
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
        let Some(source) = source(&asked, place, route, errors) else {
            continue;
        };
        match contexts.iter_mut().find(|context| is_same(context, &asked, &source)) {
            None => contexts.push(Context {
                argument: asked.argument,
                ty: asked.ty,
                source,
                permissions: vec![asked.permission.0],
            }),
            Some(context) if !context.source.is(&source) => errors.push(
                asked.id.as_ref().map_or(asked.span, Id::span),
                format_args!(
                    "`{}` has the id {} in another attribute; one argument holds one context",
                    asked.name,
                    context.source.written()
                ),
            ),
            Some(context) => add(context, asked, errors),
        }
    }
    order(&contexts, errors);
    contexts
}

/// Whether a context that will be loaded is the one that is asked about.
fn is_same(context: &Context, asked: &Asked, source: &Source) -> bool {
    match (context.argument, asked.argument) {
        (Some(one), Some(other)) => one == other,
        _ => context.source.is(source) && context_name(&context.ty) == context_name(&asked.ty),
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

/// Where the request names the context.
fn source(asked: &Asked, place: &Place, route: Option<&Route>, errors: &mut Errors) -> Option<Source> {
    // Without a visible route, what the request has decides.
    let route = route.and_then(|route| Some((route, route.parameters()?)));
    let names = match &asked.id {
        Some(Id::Query(literal)) => return Some(Source::Query(literal.value())),
        Some(Id::Header(literal)) => return Some(Source::Header(literal.value())),
        Some(Id::Expression(expression)) => return of_arguments(expression, place, errors),
        Some(Id::Route(literal)) => vec![of_route(literal, route, errors)?],
        Some(Id::Scope(literal)) => vec![of_scope(literal, route, errors)?],
        None => by_convention(asked, route, errors)?,
    };
    Some(Source::Path(names))
}

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
    let mut of_another = false;
    while let Some(token) = tokens.next() {
        let of_path = tokens.peek().is_some_and(|next| is_punct(next, ':'));
        let found = match &token {
            TokenTree::Ident(ident) => !of_another && !of_path && ident == name,
            TokenTree::Group(group) => mentions(group.stream(), name),
            _ => false,
        };
        if found {
            return true;
        }
        of_another = is_punct(&token, '.') || is_punct(&token, ':');
    }
    false
}

/// A context that is named by another argument cannot wait for one that is loaded at the same time.
fn order(contexts: &[Context], errors: &mut Errors) {
    let late = |index: &usize| {
        let late = |context: &&Context| matches!(context.source, Source::Arguments { .. });
        contexts.iter().filter(late).any(|context| context.argument == Some(*index))
    };
    for context in contexts {
        if let Source::Arguments { expression, arguments } = &context.source
            && arguments.iter().any(late)
        {
            errors.push_spanned(
                expression,
                "this names a context whose own id is an expression; name an argument that is extracted from the \
                 request, or a context that the request itself names",
            );
        }
    }
}

/// A route whose pattern is visible, with its path parameters.
type Visible<'a> = Option<(&'a Route, Vec<&'a str>)>;

fn of_route(literal: &LitStr, route: Visible<'_>, errors: &mut Errors) -> Option<String> {
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
            listed(&parameters)
        ),
    );
    None
}

fn of_scope(literal: &LitStr, route: Visible<'_>, errors: &mut Errors) -> Option<String> {
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

fn by_convention(asked: &Asked, route: Visible<'_>, errors: &mut Errors) -> Option<Vec<String>> {
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
            listed(&parameters)
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
            Self::Route(literal) | Self::Scope(literal) | Self::Query(literal) | Self::Header(literal) => {
                literal.span()
            }
            Self::Expression(expression) => expression.span(),
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

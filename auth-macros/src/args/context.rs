//! The arguments of `permission_required_for_context`.

use proc_macro2::{Span, TokenStream};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath, Ident, LitBool, LitStr, Token, Type, parenthesized, token};

use super::keys::{Key, Keys, Slot};
use super::{list, next, starts_pair, starts_path, written_without_quotes};
use crate::errors::Errors;
use crate::model::{Kind, KnownPermission, Permission};
use crate::nearest::{one_of, suggestion};

/// The arguments of `permission_required_for_context`.
pub(crate) struct ContextArgs {
    /// The attribute, to point at.
    pub(crate) span: Span,
    pub(crate) permission: Option<(Permission, Span)>,
    pub(crate) ctx_arg: Slot<LitStr>,
    pub(crate) ctx: Slot<Type>,
    pub(crate) id: Slot<Origin>,
    pub(crate) ctx_loader: Slot<Loader>,
    pub(crate) allow_empty: Slot<LitBool>,
}

/// A function that makes the context of arguments: `path(argument, …)`.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) path: ExprPath,
    pub(crate) arguments: Vec<Ident>,
}

/// The origin of a context: the place of its id, or the function that makes it.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A path parameter of the route's own pattern.
    Route(LitStr),
    /// A path parameter of an enclosing scope.
    Scope(LitStr),
    /// A parameter of the query.
    Query(LitStr),
    /// A header.
    Header(LitStr),
    /// An expression over the handler's other arguments.
    Expression(Box<Expr>),
    /// A key of several parts, or of none; each part is at one of the places above.
    Parts(Span, Vec<Origin>),
    /// There is no id; a function makes the context.
    Loader(Loader),
}

const KEYS: [Key<ContextArgs>; 5] = [
    key("ctx_arg", "\"…\"", |args, key, input| args.ctx_arg.take(key, input, ctx_arg)),
    key("ctx", "Account", |args, key, input| args.ctx.take(key, input, ctx)),
    key("id", "\"…\"", |args, key, input| args.id.take(key, input, id)),
    key("ctx_loader", "f(…)", |args, key, input| args.ctx_loader.take(key, input, ctx_loader)),
    key("allow_empty", "true", |args, key, input| args.allow_empty.take(key, input, allow_empty)),
];

const fn key(
    name: &'static str,
    example: &'static str,
    take: fn(&mut ContextArgs, &Ident, ParseStream<'_>) -> syn::Result<()>,
) -> Key<ContextArgs> {
    Key { name, of: Kind::PermissionRequiredForContext, example, take }
}

/// Parses the arguments of the attribute `kind` that stands at `span`.
pub(super) fn context(
    kind: Kind,
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> ContextArgs {
    let keys = Keys::of(kind, &KEYS);
    let mut args = ContextArgs {
        span,
        permission: None,
        ctx_arg: Slot::absent(),
        ctx: Slot::absent(),
        id: Slot::absent(),
        ctx_loader: Slot::absent(),
        allow_empty: Slot::absent(),
    };
    let mut first = true;
    list(tokens, on_denied, errors, |input, after_key, errors| {
        let first = std::mem::replace(&mut first, false);
        let is_key = starts_pair(input);
        if first && (is_key || after_key) {
            errors.push(input.span(), PERMISSION_FIRST);
        }
        if is_key {
            return keys.take(&mut args, input);
        }
        if first && !after_key {
            args.permission = permission(input, errors)?;
            return Ok(());
        }
        Err(misplaced(&keys, input))
    });
    if first {
        errors.push(span, PERMISSION_FIRST);
    }
    args
}

const PERMISSION_FIRST: &str = "expected the permission as the first argument: \
     `create-children`, `read`, `update` or `delete` as a string literal, \
     or a path to a `const Permission`";

fn permission(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<(Permission, Span)>> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        if input.peek(Token![=]) {
            return Err(input.error(format_args!(
                "the permission has no value; write `\"{}\", ctx_arg = \"…\"`",
                literal.value()
            )));
        }
        let known = KnownPermission::from_name(&literal.value());
        if known.is_none() {
            errors.push(literal.span(), unknown_permission(&literal.value()));
        }
        return Ok(known.map(|known| (Permission::Known(known), literal.span())));
    }
    if starts_path(input) {
        let path: ExprPath = input.parse()?;
        let span = path.span();
        return Ok(Some((Permission::Path(path), span)));
    }
    Err(input.error(PERMISSION_FIRST))
}

fn unknown_permission(written: &str) -> String {
    if written.is_empty() {
        return format!("a permission cannot be empty; write {}", one_of(&KnownPermission::NAMES));
    }
    let remedy = suggestion(written, &KnownPermission::NAMES).unwrap_or_else(|| {
        format!(
            "expected {}; an own permission is named by a path to a `const Permission`",
            one_of(&KnownPermission::NAMES)
        )
    });
    format!("unknown permission `{written}`; {remedy}")
}

fn ctx_arg(input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(LitStr) {
        let example = written_without_quotes(input).unwrap_or_else(|| "…".to_owned());
        return Err(input.error(format_args!(
            "`ctx_arg` is the name of an argument in quotes: `ctx_arg = \"{example}\"`"
        )));
    }
    let literal: LitStr = input.parse()?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(
            literal.span(),
            "`ctx_arg` cannot be empty; name an argument of the handler",
        ));
    }
    Ok(literal)
}

fn ctx(input: ParseStream<'_>) -> syn::Result<Type> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Err(syn::Error::new(
            literal.span(),
            format_args!("`ctx` is a type, without quotes: `ctx = {}`", literal.value()),
        ));
    }
    let found = next(input);
    let at = input.span();
    // With a bound behind it, it could not stand in a path.
    input.call(Type::without_plus).map_err(|_| {
        syn::Error::new(at, format_args!("`ctx` is a type, as in `ctx = Account`; found {found}"))
    })
}

fn allow_empty(input: ParseStream<'_>) -> syn::Result<LitBool> {
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, "`allow_empty` is `true` or `false`"))
}

fn ctx_loader(input: ParseStream<'_>) -> syn::Result<Loader> {
    let at = input.span();
    let a_call = |_| syn::Error::new(at, A_CALL);
    let path = input.parse().map_err(a_call)?;
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(at, A_CALL));
    }
    let content;
    parenthesized!(content in input);
    let arguments = Punctuated::<Ident, Token![,]>::parse_terminated(&content).map_err(|error| {
        // Tokens left unread would be one more error.
        let _ = content.parse::<TokenStream>();
        syn::Error::new(
            error.span(),
            "a `ctx_loader` takes arguments of the handler by their names alone, by reference, and `connection`",
        )
    })?;
    Ok(Loader { path, arguments: arguments.into_iter().collect() })
}

const A_CALL: &str = "`ctx_loader` is the call of a function with arguments of the handler, without quotes: \
     `ctx_loader = load_sensors(body, connection)`";

fn id(input: ParseStream<'_>) -> syn::Result<Origin> {
    if input.peek(LitStr) {
        return Ok(Origin::Route(parameter(input)?));
    }
    if input.peek(token::Paren) && names_parts(input) {
        let at = input.span();
        let content;
        parenthesized!(content in input);
        let parts = Punctuated::<Origin, Token![,]>::parse_terminated_with(&content, id);
        let _: TokenStream = content.parse()?;
        let parts: Vec<Origin> = parts?.into_iter().collect();
        return match parts.as_slice() {
            [_] => Err(syn::Error::new(at, "one part stands without parentheses")),
            [] | [_, _] | [_, _, _] | [_, _, _, _] => Ok(Origin::Parts(at, parts)),
            _ => Err(syn::Error::new(at, "a key has four parts at most; use `ctx_loader` for more")),
        };
    }
    if names_place(input) {
        let place: Ident = input.parse()?;
        let origin = match place.to_string().as_str() {
            "scope" => Origin::Scope,
            "query" => Origin::Query,
            "header" => Origin::Header,
            name => {
                let remedy = suggestion(name, &PLACES).unwrap_or_else(|| {
                    "expected `id = \"…\"` for a path parameter, or `scope(\"…\")` for one of an enclosing \
                     scope, `query(\"…\")` or `header(\"…\")`"
                        .to_owned()
                });
                return Err(syn::Error::new(
                    place.span(),
                    format_args!("unknown source `{place}` of an id; {remedy}"),
                ));
            }
        };
        let content;
        parenthesized!(content in input);
        let literal = only_parameter(&place, &content);
        // Tokens left unread would be one more error.
        let _: TokenStream = content.parse()?;
        let literal = literal?;
        if place == "header" {
            header_name(&literal)?;
        }
        return Ok(origin(literal));
    }
    let found = next(input);
    let at = input.span();
    input.parse().map(Origin::Expression).map_err(|_| {
        syn::Error::new(
            at,
            format_args!(
                "`id` is the name of a path parameter in quotes, `scope(\"…\")`, `query(\"…\")`, `header(\"…\")` \
                 or an expression over the handler's other arguments; found {found}"
            ),
        )
    })
}

/// Whether the parentheses hold places in the request, and not an expression; or nothing.
fn names_parts(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let first = || -> syn::Result<bool> {
        let content;
        parenthesized!(content in ahead);
        Ok(content.is_empty() || content.peek(LitStr) || names_place(&content))
    };
    first().unwrap_or(false)
}

/// Whether one name in parentheses follows a name: `query("sensor")`, and not a call `f(body.sensor)`.
fn names_place(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let Ok(place) = ahead.parse::<Ident>() else {
        return false;
    };
    let arguments = || -> syn::Result<bool> {
        let content;
        parenthesized!(content in ahead);
        Ok(content.peek(LitStr))
    };
    ahead.peek(token::Paren) && (PLACES.contains(&place.to_string().as_str()) || arguments().unwrap_or(false))
}

/// The places in `id = place(…)`.
const PLACES: [&str; 3] = ["scope", "query", "header"];

fn only_parameter(place: &Ident, content: ParseStream<'_>) -> syn::Result<LitStr> {
    if !content.peek(LitStr) {
        return Err(content.error(format_args!("expected one name in quotes: `{place}(\"…\")`")));
    }
    let literal = parameter(content)?;
    if content.is_empty() {
        Ok(literal)
    } else {
        Err(content.error("expected one name; remove what follows it"))
    }
}

/// Another name would be in no request (RFC 9110, section 5.1).
fn header_name(literal: &LitStr) -> syn::Result<()> {
    let name = literal.value();
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Ok(());
    }
    Err(syn::Error::new(literal.span(), format_args!("`{name}` is not the name of a header")))
}

fn parameter(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let literal: LitStr = input.parse()?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(literal.span(), "`id` cannot be empty; name what holds it"));
    }
    Ok(literal)
}

/// The error for an argument behind the permission that is no `key = value`.
fn misplaced(keys: &Keys<ContextArgs>, input: ParseStream<'_>) -> syn::Error {
    if let Some(error) = keys.without_value(input) {
        return error;
    }
    let at = input.fork();
    if at.parse::<LitStr>().is_ok_and(|literal| KnownPermission::from_name(&literal.value()).is_some()) {
        return input.error(
            "one attribute checks one permission; \
             write another `permission_required_for_context` for this one",
        );
    }
    input.error(format_args!(
        "expected one of the keys {} with a value, found {}",
        one_of(&keys.names()),
        next(input)
    ))
}

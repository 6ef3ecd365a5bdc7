//! The arguments of each attribute: parsed as they are written, without a look at the handler.
//! After an error the parser goes on behind the next comma, so that one run reports them all.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned as _;
use syn::{ExprPath, Ident, LitBool, LitStr, Token, Type, parenthesized, token};

use crate::errors::Errors;
use crate::model::{Kind, KnownPermission, Permission, Role, RoleCheck, RolesOf};
use crate::nearest::{nearest, one_of};

/// What one attribute says.
pub(crate) enum Args {
    AuthRequired,
    Roles(RolesOf),
    Context(Box<ContextArgs>),
    Public,
}

/// What `permission_required_for_context` says.
pub(crate) struct ContextArgs {
    /// The attribute, to point at.
    pub(crate) span: Span,
    pub(crate) permission: Option<(Permission, Span)>,
    pub(crate) ctx_arg: Slot<LitStr>,
    pub(crate) ctx: Slot<Type>,
    pub(crate) id: Slot<Id>,
}

/// Where the context's id comes from.
#[derive(Clone)]
pub(crate) enum Id {
    /// A path parameter of the route's own pattern.
    Route(LitStr),
    /// A path parameter of an enclosing scope.
    Scope(LitStr),
}

/// The value of one key. It can be given and still have no value, where that was an error.
pub(crate) struct Slot<T> {
    pub(crate) given: Option<Span>,
    pub(crate) value: Option<T>,
}

/// Parses the arguments of the attribute `kind` that stands at `span`.
pub(crate) fn parse(kind: Kind, span: Span, tokens: TokenStream, errors: &mut Errors) -> Args {
    match kind {
        Kind::AuthRequired => {
            refuse_arguments(kind, &tokens, errors);
            Args::AuthRequired
        }
        Kind::Public => {
            refuse_arguments(kind, &tokens, errors);
            Args::Public
        }
        Kind::Roles(check) => Args::Roles(roles(check, span, tokens, errors)),
        Kind::PermissionRequiredForContext => Args::Context(Box::new(context(span, tokens, errors))),
    }
}

fn refuse_arguments(kind: Kind, tokens: &TokenStream, errors: &mut Errors) {
    if !tokens.is_empty() {
        let name = kind.name();
        errors.push_spanned(tokens, format_args!("`{name}` takes no arguments; write `#[{name}]`"));
    }
}

fn roles(check: RoleCheck, span: Span, tokens: TokenStream, errors: &mut Errors) -> RolesOf {
    let name = check.name();
    let mut roles = Vec::new();
    if tokens.is_empty() {
        errors.push(span, format_args!("`{name}` needs at least one role: `#[{name}(\"…\")]`"));
    }
    list(tokens, errors, |input, errors| {
        if input.peek(Ident::peek_any) && input.peek2(Token![=]) {
            let key = input.call(Ident::parse_any)?;
            return Err(syn::Error::new(
                key.span(),
                format_args!("unknown key `{key}`; `{name}` takes roles alone, each {A_ROLE}"),
            ));
        }
        if input.peek(LitStr) {
            let role: LitStr = input.parse()?;
            if input.peek(Token![=]) {
                return Err(input.error("a role has no value; remove what follows it"));
            }
            if role.value().is_empty() {
                errors.push(role.span(), "a role cannot be empty; nobody could have it");
            } else if has_role(&roles, &role) {
                errors.push(role.span(), format_args!("role `{}` is named twice; remove one", role.value()));
            }
            roles.push(Role::Literal(role));
            return Ok(());
        }
        if starts_path(input) {
            roles.push(Role::Path(input.parse()?));
            return Ok(());
        }
        Err(input.error(format_args!("expected a role, which is {A_ROLE}; found {}", next(input))))
    });
    RolesOf { check, roles }
}

const A_ROLE: &str = "a string literal or a path to a `const &str`";

fn has_role(roles: &[Role], role: &LitStr) -> bool {
    roles.iter().any(|other| matches!(other, Role::Literal(other) if other.value() == role.value()))
}

fn context(span: Span, tokens: TokenStream, errors: &mut Errors) -> ContextArgs {
    let mut args = ContextArgs {
        span,
        permission: None,
        ctx_arg: Slot::absent(),
        ctx: Slot::absent(),
        id: Slot::absent(),
    };
    let mut first = true;
    list(tokens, errors, |input, errors| {
        let first = std::mem::replace(&mut first, false);
        if input.peek(Ident::peek_any) && input.peek2(Token![=]) {
            if first {
                errors.push(input.span(), PERMISSION_FIRST);
            }
            return pair(&mut args, input);
        }
        if first {
            args.permission = permission(input, errors)?;
            return Ok(());
        }
        Err(misplaced(input))
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
    match nearest(written, &KnownPermission::NAMES) {
        Some(name) => format!("unknown permission `{written}`; did you mean `{name}`?"),
        None => format!(
            "unknown permission `{written}`; expected {}; \
             an own permission is named by a path to a `const Permission`",
            one_of(&KnownPermission::NAMES)
        ),
    }
}

const KEYS: [&str; 3] = ["ctx_arg", "ctx", "id"];

/// `key = value`
fn pair(args: &mut ContextArgs, input: ParseStream<'_>) -> syn::Result<()> {
    let key = input.call(Ident::parse_any)?;
    let name = key.to_string();
    let twice = match name.as_str() {
        "ctx_arg" => args.ctx_arg.given.replace(key.span()),
        "ctx" => args.ctx.given.replace(key.span()),
        "id" => args.id.given.replace(key.span()),
        _ => {
            let remedy = nearest(&name, &KEYS).map_or_else(
                || format!("expected {}", one_of(&KEYS)),
                |known| format!("did you mean `{known}`?"),
            );
            return Err(syn::Error::new(key.span(), format_args!("unknown key `{name}`; {remedy}")));
        }
    };
    if twice.is_some() {
        return Err(syn::Error::new(key.span(), format_args!("`{name}` is given twice; remove one")));
    }
    let _: Token![=] = input.parse()?;
    match name.as_str() {
        "ctx_arg" => args.ctx_arg.value = Some(ctx_arg(input)?),
        "ctx" => args.ctx.value = Some(ctx(input)?),
        _ => args.id.value = Some(id(input)?),
    }
    Ok(())
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
    input.parse().map_err(|_| {
        syn::Error::new(at, format_args!("`ctx` is a type, as in `ctx = Account`; found {found}"))
    })
}

fn id(input: ParseStream<'_>) -> syn::Result<Id> {
    if input.peek(LitStr) {
        return Ok(Id::Route(parameter(input)?));
    }
    if input.peek(Ident) && input.peek2(token::Paren) {
        let source: Ident = input.parse()?;
        if source != "scope" {
            return Err(syn::Error::new(
                source.span(),
                format_args!(
                    "unknown source `{source}` of an id; expected `id = \"…\"` for a path \
                     parameter, or `id = scope(\"…\")` for one of an enclosing scope"
                ),
            ));
        }
        let content;
        parenthesized!(content in input);
        let literal = only_parameter(&content);
        // What is left unread would be one more error.
        let _: TokenStream = content.parse()?;
        return literal.map(Id::Scope);
    }
    let example = written_without_quotes(input).unwrap_or_else(|| "…".to_owned());
    Err(input.error(format_args!(
        "`id` is the name of a path parameter in quotes: `id = \"{example}\"`, \
         or `id = scope(\"{example}\")` for one of an enclosing scope"
    )))
}

fn only_parameter(content: ParseStream<'_>) -> syn::Result<LitStr> {
    if !content.peek(LitStr) {
        return Err(content.error("expected the name of one path parameter in quotes: `scope(\"…\")`"));
    }
    let literal = parameter(content)?;
    if content.is_empty() {
        Ok(literal)
    } else {
        Err(content.error("expected one path parameter; remove what follows it"))
    }
}

fn parameter(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let literal: LitStr = input.parse()?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(literal.span(), "`id` cannot be empty; name a path parameter"));
    }
    Ok(literal)
}

/// What stands where a `key = value` should, behind the permission.
fn misplaced(input: ParseStream<'_>) -> syn::Error {
    if let Some(key) = written_without_quotes(input).filter(|name| KEYS.contains(&name.as_str())) {
        return input.error(format_args!(
            "`{key}` needs a value: `{}`",
            match key.as_str() {
                "ctx" => "ctx = Account",
                "id" => "id = \"…\"",
                _ => "ctx_arg = \"…\"",
            }
        ));
    }
    let at = input.fork();
    if at.parse::<LitStr>().is_ok_and(|literal| KnownPermission::from_name(&literal.value()).is_some()) {
        return input.error(
            "one attribute asks for one permission; \
             write another `permission_required_for_context` for this one",
        );
    }
    input.error(format_args!(
        "expected one of the keys {} with a value, found {}",
        one_of(&KEYS),
        next(input)
    ))
}

/// Comma-separated arguments, each parsed by `one`.
fn list(
    tokens: TokenStream,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let arguments = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = input.cursor();
            let result = one(input, errors);
            if errors.keep(result).is_none() {
                skip_argument(input)?;
            } else if !input.is_empty() && !input.peek(Token![,]) {
                if input.peek(LitStr) || input.peek(Ident::peek_any) {
                    errors.push(input.span(), format_args!("missing `,` before {}", next(input)));
                } else {
                    errors.push(input.span(), format_args!("expected `,`, found {}", next(input)));
                    skip_argument(input)?;
                }
            }
            if input.peek(Token![,]) {
                let _: Token![,] = input.parse()?;
            }
            if input.cursor() == before {
                break;
            }
        }
        Ok(())
    };
    let result = arguments.parse2(tokens);
    errors.keep(result);
}

/// The next token, as a message shows it.
fn next(input: ParseStream<'_>) -> String {
    match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) => match group.delimiter() {
            Delimiter::Parenthesis => "`(…)`".to_owned(),
            Delimiter::Brace => "`{…}`".to_owned(),
            Delimiter::Bracket => "`[…]`".to_owned(),
            Delimiter::None => format!("`{}`", group.stream()),
        },
        Ok(token) => format!("`{token}`"),
        Err(_) => "nothing".to_owned(),
    }
}

fn written_without_quotes(input: ParseStream<'_>) -> Option<String> {
    let name = input.fork().call(Ident::parse_any).ok()?;
    Some(name.to_string())
}

fn starts_path(input: ParseStream<'_>) -> bool {
    !input.peek(LitBool) && (input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]))
}

impl<T> Slot<T> {
    fn absent() -> Self {
        Self { given: None, value: None }
    }
}

fn skip_argument(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: TokenTree = input.parse()?;
    }
    Ok(())
}

//! The arguments of each attribute: parsed as they are written, without a look at the handler.
//! After an error the parser goes on behind the next comma, so that one run reports them all.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, LitBool, LitStr, Token};

use crate::errors::Errors;
use crate::model::{Check, Kind};
use crate::nearest::{nearest, one_of};

mod authentication;
mod context;
mod duration;
mod names;

pub(crate) use authentication::AuthenticationArgs;
pub(crate) use context::{ContextArgs, Loader, Origin};

/// What one attribute says.
pub(crate) enum Args {
    Authentication(Box<AuthenticationArgs>),
    Anonymous,
    Check(Check),
    Context(Box<ContextArgs>),
    /// Why everybody may, if somebody says so.
    Public(Option<LitStr>),
}

/// The value of one key. It can be given and still have no value, where that was an error.
pub(crate) struct Slot<T> {
    pub(crate) given: Option<Span>,
    pub(crate) value: Option<T>,
}

/// Parses the arguments of the attribute `kind` that stands at `span`. What renders denials belongs to the
/// handler, so it goes into one slot for all the attributes.
pub(crate) fn parse(
    kind: Kind,
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> Args {
    let authentication = |args| Args::Authentication(Box::new(args));
    match kind {
        Kind::AuthRequired => authentication(authentication::by_any(span, tokens, on_denied, errors)),
        Kind::AuthTokenRequired => {
            on_denied_alone(kind, tokens, on_denied, errors);
            authentication(authentication::by_token(span))
        }
        Kind::HttpAuthRequired => authentication(authentication::by_http(span, tokens, on_denied, errors)),
        Kind::AnonymousUserRequired => {
            on_denied_alone(kind, tokens, on_denied, errors);
            Args::Anonymous
        }
        Kind::Public => Args::Public(public(tokens, errors)),
        Kind::Check(kind) => Args::Check(names::check(kind, span, tokens, on_denied, errors)),
        Kind::PermissionRequiredForContext => {
            Args::Context(Box::new(context::context(span, tokens, on_denied, errors)))
        }
    }
}

/// `public`: the reason, or nothing.
fn public(tokens: TokenStream, errors: &mut Errors) -> Option<LitStr> {
    const FORM: &str = "`#[public(reason = \"anyone may know that the service runs\")]`";

    if tokens.is_empty() {
        return None;
    }
    let reason = |input: ParseStream<'_>| {
        let unknown = || format!("`public` takes the key `reason` and nothing else: {FORM}");
        if !starts_pair(input) || only_name(input).is_none_or(|name| name != "reason") {
            return Err(input.error(unknown()));
        }
        let _: Ident = input.parse()?;
        let _: Token![=] = input.parse()?;
        if !input.peek(LitStr) {
            return Err(input.error(format_args!("`reason` is a text in quotes: {FORM}")));
        }
        let reason: LitStr = input.parse()?;
        if reason.value().trim().is_empty() {
            return Err(syn::Error::new(reason.span(), format_args!("say why everybody may: {FORM}")));
        }
        let _: Option<Token![,]> = input.parse()?;
        if input.is_empty() { Ok(reason) } else { Err(input.error(unknown())) }
    };
    errors.keep(reason.parse2(tokens))
}

fn on_denied_alone(kind: Kind, tokens: TokenStream, on_denied: &mut Slot<ExprPath>, errors: &mut Errors) {
    list(tokens, on_denied, errors, |input, _, _| {
        if starts_pair(input) {
            return Err(unknown_key(&input.call(Ident::parse_any)?, &[ON_DENIED]));
        }
        let (name, found) = (kind.name(), next(input));
        Err(input.error(format_args!("`{name}` takes no argument but the key `{ON_DENIED}`; remove {found}")))
    });
}

/// The key that all attributes have but `public`.
const ON_DENIED: &str = "on_denied";

fn take_on_denied(slot: &mut Slot<ExprPath>, input: ParseStream<'_>) -> syn::Result<()> {
    const EXAMPLE: &str = "`on_denied = denial::page_or_problem`";

    if !starts_pair(input) {
        return Err(input.error(format_args!("`{ON_DENIED}` needs a value: {EXAMPLE}")));
    }
    slot.take(&input.call(Ident::parse_any)?, input, |input| {
        if starts_path(input) {
            return input.parse();
        }
        let (span, found) = (input.span(), next(input));
        // A closure left unread would be one more error.
        let _ = input.parse::<Expr>();
        Err(syn::Error::new(
            span,
            format_args!("`{ON_DENIED}` is a path to a function: {EXAMPLE}; found {found}"),
        ))
    })
}

impl<T> Slot<T> {
    pub(crate) fn absent() -> Self {
        Self { given: None, value: None }
    }

    /// Takes what follows `key`: `=`, and what `value` parses.
    fn take(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        value: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<()> {
        if self.given.replace(key.span()).is_some() {
            return Err(syn::Error::new(key.span(), format_args!("`{key}` is given twice; remove one")));
        }
        let _: Token![=] = input.parse()?;
        self.value = Some(value(input)?);
        Ok(())
    }
}

fn unknown_key(key: &Ident, known: &[&str]) -> syn::Error {
    let remedy = nearest(&key.to_string(), known)
        .map_or_else(|| format!("expected {}", one_of(known)), |known| format!("did you mean `{known}`?"));
    syn::Error::new(key.span(), format_args!("unknown key `{key}`; {remedy}"))
}

/// Comma-separated arguments, each parsed by `one`, which learns whether a `key = value` stands before it.
/// But for `on_denied`, which is the same for all.
fn list(
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, bool, &mut Errors) -> syn::Result<()>,
) {
    let mut after_key = false;
    let arguments = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = input.cursor();
            let is_key = starts_pair(input);
            let result = match only_name(input) {
                Some(name) if name == ON_DENIED => take_on_denied(on_denied, input),
                _ => one(input, after_key, errors),
            };
            after_key |= is_key && result.is_ok();
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

/// Whether a `key = value` is next.
fn starts_pair(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

/// The name that is next, if it is a key or an argument by itself.
fn only_name(input: ParseStream<'_>) -> Option<String> {
    let at = input.fork();
    let name = at.call(Ident::parse_any).ok()?;
    (!at.peek(Token![::])).then(|| name.to_string())
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

fn skip_argument(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: TokenTree = input.parse()?;
    }
    Ok(())
}

//! The arguments of each attribute, parsed without a look at the handler. After an error the parser goes on behind the next
//! comma, so that one run reports all errors.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{ExprPath, Ident, LitBool, LitStr, Token};

use crate::errors::Errors;
use crate::model::{Arguments, Check, Kind};

mod authentication;
mod context;
mod duration;
mod keys;
mod names;

pub(crate) use authentication::AuthenticationArgs;
pub(crate) use context::{ContextArgs, Loader, Origin};
pub(crate) use keys::Slot;
use keys::{ON_DENIED, take_on_denied, unknown_key};

/// The arguments of one attribute.
pub(crate) enum Args {
    Authentication(Box<AuthenticationArgs>),
    Anonymous,
    Check(Check),
    Context(Box<ContextArgs>),
    /// The reason why the handler is open, if there is one.
    Public(Option<LitStr>),
}

/// Parses the arguments of the attribute `kind` that stands at `span`. One function renders all denials of a handler, so
/// all its attributes share the slot `on_denied`.
pub(crate) fn parse(
    kind: Kind,
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> Args {
    match kind.arguments() {
        Arguments::Authentication(mechanism) => Args::Authentication(Box::new(
            authentication::authentication(kind, mechanism, span, tokens, on_denied, errors),
        )),
        Arguments::Anonymous => {
            anonymous(kind, tokens, on_denied, errors);
            Args::Anonymous
        }
        Arguments::Names(attribute, quantifier) => {
            let names = names::names(kind, attribute.noun(), span, tokens, on_denied, errors);
            Args::Check(Check { attribute, quantifier, names })
        }
        Arguments::Context => {
            Args::Context(Box::new(context::context(kind, span, tokens, on_denied, errors)))
        }
        Arguments::Reason => Args::Public(public(tokens, errors)),
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

fn anonymous(kind: Kind, tokens: TokenStream, on_denied: &mut Slot<ExprPath>, errors: &mut Errors) {
    list(tokens, on_denied, errors, |input, _, _| {
        if starts_pair(input) {
            return Err(unknown_key(&input.call(Ident::parse_any)?, &[ON_DENIED]));
        }
        Err(no_argument(kind, input))
    });
}

/// The error for an argument of an attribute that takes none.
fn no_argument(kind: Kind, input: ParseStream<'_>) -> syn::Error {
    let (name, found) = (kind.name(), next(input));
    input.error(format_args!("`{name}` takes no argument but the key `{ON_DENIED}`; remove {found}"))
}

/// Parses comma-separated arguments: `on_denied` here, each other one by `one`, which learns whether a `key = value` stands
/// before it.
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

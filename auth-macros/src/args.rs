//! The arguments of each attribute: parsed as they are written, without a look at the handler.
//! After an error the parser goes on behind the next comma, so that one run reports them all.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitBool, LitStr, Token};

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
    Public,
}

/// The value of one key. It can be given and still have no value, where that was an error.
pub(crate) struct Slot<T> {
    pub(crate) given: Option<Span>,
    pub(crate) value: Option<T>,
}

/// Parses the arguments of the attribute `kind` that stands at `span`.
pub(crate) fn parse(kind: Kind, span: Span, tokens: TokenStream, errors: &mut Errors) -> Args {
    match kind {
        Kind::AuthRequired => Args::Authentication(Box::new(authentication::by_any(span, tokens, errors))),
        Kind::AuthTokenRequired => {
            refuse_arguments(kind, &tokens, errors);
            Args::Authentication(Box::new(authentication::by_token(span)))
        }
        Kind::HttpAuthRequired => {
            Args::Authentication(Box::new(authentication::by_http(span, tokens, errors)))
        }
        Kind::AnonymousUserRequired => {
            refuse_arguments(kind, &tokens, errors);
            Args::Anonymous
        }
        Kind::Public => {
            refuse_arguments(kind, &tokens, errors);
            Args::Public
        }
        Kind::Check(kind) => Args::Check(names::check(kind, span, tokens, errors)),
        Kind::PermissionRequiredForContext => Args::Context(Box::new(context::context(span, tokens, errors))),
    }
}

fn refuse_arguments(kind: Kind, tokens: &TokenStream, errors: &mut Errors) {
    if !tokens.is_empty() {
        let name = kind.name();
        errors.push_spanned(tokens, format_args!("`{name}` takes no arguments; write `#[{name}]`"));
    }
}

impl<T> Slot<T> {
    fn absent() -> Self {
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

/// Whether a `key = value` is next.
fn starts_pair(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
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

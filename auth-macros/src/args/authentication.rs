//! The arguments of the attributes that say how the caller is authenticated.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token};

use super::{Slot, duration, list, names, next, starts_pair, unknown_key, written_without_quotes};
use crate::errors::Errors;
use crate::model::{Kind, Name, Noun};
use crate::nearest::one_of;

/// What one attribute says about how the caller is authenticated.
pub(crate) struct AuthenticationArgs {
    pub(crate) kind: Kind,
    /// The attribute, to point at.
    pub(crate) span: Span,
    /// None at all: the attribute says nothing about it.
    pub(crate) mechanisms: Vec<Name>,
    /// In seconds.
    pub(crate) within: Slot<u32>,
    /// In seconds.
    pub(crate) grace: Slot<u32>,
    pub(crate) realm: Slot<LitStr>,
}

const FRESHNESS: [&str; 2] = ["within", "grace"];

/// `auth_required`: the mechanisms that it names, then keys.
pub(super) fn by_any(span: Span, tokens: TokenStream, errors: &mut Errors) -> AuthenticationArgs {
    let mut args = AuthenticationArgs::new(Kind::AuthRequired, span);
    let mut after_key = false;
    list(tokens, errors, |input, errors| {
        if starts_pair(input) {
            after_key = true;
            let key = input.call(Ident::parse_any)?;
            return match key.to_string().as_str() {
                "within" => args.within.take(&key, input, |input| duration::parse("within", input)),
                "grace" => args.grace.take(&key, input, |input| duration::parse("grace", input)),
                _ => Err(unknown_key(&key, &FRESHNESS)),
            };
        }
        if let Some(key) = only_name(input).filter(|name| FRESHNESS.contains(&name.as_str())) {
            return Err(
                input.error(format_args!("`{key}` needs a value: `{key} = \"{}\"`", duration::EXAMPLE))
            );
        }
        if after_key {
            return Err(input.error(format_args!(
                "mechanisms stand before {}; move {} to the front",
                one_of(&FRESHNESS),
                next(input)
            )));
        }
        names::name(Noun::Mechanism, &mut args.mechanisms, input, errors)
    });
    args
}

/// `auth_token_required`
pub(super) fn by_token(span: Span) -> AuthenticationArgs {
    AuthenticationArgs::by("token", Kind::AuthTokenRequired, span)
}

/// `http_auth_required`: the realm, or nothing.
pub(super) fn by_http(span: Span, tokens: TokenStream, errors: &mut Errors) -> AuthenticationArgs {
    let mut args = AuthenticationArgs::by("basic", Kind::HttpAuthRequired, span);
    list(tokens, errors, |input, _| {
        if starts_pair(input) {
            let key = input.call(Ident::parse_any)?;
            return if key == "realm" {
                args.realm.take(&key, input, realm)
            } else {
                Err(unknown_key(&key, &["realm"]))
            };
        }
        if written_without_quotes(input).is_some_and(|name| name == "realm") {
            return Err(input.error("`realm` needs a value: `realm = \"…\"`"));
        }
        Err(input.error(format_args!(
            "`http_auth_required` takes the key `realm` alone, as in `realm = \"…\"`; found {}",
            next(input)
        )))
    });
    args
}

fn realm(input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(LitStr) {
        let example = written_without_quotes(input).unwrap_or_else(|| "…".to_owned());
        return Err(input.error(format_args!("`realm` is a text in quotes: `realm = \"{example}\"`")));
    }
    let literal: LitStr = input.parse()?;
    let text = literal.value();
    if text.is_empty() {
        return Err(syn::Error::new(
            literal.span(),
            "`realm` cannot be empty; name what the password is for, or leave `realm` out",
        ));
    }
    // It is sent as a quoted string of a header.
    if let Some(character) =
        text.chars().find(|character| !matches!(character, ' '..='~') || matches!(character, '"' | '\\'))
    {
        return Err(syn::Error::new(
            literal.span(),
            format_args!(
                "`realm` is sent in a header, which cannot hold `{}`; remove it",
                character.escape_debug()
            ),
        ));
    }
    Ok(literal)
}

/// The name that is next, if it is an argument by itself.
fn only_name(input: ParseStream<'_>) -> Option<String> {
    let at = input.fork();
    let name = at.call(Ident::parse_any).ok()?;
    (!at.peek(Token![::])).then(|| name.to_string())
}

impl AuthenticationArgs {
    fn new(kind: Kind, span: Span) -> Self {
        Self {
            kind,
            span,
            mechanisms: Vec::new(),
            within: Slot::absent(),
            grace: Slot::absent(),
            realm: Slot::absent(),
        }
    }

    fn by(mechanism: &str, kind: Kind, span: Span) -> Self {
        let mechanisms = vec![Name::Literal(LitStr::new(mechanism, span))];
        Self { mechanisms, ..Self::new(kind, span) }
    }
}

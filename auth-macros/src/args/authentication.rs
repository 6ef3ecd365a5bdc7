//! The arguments of the attributes that say how the caller is authenticated.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{ExprPath, Ident, LitStr};

use super::{
    ON_DENIED, Slot, duration, list, names, next, only_name, starts_pair, unknown_key, written_without_quotes,
};
use crate::errors::Errors;
use crate::model::{Kind, Name, Noun};

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

const KEYS: [&str; 3] = ["within", "grace", ON_DENIED];

/// `auth_required`: the mechanisms that it names, then keys.
pub(super) fn by_any(
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> AuthenticationArgs {
    let mut args = AuthenticationArgs::new(Kind::AuthRequired, span);
    list(tokens, on_denied, errors, |input, after_key, errors| {
        if starts_pair(input) {
            let key = input.call(Ident::parse_any)?;
            return match key.to_string().as_str() {
                "within" => args.within.take(&key, input, |input| duration::parse("within", input)),
                "grace" => args.grace.take(&key, input, |input| duration::parse("grace", input)),
                _ => Err(unknown_key(&key, &KEYS)),
            };
        }
        if let Some(key) = only_name(input).filter(|name| KEYS.contains(&name.as_str())) {
            return Err(
                input.error(format_args!("`{key}` needs a value: `{key} = \"{}\"`", duration::EXAMPLE))
            );
        }
        names::name(Noun::Mechanism, &mut args.mechanisms, input, after_key, errors)
    });
    args
}

/// `auth_token_required`
pub(super) fn by_token(span: Span) -> AuthenticationArgs {
    AuthenticationArgs::by("token", Kind::AuthTokenRequired, span)
}

/// `http_auth_required`: the realm, or nothing.
pub(super) fn by_http(
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> AuthenticationArgs {
    let mut args = AuthenticationArgs::by("basic", Kind::HttpAuthRequired, span);
    list(tokens, on_denied, errors, |input, _, _| {
        if starts_pair(input) {
            let key = input.call(Ident::parse_any)?;
            return if key == "realm" {
                args.realm.take(&key, input, realm)
            } else {
                Err(unknown_key(&key, &["realm", ON_DENIED]))
            };
        }
        if written_without_quotes(input).is_some_and(|name| name == "realm") {
            return Err(input.error("`realm` needs a value: `realm = \"…\"`"));
        }
        Err(input.error(format_args!(
            "`http_auth_required` takes the keys `realm` and `{ON_DENIED}` alone, as in `realm = \"…\"`; \
             found {}",
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

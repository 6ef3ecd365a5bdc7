//! The arguments of the attributes that require authentication.

use proc_macro2::{Span, TokenStream};
use syn::parse::ParseStream;
use syn::{ExprPath, LitStr};

use super::keys::{Key, Keys, Slot};
use super::{duration, list, names, next, no_argument, starts_pair, written_without_quotes};
use crate::errors::Errors;
use crate::model::{Kind, Name, Noun};
use crate::nearest::all_of;

/// The requirements of one attribute on how the caller is authenticated.
pub(crate) struct AuthenticationArgs {
    pub(crate) kind: Kind,
    /// The attribute, to point at.
    pub(crate) span: Span,
    /// Empty: the attribute does not restrict them.
    pub(crate) mechanisms: Vec<Name>,
    /// In seconds.
    pub(crate) within: Slot<u32>,
    /// In seconds.
    pub(crate) grace: Slot<u32>,
    pub(crate) realm: Slot<LitStr>,
}

const KEYS: [Key<AuthenticationArgs>; 3] = [
    Key {
        name: "within",
        of: Kind::AuthRequired,
        example: "\"15 min\"",
        take: |args, key, input| args.within.take(key, input, |input| duration::parse("within", input)),
    },
    Key {
        name: "grace",
        of: Kind::AuthRequired,
        example: "\"15 min\"",
        take: |args, key, input| args.grace.take(key, input, |input| duration::parse("grace", input)),
    },
    Key {
        name: "realm",
        of: Kind::HttpAuthRequired,
        example: "\"…\"",
        take: |args, key, input| args.realm.take(key, input, realm),
    },
];

/// Parses the arguments of the attribute `kind` that stands at `span`: mechanisms, unless the attribute implies `mechanism`,
/// then keys.
pub(super) fn authentication(
    kind: Kind,
    mechanism: Option<&str>,
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> AuthenticationArgs {
    let keys = Keys::of(kind, &KEYS);
    let mut args = AuthenticationArgs {
        kind,
        span,
        mechanisms: mechanism.map(|name| Name::Literal(LitStr::new(name, span))).into_iter().collect(),
        within: Slot::absent(),
        grace: Slot::absent(),
        realm: Slot::absent(),
    };
    list(tokens, on_denied, errors, |input, after_key, errors| {
        if starts_pair(input) {
            keys.take(&mut args, input)
        } else if let Some(error) = keys.without_value(input) {
            Err(error)
        } else if mechanism.is_none() {
            names::name(Noun::Mechanism, &mut args.mechanisms, input, after_key, errors)
        } else {
            Err(keys_alone(kind, &keys, input))
        }
    });
    args
}

/// The error for an argument that is no key, where nothing else is taken.
fn keys_alone(kind: Kind, keys: &Keys<AuthenticationArgs>, input: ParseStream<'_>) -> syn::Error {
    let Some(Key { name: key, example, .. }) = keys.first() else { return no_argument(kind, input) };
    input.error(format_args!(
        "`{}` takes the keys {} alone, as in `{key} = {example}`; found {}",
        kind.name(),
        all_of(&keys.names()),
        next(input)
    ))
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

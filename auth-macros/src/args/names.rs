//! Names of roles, permissions and mechanisms: string literals, and paths to constants.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{ExprPath, Ident, LitStr, Token};

use super::keys::{ON_DENIED, Slot};
use super::{list, next, starts_pair, starts_path};
use crate::errors::Errors;
use crate::model::{Kind, Name, Noun};

/// Parses the arguments of the attribute `kind` that stands at `span`: names, at least one, then `on_denied`.
pub(super) fn names(
    kind: Kind,
    noun: Noun,
    span: Span,
    tokens: TokenStream,
    on_denied: &mut Slot<ExprPath>,
    errors: &mut Errors,
) -> Vec<Name> {
    let (attribute, word) = (kind.name(), noun.word());
    let mut names = Vec::new();
    let mut empty = true;
    list(tokens, on_denied, errors, |input, after_key, errors| {
        empty = false;
        if starts_pair(input) {
            let key = input.call(Ident::parse_any)?;
            return Err(syn::Error::new(
                key.span(),
                format_args!(
                    "unknown key `{key}`; `{attribute}` takes {word}s, each {A_NAME}, and the key `{ON_DENIED}`"
                ),
            ));
        }
        name(noun, &mut names, input, after_key, errors)
    });
    if empty {
        errors.push(span, format_args!("`{attribute}` needs at least one {word}: `#[{attribute}(\"…\")]`"));
    }
    names
}

/// Parses one more name to those before it. Valid names are kept, so that an error in one name causes none about others.
pub(super) fn name(
    noun: Noun,
    names: &mut Vec<Name>,
    input: ParseStream<'_>,
    after_key: bool,
    errors: &mut Errors,
) -> syn::Result<()> {
    let word = noun.word();
    if after_key {
        return Err(
            input.error(format_args!("a {word} stands before the keys; move {} to the front", next(input)))
        );
    }
    let span = input.span();
    let name = if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        if input.peek(Token![=]) {
            return Err(input.error(format_args!("a {word} has no value; remove what follows it")));
        }
        Name::Literal(literal)
    } else if starts_path(input) {
        Name::Path(input.parse()?)
    } else {
        return Err(input.error(format_args!("expected a {word}, which is {A_NAME}; found {}", next(input))));
    };
    let written = name.written();
    if written.is_empty() {
        let remedy = match noun {
            Noun::Role | Noun::Permission => "nobody could have it",
            Noun::Mechanism => "write the name of one, such as `token`",
        };
        errors.push(span, format_args!("a {word} cannot be empty; {remedy}"));
    } else if names.iter().any(|other| other.is(&name)) {
        errors.push(span, format_args!("{word} `{written}` is named twice; remove one"));
    } else {
        names.push(name);
    }
    Ok(())
}

const A_NAME: &str = "a string literal or a path to a `const &str`";

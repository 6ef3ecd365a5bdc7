//! How `#[diesel(…)]` and `#[auth(…)]` are written: items, of which many are none of ours.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Expr, Meta, Token, Type, parenthesized};

use super::{Relation, RelationKind};

/// Calls `item` behind each key of `#[attribute(key, key = value, key(…))]`; a value that it leaves unread is skipped.
pub(crate) fn items(
    attribute: &Attribute,
    row: &Ident,
    mut item: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let Meta::List(list) = &attribute.meta else {
        return Ok(());
    };
    let items = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            item(&key, input)?;
            skip_value(input)?;
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(())
    };
    items.parse2(of_row(list.tokens.clone(), row))
}

/// Writes the row for `Self`: what is generated stands outside of its implementations.
pub(crate) fn of_row(tokens: TokenStream, row: &Ident) -> TokenStream {
    let named = |token| match token {
        TokenTree::Ident(word) if word == "Self" => {
            let mut row = row.clone();
            row.set_span(word.span());
            row.into()
        }
        TokenTree::Group(group) => {
            let mut named = Group::new(group.delimiter(), of_row(group.stream(), row));
            named.set_span(group.span());
            named.into()
        }
        token => token,
    };
    tokens.into_iter().map(named).collect()
}

/// Skips what is left of an item. Its value may be a type or an expression, and then a comma in it is no end of it, as
/// that of `Eq<name, &'static str>`. What both a type and an expression begin with is a type: `Eq < name` is none.
fn skip_value(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) {
        let _: Token![=] = input.parse()?;
        if !skip::<Type>(input) {
            skip::<Expr>(input);
        }
    }
    while !is_at_end(input) {
        let _: TokenTree = input.parse()?;
    }
    Ok(())
}

/// Skips a value of this kind, if it is all that there is in front of a comma or the end.
fn skip<T: Parse>(input: ParseStream<'_>) -> bool {
    let behind = input.fork();
    let is_one = behind.parse::<T>().is_ok() && is_at_end(&behind);
    if is_one {
        input.advance_to(&behind);
    }
    is_one
}

fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// `(asset: Asset, asset_id)`
pub(super) fn relation(key: &Ident, input: ParseStream<'_>, row: &Ident) -> syn::Result<Relation> {
    let is_many = key == "has_many";
    let example = if is_many {
        "`has_many(shares: Share, project_id)`: a name, the context, and its foreign key"
    } else {
        "`belongs_to(asset: Asset, asset_id)`: a name, the context, and the foreign key"
    };
    let explained = |error: syn::Error| {
        syn::Error::new(error.span(), format_args!("a relation is written {example}; {error}"))
    };
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(key.span(), format_args!("a relation is written {example}")));
    }
    let content;
    parenthesized!(content in input);
    let parts = |content: ParseStream<'_>| {
        let name = content.call(Ident::parse_any)?;
        let _: Token![:] = content.parse()?;
        let target = content.call(Type::without_plus)?;
        let is_self = matches!(&target, Type::Path(path) if path.path.is_ident(row));
        let _: Token![,] = content.parse()?;
        let foreign_key = content.call(Ident::parse_any)?;
        let _: Option<Token![,]> = content.parse()?;
        let kind = kind(content, is_many, is_self)?;
        let _: Option<Token![,]> = content.parse()?;
        if content.is_empty() {
            Ok(Relation { name, kind, target, foreign_key })
        } else {
            Err(content.error("remove what follows"))
        }
    };
    parts(&content).map_err(explained)
}

/// `recursive`, if it is there.
fn kind(content: ParseStream<'_>, is_many: bool, is_self: bool) -> syn::Result<RelationKind> {
    if !content.peek(Ident::peek_any) {
        return Ok(if is_many { RelationKind::Many } else { RelationKind::Parent });
    }
    let word: Ident = content.parse()?;
    let problem = if word != "recursive" {
        "remove what follows, or say `recursive`"
    } else if is_many {
        "`recursive` follows a tree from each row to its parent: `belongs_to(parent: Self, parent_id, recursive)`"
    } else if !is_self {
        "`recursive` follows a tree of rows of one type: `belongs_to(parent: Self, parent_id, recursive)`"
    } else {
        return Ok(RelationKind::Ancestors);
    };
    Err(syn::Error::new(word.span(), problem))
}

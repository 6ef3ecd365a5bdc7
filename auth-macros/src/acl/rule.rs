//! The grammar of a rule: terms joined by `|` and `&`. The result is a tree, so this parser decides about precedence: `&` binds
//! more tightly than `|`, as in Rust.

use proc_macro2::{Delimiter, Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{ExprPath, LitStr, Token, parenthesized, token};

use super::is_constant;
use crate::model::{KnownPermission, Name, Permission};
use crate::nearest::{all_of, one_of, suggestion, unknown};
use crate::row::Relation;

/// The condition on a subject and a row.
pub(crate) enum Rule {
    Nobody,
    EveryLoggedInUser,
    User(Column),
    Account(Column),
    Role(Name),
    AccountRole(Name),
    IsNull(Column),
    /// A boolean column.
    Flag(Column),
    /// The rule of the parent's own policy, by the index of the relation.
    Granted(usize, Permission, Span),
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// A column of the context, or of the parent that the relation of this index leads to.
pub(crate) struct Column {
    pub(crate) relation: Option<usize>,
    pub(crate) name: Ident,
}

impl Rule {
    /// Calls `take` with each term.
    pub(crate) fn each<'a>(&'a self, take: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Any(rules) | Self::All(rules) => rules.iter().for_each(|rule| rule.each(take)),
            term => take(term),
        }
    }

    /// The column of a term, if it is about one.
    pub(crate) fn column(&self) -> Option<&Column> {
        match self {
            Self::User(column) | Self::Account(column) | Self::IsNull(column) | Self::Flag(column) => {
                Some(column)
            }
            Self::Nobody
            | Self::EveryLoggedInUser
            | Self::Role(_)
            | Self::AccountRole(_)
            | Self::Granted(..)
            | Self::Any(_)
            | Self::All(_) => None,
        }
    }
}

/// `all | all | …`
pub(super) fn any(input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    joined(
        input,
        |input| input.peek(Token![|]) && !input.peek(Token![||]),
        |input| all(input, relations),
        Rule::Any,
    )
}

/// `term & term & …`
fn all(input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    joined(
        input,
        |input| input.peek(Token![&]) && !input.peek(Token![&&]),
        |input| term(input, relations),
        Rule::All,
    )
}

fn joined(
    input: ParseStream<'_>,
    goes_on: impl Fn(ParseStream<'_>) -> bool,
    one: impl Fn(ParseStream<'_>) -> syn::Result<Rule>,
    several: impl FnOnce(Vec<Rule>) -> Rule,
) -> syn::Result<Rule> {
    let first = one(input)?;
    if !goes_on(input) {
        return Ok(first);
    }
    let mut rules = vec![first];
    while goes_on(input) {
        // `|` or `&`
        let _: proc_macro2::TokenTree = input.parse()?;
        rules.push(one(input)?);
    }
    Ok(several(rules))
}

/// The error for the next token, where `expected` should stand.
pub(super) fn behind(input: ParseStream<'_>, expected: &str) -> syn::Error {
    let doubled = |written: &str, meant: &str| format!("rules are joined by `{meant}`, not `{written}`");
    input.error(if input.peek(Token![||]) {
        doubled("||", "|")
    } else if input.peek(Token![&&]) {
        doubled("&&", "&")
    } else if COMPARISONS.iter().any(|compares| compares(input)) {
        format!(
            "a rule compares nothing by itself; it is made of the terms {}, of boolean columns and of \
             `relation.permission`",
            all_of(&TERMS)
        )
    } else {
        format!("expected {expected}")
    })
}

const COMPARISONS: [fn(ParseStream<'_>) -> bool; 4] = [
    |input| input.peek(Token![=]),
    |input| input.peek(Token![!=]),
    |input| input.peek(Token![<]),
    |input| input.peek(Token![>]),
];

const TERMS: [&str; 7] =
    ["user", "account", "role", "account_role", "is_null", "every_logged_in_user", "nobody"];

fn term(input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    if let Some(rule) = fragment(input)? {
        return (|input: ParseStream<'_>| alone(input, relations)).parse2(rule);
    }
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        return whole(&content, |content| alone(content, relations));
    }
    if input.peek(Token![!]) {
        return Err(input.error("a policy only grants, so nothing is negated; say who has the permission"));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!(
            "expected a term, such as `account(account_id)`, a boolean column, or `relation.permission`; \
             the terms are {}",
            one_of(&TERMS)
        )));
    }
    let name = input.call(Ident::parse_any)?;
    if input.peek(token::Paren) {
        called(&name, input, relations)
    } else if input.peek(Token![.]) {
        let relation = index_of(&name, relations)?;
        let _: Token![.] = input.parse()?;
        of_parent(relation, &name, input)
    } else {
        match name.to_string().as_str() {
            "every_logged_in_user" => Ok(Rule::EveryLoggedInUser),
            "nobody" => Ok(Rule::Nobody),
            "user" | "account" | "role" | "account_role" | "is_null" => {
                Err(syn::Error::new(name.span(), format_args!("`{name}` of what? Write `{name}(…)`")))
            }
            _ if relations.iter().any(|relation| relation.name == name) => Err(syn::Error::new(
                name.span(),
                format_args!("what of `{name}`? Write a permission: `{name}.read`"),
            )),
            _ => Ok(Rule::Flag(Column { relation: None, name })),
        }
    }
}

/// A rule with nothing behind it.
fn alone(input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    let rule = any(input, relations)?;
    if input.is_empty() { Ok(rule) } else { Err(behind(input, "`|` or `&`")) }
}

/// The tokens of an expression that a `macro_rules!` macro put here, if they are next. They stay together: the parser of syn
/// would look through their invisible parentheses, and turn `$rule & b` of `a | c` into `a | c & b`.
fn fragment(input: ParseStream<'_>) -> syn::Result<Option<proc_macro2::TokenStream>> {
    let is_fragment = match input.cursor().token_tree() {
        Some((proc_macro2::TokenTree::Group(group), _)) => group.delimiter() == Delimiter::None,
        _ => false,
    };
    if !is_fragment {
        return Ok(None);
    }
    input.step(|cursor| match cursor.token_tree() {
        Some((proc_macro2::TokenTree::Group(group), rest)) => Ok((Some(group.stream()), rest)),
        _ => Ok((None, *cursor)),
    })
}

/// Reads the content of parentheses, all of it: tokens that are left unread after an error would be one more error.
fn whole<T>(
    content: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let result = read(content);
    if result.is_err() {
        let _: proc_macro2::TokenStream = content.parse()?;
    }
    result
}

/// `name(…)`
fn called(name: &Ident, input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    let content;
    parenthesized!(content in input);
    whole(&content, |content| {
        let rule = argument(name, content, relations)?;
        if content.is_empty() {
            return Ok(rule);
        }
        Err(content.error(match rule {
            Rule::EveryLoggedInUser | Rule::Nobody => format!("`{name}` takes nothing"),
            _ => format!("`{name}` takes one; join several by `|`: `{name}(…) | {name}(…)`"),
        }))
    })
}

fn argument(name: &Ident, content: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
    let written = name.to_string();
    match written.as_str() {
        "user" => Ok(Rule::User(column(name, content, relations)?)),
        "account" => Ok(Rule::Account(column(name, content, relations)?)),
        "is_null" => Ok(Rule::IsNull(column(name, content, relations)?)),
        "role" => Ok(Rule::Role(role(name, content)?)),
        "account_role" => Ok(Rule::AccountRole(role(name, content)?)),
        "every_logged_in_user" => Ok(Rule::EveryLoggedInUser),
        "nobody" => Ok(Rule::Nobody),
        _ => {
            let remedy =
                suggestion(&written, &TERMS).unwrap_or_else(|| format!("the terms are {}", one_of(&TERMS)));
            Err(unknown("term", name, remedy))
        }
    }
}

/// `account_id` or `asset.account_id`
fn column(term: &Ident, input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Column> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!(
            "`{term}` takes a column: `{term}(account_id)`, or one of a parent: `{term}(relation.account_id)`"
        )));
    }
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![.]) {
        return Ok(Column { relation: None, name });
    }
    let relation = index_of(&name, relations)?;
    let _: Token![.] = input.parse()?;
    let column = input.call(Ident::parse_any)?;
    one_step(&name, &column, input)?;
    Ok(Column { relation: Some(relation), name: column })
}

/// Reads a permission of the parent, or a boolean column, behind `relation.`.
fn of_parent(relation: usize, relation_name: &Ident, input: ParseStream<'_>) -> syn::Result<Rule> {
    let name = input.call(Ident::parse_any)?;
    one_step(relation_name, &name, input)?;
    if is_constant(&name) {
        let path = ExprPath { attrs: Vec::new(), qself: None, path: name.clone().into() };
        return Ok(Rule::Granted(relation, Permission::Path(path), name.span()));
    }
    let known = KnownPermission::from_name(&name.unraw().to_string().replace('_', "-"));
    Ok(match known {
        Some(known) => Rule::Granted(relation, Permission::Known(known), name.span()),
        None => Rule::Flag(Column { relation: Some(relation), name }),
    })
}

/// A path leads to the parent and not beyond: the parent's own policy names its parents.
fn one_step(relation: &Ident, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![.]) {
        return Err(syn::Error::new(
            name.span(),
            format_args!(
                "a path leads to the parent and not beyond; declare a permission in the policy of `{relation}` \
                 that asks `{name}`, and write it here: `{relation}.PERMISSION`"
            ),
        ));
    }
    Ok(())
}

fn index_of(name: &Ident, relations: &[Relation]) -> syn::Result<usize> {
    relations.iter().position(|relation| relation.name == *name).ok_or_else(|| {
        let names: Vec<String> = relations.iter().map(|relation| relation.name.to_string()).collect();
        let remedy = suggestion(&name.to_string(), &names).unwrap_or_else(|| {
            if names.is_empty() {
                format!("declare it with `#[auth(belongs_to({name}: Parent, foreign_key))]`")
            } else {
                format!("there is {}", one_of(&names))
            }
        });
        unknown("relation", name, remedy)
    })
}

/// `"name"` or a path to a constant.
fn role(term: &Ident, input: ParseStream<'_>) -> syn::Result<Name> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        if literal.value().is_empty() {
            return Err(syn::Error::new(literal.span(), "a role cannot be empty; nobody could have it"));
        }
        return Ok(Name::Literal(literal));
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]) {
        return Ok(Name::Path(input.parse()?));
    }
    Err(input.error(format_args!(
        "`{term}` takes a role, which is a literal or a path to a constant: `{term}(\"editor\")`"
    )))
}

//! The terms of a rule.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{ExprPath, Lit, LitStr, Token};

use super::is_constant;
use super::kind::{FLAG, Kind, TERMS, names};
use super::rule::{Column, Known, RelationRef, Rule, Value, alone};
use crate::model::{KnownPermission, Name, Permission};
use crate::nearest::{one_of, suggestion, unknown};
use crate::row::RelationKind;

/// `name(…)`
pub(super) fn called(name: &Ident, content: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    let rule = argument(name, content, known)?;
    if content.is_empty() {
        return Ok(rule);
    }
    Err(content.error(match rule {
        Rule::Subject(_, None) | Rule::Nobody => format!("`{name}` takes nothing"),
        Rule::Column(term, ..) if term.has_values => "expected `,` and a value".to_owned(),
        _ => format!("`{name}` takes one; join several by `|`: `{name}(…) | {name}(…)`"),
    }))
}

fn argument(name: &Ident, content: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    let Some(kind) = kind(name) else {
        let (written, names) = (name.to_string(), names());
        let remedy =
            suggestion(&written, &names).unwrap_or_else(|| format!("the terms are {}", one_of(&names)));
        return Err(unknown("term", name, remedy));
    };
    Ok(match kind {
        Kind::Column(term) => {
            let column = column(name, content, known)?;
            Rule::Column(term, column, if term.has_values { values(content)? } else { Vec::new() })
        }
        Kind::Subject(term) => {
            let takes = term.takes.map(|noun| named(name, content, noun));
            Rule::Subject(term, takes.transpose()?)
        }
        Kind::AnyRow => any_row(content, known)?,
        Kind::Nobody => Rule::Nobody,
    })
}

fn kind(name: &Ident) -> Option<&'static Kind> {
    TERMS.iter().find(|(known, _)| name == known).map(|(_, kind)| kind)
}

/// A word by itself.
pub(super) fn single(name: Ident, known: Known<'_>) -> syn::Result<Rule> {
    let error = |message| Err(syn::Error::new(name.span(), message));
    match kind(&name) {
        Some(Kind::Nobody) => return Ok(Rule::Nobody),
        Some(Kind::Subject(term)) if term.takes.is_none() => return Ok(Rule::Subject(term, None)),
        Some(Kind::AnyRow) => return error("any of which rows? Write `any(relation: RULE)`".to_owned()),
        Some(Kind::Subject(_) | Kind::Column(_)) => {
            return error(format!("`{name}` of what? Write `{name}(…)`"));
        }
        None => {}
    }
    match known {
        Known::Context(relations) => {
            match relations.iter().find(|relation| relation.name.unraw() == name.unraw()) {
                Some(relation) if relation.kind == RelationKind::Many => {
                    error(format!("which of `{name}`? Write `any({name}: RULE)`"))
                }
                Some(_) => error(format!("what of `{name}`? Write a permission: `{name}.read`")),
                None => Ok(flag_or_permission(name)),
            }
        }
        Known::Related => Ok(flag_or_permission(name)),
    }
}

/// A permission of the row's own policy, or a boolean column of the row.
fn flag_or_permission(name: Ident) -> Rule {
    match permission(&name) {
        Some(permission) => Rule::Granted(None, permission, name.span()),
        None => Rule::Column(&FLAG, Column { relation: None, name }, Vec::new()),
    }
}

/// `relation.permission`, or a boolean column behind `relation.`.
pub(super) fn with_relation(name: &Ident, input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    let relation = relation(name, false, known)?;
    let _: Token![.] = input.parse()?;
    let word = input.call(Ident::parse_any)?;
    one_step(name, &word, input)?;
    Ok(match permission(&word) {
        Some(permission) => Rule::Granted(Some(relation), permission, word.span()),
        None => Rule::Column(&FLAG, Column { relation: Some(relation), name: word }, Vec::new()),
    })
}

/// The permission that a word names: one of the four, or a constant.
fn permission(word: &Ident) -> Option<Permission> {
    if is_constant(word) {
        let path = ExprPath { attrs: Vec::new(), qself: None, path: word.clone().into() };
        return Some(Permission::Path(path));
    }
    KnownPermission::from_name(&word.unraw().to_string().replace('_', "-")).map(Permission::Known)
}

/// `account_id` or `asset.account_id`
fn column(term: &Ident, input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Column> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!(
            "`{term}` takes a column: `{term}(account_id)`, or one of a parent: `{term}(relation.account_id)`"
        )));
    }
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![.]) {
        return Ok(Column { relation: None, name });
    }
    let relation = relation(&name, false, known)?;
    let _: Token![.] = input.parse()?;
    let column = input.call(Ident::parse_any)?;
    one_step(&name, &column, input)?;
    Ok(Column { relation: Some(relation), name: column })
}

/// `shares: RULE`
fn any_row(input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    const EXAMPLE: &str = "write `any(relation: RULE)`, where RULE is about one of its rows";
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!("any of which rows? {EXAMPLE}")));
    }
    let name = input.call(Ident::parse_any)?;
    let relation = relation(&name, true, known)?;
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Err(input.error(format_args!("what of `{name}`? {EXAMPLE}")));
    }
    let _: Token![:] = input.parse()?;
    Ok(Rule::AnyRow(relation, Box::new(alone(input, Known::Related)?)))
}

/// `, value, …`
fn values(input: ParseStream<'_>) -> syn::Result<Vec<Value>> {
    let mut values = Vec::new();
    while input.peek(Token![,]) {
        let _: Token![,] = input.parse()?;
        if input.is_empty() {
            break;
        }
        values.push(value(input)?);
    }
    if values.is_empty() {
        return Err(input.error("compared with which value? Write `is(column, value, …)`"));
    }
    Ok(values)
}

fn value(input: ParseStream<'_>) -> syn::Result<Value> {
    const EXPECTED: &str = "a value is a boolean, an integer, a text, or a path to a constant";
    if input.peek(Token![-]) || input.peek(Lit) {
        let (sign, literal): (Option<Token![-]>, Lit) = (input.parse()?, input.parse()?);
        return match literal {
            Lit::Int(integer) => {
                let minus = if sign.is_some() { "-" } else { "" };
                let digits = format!("{minus}{}", integer.base10_digits());
                let too_large = |error| syn::Error::new(integer.span(), format_args!("{error}: `{digits}`"));
                Ok(Value::Integer(digits.parse().map_err(too_large)?, integer.span()))
            }
            Lit::Bool(value) if sign.is_none() => Ok(Value::Bool(value)),
            Lit::Str(value) if sign.is_none() => Ok(Value::Text(value)),
            literal => Err(syn::Error::new(literal.span(), EXPECTED)),
        };
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]) {
        return Ok(Value::Constant(input.parse()?));
    }
    Err(input.error(EXPECTED))
}

/// A path leads to the parent and not beyond: the parent's own policy names its parents.
fn one_step(relation: &Ident, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![.]) {
        return Err(syn::Error::new(
            name.span(),
            format_args!(
                "a path leads to the parent and not beyond; declare a permission in the policy of `{relation}` \
                 that needs `{name}`, and write it here: `{relation}.PERMISSION`"
            ),
        ));
    }
    Ok(())
}

/// The relation of this name. Those of other rows are checked where their policies are known.
fn relation(name: &Ident, is_many: bool, known: Known<'_>) -> syn::Result<RelationRef> {
    let Known::Context(relations) = known else {
        return Ok(RelationRef { name: name.clone(), index: None });
    };
    let Some(index) = relations.iter().position(|relation| relation.name.unraw() == name.unraw()) else {
        let names: Vec<String> = relations.iter().map(|relation| relation.name.to_string()).collect();
        let remedy = suggestion(&name.to_string(), &names).unwrap_or_else(|| {
            if names.is_empty() && is_many {
                format!("declare it with `#[auth(has_many({name}: Child, foreign_key))]`")
            } else if names.is_empty() {
                format!("declare it with `#[auth(belongs_to({name}: Parent, foreign_key))]`")
            } else {
                format!("there is {}", one_of(&names))
            }
        });
        return Err(unknown("relation", name, remedy));
    };
    let leads_to_many = relations.get(index).is_some_and(|relation| relation.kind == RelationKind::Many);
    if leads_to_many != is_many {
        return Err(syn::Error::new(name.span(), mistaken(&name.to_string(), is_many)));
    }
    Ok(RelationRef { name: name.clone(), index: Some(index) })
}

/// The error for a relation that leads to one row where it should lead to many, or the other way round.
pub(crate) fn mistaken(name: &str, is_many: bool) -> String {
    if is_many {
        format!(
            "`{name}` leads to one row; write `{name}.PERMISSION`, or a term about its column: `user({name}.user_id)`"
        )
    } else {
        format!("`{name}` leads to many rows; say what one of them has to meet: `any({name}: RULE)`")
    }
}

/// `"name"` or a path to a constant.
fn named(term: &Ident, input: ParseStream<'_>, noun: &str) -> syn::Result<Name> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        if literal.value().is_empty() {
            return Err(syn::Error::new(
                literal.span(),
                format_args!("a {noun} cannot be empty; nobody could have it"),
            ));
        }
        return Ok(Name::Literal(literal));
    }
    if input.peek(Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]) {
        return Ok(Name::Path(input.parse()?));
    }
    Err(input.error(format_args!(
        "`{term}` takes a {noun}, which is a literal or a path to a constant: `{term}(\"editor\")`"
    )))
}

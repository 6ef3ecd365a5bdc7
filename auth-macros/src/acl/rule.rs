//! The grammar of a rule: terms joined by `|` and `&`. The result is a tree, so this parser decides about precedence: `&` binds
//! more tightly than `|`, as in Rust.

use proc_macro2::{Delimiter, Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{ExprPath, LitBool, LitStr, Token, parenthesized, token};

use super::kind::{ColumnTerm, SubjectTerm, names};
use super::term::{called, single, with_relation};
use crate::model::{Name, Permission};
use crate::nearest::{all_of, one_of};
use crate::row::Relation;

/// The condition on a subject and a row.
pub(crate) enum Rule {
    Nobody,
    /// A term about the subject alone, with the name that it takes.
    Subject(&'static SubjectTerm, Option<Name>),
    /// A term about a column, with the values that it is compared with.
    Column(&'static ColumnTerm, Column, Vec<Value>),
    /// The rule of the own policy of the parent, or of the row that this is about.
    Granted(Option<RelationRef>, Permission, Span),
    /// One of many rows meets all of the rule.
    AnyRow(RelationRef, Box<Self>),
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// A column of the row that the rule is about, or of its parent.
pub(crate) struct Column {
    pub(crate) relation: Option<RelationRef>,
    pub(crate) name: Ident,
}

/// A relation of the row that the rule is about.
#[derive(Clone)]
pub(crate) struct RelationRef {
    pub(crate) name: Ident,
    /// Of those of the context itself, which one; those of other rows are known by their names.
    pub(crate) index: Option<usize>,
}

/// A value that a column is compared with.
pub(crate) enum Value {
    Bool(LitBool),
    Integer(i64, Span),
    Text(LitStr),
    Constant(ExprPath),
}

/// The knowledge of a parser about the row of a rule.
#[derive(Clone, Copy)]
pub(super) enum Known<'a> {
    /// It is that of the context, with these relations.
    Context(&'a [Relation]),
    /// It is a related one, whose policy knows its relations.
    Related,
}

impl Rule {
    /// Calls `take` with each term. What `any` says of other rows is one term.
    pub(crate) fn each<'a>(&'a self, take: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Any(rules) | Self::All(rules) => rules.iter().for_each(|rule| rule.each(take)),
            term => take(term),
        }
    }
}

/// `all | all | …`
pub(super) fn any(input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    joined(
        input,
        |input| input.peek(Token![|]) && !input.peek(Token![||]),
        |input| all(input, known),
        Rule::Any,
    )
}

/// `term & term & …`
fn all(input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    joined(
        input,
        |input| input.peek(Token![&]) && !input.peek(Token![&&]),
        |input| term(input, known),
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
    } else if input.peek(Token![==]) {
        "a column is compared with values by `is(column, value)`".to_owned()
    } else if input.peek(Token![!=]) {
        "a policy only grants, so nothing is negated; say which values grant: `is(column, value, …)`"
            .to_owned()
    } else if COMPARISONS.iter().any(|compares| compares(input)) {
        format!(
            "a rule compares nothing by itself; it is made of the terms {}, of boolean columns and of \
             `relation.permission`",
            all_of(&names())
        )
    } else {
        format!("expected {expected}")
    })
}

const COMPARISONS: [fn(ParseStream<'_>) -> bool; 3] =
    [|input| input.peek(Token![=]), |input| input.peek(Token![<]), |input| input.peek(Token![>])];

fn term(input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    if let Some(rule) = fragment(input)? {
        return (|input: ParseStream<'_>| alone(input, known)).parse2(rule);
    }
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        return whole(&content, |content| alone(content, known));
    }
    if input.peek(Token![!]) {
        return Err(input.error(
            "a policy only grants, so nothing is negated; say who has the permission, and of a boolean column \
             `is(column, false)`",
        ));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!(
            "expected a term, such as `account(account_id)`, a boolean column, or `relation.permission`; \
             the terms are {}",
            one_of(&names())
        )));
    }
    let name = input.call(Ident::parse_any)?;
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        whole(&content, |content| called(&name, content, known))
    } else if input.peek(Token![.]) {
        with_relation(&name, input, known)
    } else {
        single(name, known)
    }
}

/// A rule with nothing behind it.
pub(super) fn alone(input: ParseStream<'_>, known: Known<'_>) -> syn::Result<Rule> {
    let rule = any(input, known)?;
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

//! `#[acl(…)]`: which rule grants which permission. Parsed into values: precedence is that of this parser, where `&`
//! binds more tightly than `|` as it does in Rust, and never that of tokens that are written down again.

use proc_macro2::{Delimiter, Ident, Span};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Attribute, DeriveInput, ExprPath, LitStr, Meta, Path, Token, parenthesized, token};

use crate::errors::Errors;
use crate::model::{KnownPermission, Name, Permission};
use crate::nearest::{all_of, nearest, one_of};
use crate::row::{Relation, Row};

/// One permission and who has it.
pub(crate) struct Grant {
    pub(crate) permission: Permission,
    pub(crate) span: Span,
    pub(crate) rule: Rule,
}

/// What a subject must match.
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
    /// What the parent's own policy says, by the index of the relation.
    Granted(usize, Permission, Span),
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// A column of the context, or of the parent that the relation of this index leads to.
pub(crate) struct Column {
    pub(crate) relation: Option<usize>,
    pub(crate) name: Ident,
}

/// Reads the policy of a context.
pub(crate) fn grants(input: &DeriveInput, relations: &[Relation], errors: &mut Errors) -> Vec<Grant> {
    let mut grants: Vec<Grant> = Vec::new();
    let mut found = false;
    for attribute in policies(&input.attrs) {
        found = true;
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => {
                errors.push_spanned(attribute, format_args!("a policy stands in parentheses: {EXAMPLE}"));
                continue;
            }
        };
        if tokens.is_empty() {
            errors.push_spanned(
                attribute,
                "a policy declares at least one permission; `read = nobody` leaves it to admins",
            );
        }
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let grant = grant(input, relations, errors);
                if let Some(grant) = errors.keep(grant) {
                    if grants.iter().any(|other| same(&other.permission, &grant.permission)) {
                        errors.push(
                            grant.span,
                            format_args!(
                                "`{}` is declared twice; join the rules by `|`",
                                written(&grant.permission)
                            ),
                        );
                    } else {
                        grants.push(grant);
                    }
                }
                // Behind an error, the next permission goes on.
                while !input.is_empty() && !input.peek(Token![,]) {
                    let _: proc_macro2::TokenTree = input.parse()?;
                }
                let _: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        };
        let result = parse.parse2(tokens);
        errors.keep(result);
    }
    if !found {
        errors.push(input.ident.span(), format_args!("who may do what with it? Declare a policy: {EXAMPLE}"));
    }
    grants
}

const EXAMPLE: &str = "`#[acl(read = account(account_id))]`";

fn policies(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("acl"))
}

/// Where a decision is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decides {
    /// By what the application writes.
    Application,
    /// By the policy, over what the context itself holds.
    Context,
    /// By the policy, in the database.
    Database,
}

/// Who decides about a context. What is wrong with its policy, the derive of `AuthModel` reports.
pub(crate) fn decides(input: &DeriveInput, row: &Row) -> Decides {
    if policies(&input.attrs).next().is_none() {
        return Decides::Application;
    }
    let mut errors = Errors::new();
    let grants = grants(input, &row.relations, &mut errors);
    errors.finish();
    if are_held_by(&grants, row) { Decides::Context } else { Decides::Database }
}

/// Whether the fields of the row are all that a policy asks about.
pub(crate) fn are_held_by(grants: &[Grant], row: &Row) -> bool {
    grants.iter().all(|grant| grant.rule.is_held_by(row))
}

impl Rule {
    /// Whether the fields of the row are all that it asks about.
    fn is_held_by(&self, row: &Row) -> bool {
        match self {
            Self::Nobody | Self::EveryLoggedInUser | Self::Role(_) | Self::AccountRole(_) => true,
            Self::User(column) | Self::Account(column) | Self::IsNull(column) | Self::Flag(column) => {
                column.relation.is_none() && row.field(&column.name).is_some()
            }
            Self::Granted(..) => false,
            Self::Any(rules) | Self::All(rules) => rules.iter().all(|rule| rule.is_held_by(row)),
        }
    }
}

fn same(one: &Permission, other: &Permission) -> bool {
    written(one) == written(other)
}

/// A permission, as a message shows it.
pub(crate) fn written(permission: &Permission) -> String {
    match permission {
        Permission::Known(known) => known.name().to_owned(),
        Permission::Path(path) => path.to_token_stream().to_string().replace(' ', ""),
    }
}

/// `read = rule`. What is wrong with the rule does not undo that the permission is declared: others may ask for it.
fn grant(input: ParseStream<'_>, relations: &[Relation], errors: &mut Errors) -> syn::Result<Grant> {
    let (permission, span) = declared(input)?;
    if !input.peek(Token![=]) {
        return Err(input.error(format_args!(
            "a permission is declared with its rule: `{} = account(account_id)`",
            written(&permission)
        )));
    }
    let _: Token![=] = input.parse()?;
    let rule = any(input, relations).and_then(|rule| {
        if input.is_empty() || input.peek(Token![,]) {
            Ok(rule)
        } else {
            Err(behind(input, "`|`, `&` or `,`"))
        }
    });
    let rule = errors.keep(rule).unwrap_or(Rule::Nobody);
    Ok(Grant { permission, span, rule })
}

/// The permission that is declared: one of the four, in quotes or without, or a constant.
fn declared(input: ParseStream<'_>) -> syn::Result<(Permission, Span)> {
    let (name, span) = if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        (literal.value(), literal.span())
    } else {
        let path: Path = input.call(Path::parse_mod_style)?;
        let span = path.span();
        match path.get_ident() {
            Some(name) if !is_constant(name) => (name.unraw().to_string(), span),
            _ => {
                let path = ExprPath { attrs: Vec::new(), qself: None, path };
                return Ok((Permission::Path(path), span));
            }
        }
    };
    let known = |name: &str| KnownPermission::from_name(&name.replace('_', "-"));
    known(&name).map(|known| (Permission::Known(known), span)).ok_or_else(|| {
        let remedy = nearest(&name, &KnownPermission::NAMES).map_or_else(
            || {
                let names = one_of(&KnownPermission::NAMES);
                format!("known are {names}; one of your own is a constant: `PUBLISH = …`")
            },
            |known| format!("did you mean `{}`?", known.replace('-', "_")),
        );
        syn::Error::new(span, format_args!("unknown permission `{name}`; {remedy}"))
    })
}

/// Constants are written in upper case, columns are not.
fn is_constant(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

/// `all | all | …`
fn any(input: ParseStream<'_>, relations: &[Relation]) -> syn::Result<Rule> {
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

/// What is wrong behind a rule, where one of these was expected.
fn behind(input: ParseStream<'_>, expected: &str) -> syn::Error {
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

/// What a `macro_rules!` macro put here as one expression, if that is what is next. It stays together: the parser of
/// syn would look through its invisible parentheses, and `$rule & b` of `a | c` become `a | c & b`.
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

/// Reads what stands in parentheses. What an error leaves unread would be one more error.
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
            let remedy = nearest(&written, &TERMS).map_or_else(
                || format!("the terms are {}", one_of(&TERMS)),
                |known| format!("did you mean `{known}`?"),
            );
            Err(syn::Error::new(name.span(), format_args!("unknown term `{written}`; {remedy}")))
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

/// What follows `relation.`: a permission of the parent, or a boolean column.
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

/// A path leads to the parent and not beyond: what is beyond, the parent's own policy knows.
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
        let remedy = match nearest(&name.to_string(), &names) {
            Some(known) => format!("did you mean `{known}`?"),
            None if names.is_empty() => {
                format!("declare it with `#[auth(belongs_to({name}: Parent, foreign_key))]`")
            }
            None => format!("there is {}", one_of(&names)),
        };
        syn::Error::new(name.span(), format_args!("unknown relation `{name}`; {remedy}"))
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

//! `#[acl(…)]`: which rule grants which permission. Generated code never has the operators of a policy.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Attribute, DeriveInput, ExprPath, LitStr, Meta, Path, Token};

pub(crate) use self::declared::ColumnGrant;
pub(crate) use self::kind::{ColumnTerm, Leaf};
pub(crate) use self::rule::{Column, RelationRef, Rule, Value};
use self::rule::{Known, alone, any, behind};
pub(crate) use self::term::mistaken;
use crate::errors::Errors;
use crate::model::{KnownPermission, Permission};
use crate::nearest::{one_of, suggestion_as};
use crate::row::{Relation, Row, of_row};

mod declared;
mod kind;
mod rule;
mod term;

/// One permission and the rule that grants it.
pub(crate) struct Grant {
    pub(crate) permission: Permission,
    pub(crate) span: Span,
    pub(crate) rule: Rule,
}

/// The policy of a context.
#[derive(Default)]
pub(crate) struct Acl {
    pub(crate) grants: Vec<Grant>,
    pub(crate) columns: Vec<ColumnGrant>,
    /// The rule for rows as they are after a change or a creation.
    pub(crate) becomes: Option<Rule>,
}

impl Acl {
    /// All rules.
    pub(crate) fn rules_mut(&mut self) -> impl Iterator<Item = &mut Rule> {
        let of_columns = self.columns.iter_mut().map(|grant| &mut grant.rule);
        self.grants.iter_mut().map(|grant| &mut grant.rule).chain(of_columns).chain(&mut self.becomes)
    }

    /// Whether the fields of the row are all that decisions need.
    pub(crate) fn needs_only_fields(&self, rows: Option<&Rule>, row: &Row) -> bool {
        // Admins stand above the rules, but not above which rows are there: that is decided where rows are found. So are the
        // columns that a subject may not see.
        let mut only_fields = rows.is_none() && !self.columns.iter().any(ColumnGrant::is_mask);
        for grant in &self.grants {
            grant.rule.each(&mut |term| only_fields &= needs_only_fields(term, row));
        }
        only_fields
    }

    fn add(&mut self, declaration: Declaration, row: &Row, errors: &mut Errors) {
        match declaration {
            Declaration::Permission(grant) => {
                if self.grants.iter().any(|other| same(&other.permission, &grant.permission)) {
                    errors.push(grant.span, twice(&written(&grant.permission)));
                } else {
                    self.grants.push(grant);
                }
            }
            Declaration::Columns(grant) => {
                grant.check_distinct(&self.columns, errors);
                grant.check_mask(row, errors);
                self.columns.push(grant);
            }
            Declaration::Becomes(span, _) if self.becomes.is_some() => errors.push(span, twice("becomes")),
            Declaration::Becomes(_, rule) => self.becomes = Some(rule),
        }
    }
}

fn twice(name: &str) -> String {
    format!("`{name}` is declared twice; join the rules by `|`")
}

/// One part of a policy.
enum Declaration {
    Permission(Grant),
    Columns(ColumnGrant),
    Becomes(Span, Rule),
}

/// Reads which rows are there, if the row says so.
pub(crate) fn rows(row: &Row, errors: &mut Errors) -> Option<Rule> {
    let tokens = row.rows.clone()?;
    let parse = |input: ParseStream<'_>| alone(input, Known::Context(&row.relations));
    let rule = errors.keep(parse.parse2(tokens))?;
    let mut is_about_row = true;
    rule.each(&mut |term| {
        is_about_row &= match term {
            Rule::Column(term, column, _) => term.is_about_row() && column.relation.is_none(),
            _ => false,
        };
    });
    if !is_about_row {
        errors.push_spanned(
            &row.rows,
            "which rows are there is the same for everybody, and said by their own columns: `is_null(column)`, \
             `is(column, value)`, `until(column)`, `since(column)` and boolean columns",
        );
        return None;
    }
    Some(rule)
}

/// Reads the policy of a context.
pub(crate) fn policy(input: &DeriveInput, row: &Row, errors: &mut Errors) -> Acl {
    let mut acl = Acl::default();
    let mut has_policy = false;
    for attribute in policies(&input.attrs) {
        has_policy = true;
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => {
                errors.push_spanned(attribute, format_args!("a policy stands in parentheses: {EXAMPLE}"));
                continue;
            }
        };
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let declaration = declaration(input, &row.relations, errors);
                if let Some(declaration) = errors.keep(declaration) {
                    acl.add(declaration, row, errors);
                }
                // Behind an error, the next permission goes on.
                while !input.is_empty() && !input.peek(Token![,]) {
                    let _: proc_macro2::TokenTree = input.parse()?;
                }
                let _: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        };
        let result = parse.parse2(of_row(tokens, &input.ident));
        errors.keep(result);
    }
    if !has_policy {
        errors.push(input.ident.span(), format_args!("who may do what with it? Declare a policy: {EXAMPLE}"));
    }
    acl
}

const EXAMPLE: &str = "`#[acl(read = account(account_id))]`";

fn policies(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("acl"))
}

/// The place where a decision is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decides {
    /// By code of the application.
    Application,
    /// By the policy, over the fields of the context.
    Context,
    /// By the policy, in the database.
    Database,
}

/// The place where decisions about a context are taken. The derive of `AuthModel` reports errors of the policy.
pub(crate) fn decides(input: &DeriveInput, row: &Row) -> Decides {
    if policies(&input.attrs).next().is_none() {
        return Decides::Application;
    }
    let mut errors = Errors::new();
    let acl = policy(input, row, &mut errors);
    let rows = rows(row, &mut errors);
    errors.finish();
    if acl.needs_only_fields(rows.as_ref(), row) { Decides::Context } else { Decides::Database }
}

fn needs_only_fields(term: &Rule, row: &Row) -> bool {
    match term {
        Rule::Nobody | Rule::Subject(..) => true,
        Rule::Column(term, Column { relation: None, name }, _) => {
            let field = row.field(name).filter(|field| field.is_plain || !term.has_values);
            term.in_memory.is_some() && field.is_some()
        }
        // The database knows the other rows.
        Rule::Column(..) | Rule::Granted(..) | Rule::AnyRow(..) | Rule::Any(_) | Rule::All(_) => false,
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

/// `read = rule`, `read(column) = rule` or `becomes = rule`. After an error in the rule, it is declared all the same, for other
/// rules may name it.
fn declaration(
    input: ParseStream<'_>,
    relations: &[Relation],
    errors: &mut Errors,
) -> syn::Result<Declaration> {
    if declared::is_becomes(input) {
        let span = declared::becomes(input)?;
        return Ok(Declaration::Becomes(span, rule("becomes", input, relations, errors)?));
    }
    let (permission, span) = declared(input)?;
    let columns = declared::columns(&permission, span, input)?;
    let rule = rule(&written(&permission), input, relations, errors)?;
    Ok(match columns {
        None => Declaration::Permission(Grant { permission, span, rule }),
        Some(columns) => Declaration::Columns(ColumnGrant { permission, columns, rule }),
    })
}

/// `= rule`
fn rule(
    declared: &str,
    input: ParseStream<'_>,
    relations: &[Relation],
    errors: &mut Errors,
) -> syn::Result<Rule> {
    if !input.peek(Token![=]) {
        let problem = format!("a permission is declared with its rule: `{declared} = account(account_id)`");
        return Err(input.error(problem));
    }
    let _: Token![=] = input.parse()?;
    let rule = any(input, Known::Context(relations)).and_then(|rule| {
        if input.is_empty() || input.peek(Token![,]) {
            Ok(rule)
        } else {
            Err(behind(input, "`|`, `&` or `,`"))
        }
    });
    Ok(errors.keep(rule).unwrap_or(Rule::Nobody))
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
        let as_key = |known: &str| known.replace('-', "_");
        let remedy = suggestion_as(&name, &KnownPermission::NAMES, as_key).unwrap_or_else(|| {
            let names = one_of(&KnownPermission::NAMES);
            format!("known are {names}; one of your own is a constant: `PUBLISH = …`")
        });
        syn::Error::new(span, format_args!("unknown permission `{name}`; {remedy}"))
    })
}

/// Constants are written in upper case, columns are not.
fn is_constant(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

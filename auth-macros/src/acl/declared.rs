//! The declarations of `#[acl(…)]` beside permissions: rules for columns, and for rows as they become.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Token, parenthesized, token};

use super::rule::Rule;
use super::{same, written};
use crate::errors::Errors;
use crate::model::{KnownPermission, Permission};
use crate::row::{Row, Serialized};

/// Columns, and the rule that is needed for them on top of a permission: `update(plan) = RULE`.
pub(crate) struct ColumnGrant {
    pub(crate) permission: Permission,
    pub(crate) columns: Vec<Ident>,
    pub(crate) rule: Rule,
}

/// Whether a declaration is `becomes = RULE`.
pub(super) fn is_becomes(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok_and(|word| word == "becomes")
}

/// `becomes`, and where it stands.
pub(super) fn becomes(input: ParseStream<'_>) -> syn::Result<Span> {
    let word = input.call(Ident::parse_any)?;
    if input.peek(token::Paren) {
        return Err(input.error("`becomes` is about the whole row: `becomes = RULE`"));
    }
    Ok(word.span())
}

/// `(column, …)` behind a permission, if it is there.
pub(super) fn columns(
    permission: &Permission,
    span: Span,
    input: ParseStream<'_>,
) -> syn::Result<Option<Vec<Ident>>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    let columns: Vec<_> = Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any)?
        .into_iter()
        .collect();
    let takes = matches!(permission, Permission::Known(KnownPermission::Read | KnownPermission::Update));
    if !takes {
        return Err(syn::Error::new(
            span,
            format_args!(
                "columns are read and changed: `read(column) = RULE`, `update(column) = RULE`; `{}` is about the \
                 whole row",
                written(permission)
            ),
        ));
    }
    if columns.is_empty() {
        let name = written(permission);
        return Err(syn::Error::new(span, format_args!("which columns? Write `{name}(column, …) = RULE`")));
    }
    Ok(Some(columns))
}

impl ColumnGrant {
    /// Reports columns that have a rule already.
    pub(super) fn check_distinct(&self, others: &[Self], errors: &mut Errors) {
        let of_permission = others.iter().filter(|other| same(&other.permission, &self.permission));
        let before: Vec<_> = of_permission.flat_map(|other| &other.columns).collect();
        for (place, column) in self.columns.iter().enumerate() {
            let is_one = |other: &Ident| other.unraw() == column.unraw();
            let twice = self.columns.iter().take(place).any(is_one);
            if twice || before.iter().any(|other| is_one(other)) {
                let name = written(&self.permission);
                errors.push(
                    column.span(),
                    format_args!("`{name}({column})` is declared twice; join the rules by `|`"),
                );
            }
        }
    }

    pub(crate) fn is_mask(&self) -> bool {
        matches!(self.permission, Permission::Known(KnownPermission::Read))
    }

    /// The names under which the columns of a mask are serialized.
    pub(crate) fn serialized(&self, row: &Row) -> Vec<String> {
        let fields = self.fields(row);
        fields
            .filter_map(|(_, serialized)| match serialized {
                Serialized::As(name) => Some(name.clone()),
                Serialized::Flattened | Serialized::Skipped => None,
            })
            .collect()
    }

    /// Reports columns of a mask that are in no field, or in one that cannot be left out.
    pub(super) fn check_mask(&self, row: &Row, errors: &mut Errors) {
        if !self.is_mask() {
            return;
        }
        for column in &self.columns {
            let mut fields = self.fields(row).filter(|(of, _)| of.unraw() == column.unraw()).peekable();
            if fields.peek().is_none() {
                errors.push(
                    column.span(),
                    format_args!(
                        "no field of `{}` holds the column `{column}`, so nothing shows it",
                        row.name
                    ),
                );
            }
            if fields.any(|(_, serialized)| *serialized == Serialized::Flattened) {
                errors.push(
                    column.span(),
                    format_args!(
                        "the field of `{column}` is flattened, so it cannot be left out; mask the columns that it has"
                    ),
                );
            }
        }
    }

    fn fields<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Ident, &'a Serialized)> {
        let is_one = |column: &Ident| self.columns.iter().any(|of| of.unraw() == column.unraw());
        let fields = row.fields.iter().filter(move |field| is_one(&field.column));
        fields.map(|field| (&field.column, &field.serialized))
    }
}

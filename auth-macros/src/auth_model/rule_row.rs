//! The rows that a rule is about, in generated code.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::{at, shown};
use crate::acl::{RelationRef, mistaken};
use crate::row::Row;

/// The row that a rule is about: that of the context, or one to which a relation leads.
pub(super) struct RuleRow<'a> {
    /// The context, if it is its row.
    pub(super) row: Option<&'a Row>,
    /// The relation that leads to it, as an expression. Nothing for the context.
    pub(super) relation: TokenStream,
    /// The policy of the row.
    pub(super) policy: TokenStream,
    /// The columns that rules may name.
    pub(super) columns: TokenStream,
    /// As a message shows the row's type.
    pub(super) shown: String,
}

impl<'a> RuleRow<'a> {
    pub(super) fn context(row: &'a Row) -> Self {
        let name = &row.name;
        Self {
            row: Some(row),
            relation: TokenStream::new(),
            policy: quote!(&__AUTH_POLICY),
            columns: quote!(<#name as ::auth_core::Scoped>::COLUMNS),
            shown: row.name.to_string(),
        }
    }

    /// The row to which a relation leads from this one. The relations of the context are known to the derive, and those of
    /// other rows to their policies.
    pub(super) fn behind(&self, RelationRef { name, index }: &RelationRef, is_many: bool) -> Self {
        let known = index.and_then(|index| self.row?.relations.get(index));
        if let Some(relation) = known {
            let (item, target) = (relation.item(), &relation.target);
            let span = at(target.span());
            return Self {
                row: None,
                relation: quote!(&#item),
                policy: quote_spanned!(span=> <#target>::__auth_policy()),
                columns: quote_spanned!(span=> <#target as ::auth_core::Scoped>::COLUMNS),
                shown: shown(target),
            };
        }
        let (policy, word) = (&self.policy, name.unraw().to_string());
        let unknown =
            format!("`{}` has no relation `{word}`; declare it there, or name one that it has", self.shown);
        let mistaken = mistaken(&word, is_many);
        let relation = quote_spanned! {at(name.span())=>
            const { ::auth_core::__private::relation_of(#policy, #word, #is_many, #unknown, #mistaken) }
        };
        let policy = quote!(::auth_core::__private::policy_of(#relation));
        Self {
            row: None,
            columns: quote!(#policy.columns()),
            relation,
            policy,
            shown: format!("{}.{word}", self.shown),
        }
    }
}

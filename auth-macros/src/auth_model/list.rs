//! The policy as an access-control list: a typed expression over the fields of the context.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::{Policy, at, literals, permission, role};
use crate::acl::{Column, ColumnTerm, Rule, Value};

impl Policy {
    /// The trait for a context that decides by itself.
    pub(super) fn access_control_list(&self) -> TokenStream {
        let name = &self.row.name;
        let list = self.acl.grants.iter().fold(None, |list: Option<TokenStream>, grant| {
            let (permission, rule) = (permission(&grant.permission), self.expression(&grant.rule));
            Some(match list {
                None => quote!(::auth_core::allow(#permission, #rule)),
                Some(list) => quote!(#list.allow(#permission, #rule)),
            })
        });
        quote! {
            impl ::auth_core::AuthModel for #name {
                fn acl(&self) -> impl ::auth_core::Acl {
                    #list
                }
            }
        }
    }

    /// A rule over the fields.
    fn expression(&self, rule: &Rule) -> TokenStream {
        let joined = |rules: &[Rule], function: &str| {
            let function = Ident::new(function, Span::call_site());
            let joined = rules.iter().fold(None, |joined: Option<TokenStream>, rule| {
                let rule = self.expression(rule);
                Some(match joined {
                    None => rule,
                    Some(joined) => quote!(::auth_core::__private::#function(#joined, #rule)),
                })
            });
            joined.unwrap_or_else(|| quote!(::auth_core::nobody()))
        };
        match rule {
            Rule::Subject(term, name) => {
                let function = Ident::new(term.in_memory, Span::call_site());
                let name = name.iter().map(role);
                quote!(::auth_core::__private::#function(#(#name)*))
            }
            Rule::Column(term, column, values) => self.field_term(term, column, values),
            Rule::Nobody | Rule::Granted(..) | Rule::AnyRow(..) => quote!(::auth_core::nobody()),
            Rule::Any(rules) => joined(rules, "either"),
            Rule::All(rules) => joined(rules, "both"),
        }
    }

    /// A term over a field.
    fn field_term(&self, term: &ColumnTerm, column: &Column, values: &[Value]) -> TokenStream {
        let span = at(column.name.span());
        // A list has no terms that the database alone decides.
        let Some(function) = term.in_memory else { return quote!(::auth_core::nobody()) };
        let function = Ident::new(function, span);
        let field = self.row.field(&column.name).map(|field| &field.field);
        let this = Ident::new("self", Span::call_site());
        let written = column.name.unraw().to_string();
        let values = term.has_values.then(|| literals(values)).into_iter();
        quote_spanned!(span=> ::auth_core::__private::#function(&#this.#field, #written #(, #values)*))
    }
}

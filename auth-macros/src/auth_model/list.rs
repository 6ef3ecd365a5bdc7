//! The policy as an access-control list: a typed expression over the fields of the context.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::{Policy, at, literals, permission, role};
use crate::acl::{Column, Rule};
use crate::model::Name;

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
        let called = |function: &str, column: &Column, values: Option<TokenStream>| {
            let span = at(column.name.span());
            let function = Ident::new(function, span);
            let field = self.row.field(&column.name).map(|field| &field.field);
            let this = Ident::new("self", Span::call_site());
            let written = column.name.unraw().to_string();
            let values = values.into_iter();
            quote_spanned!(span=> ::auth_core::__private::#function(&#this.#field, #written #(, #values)*))
        };
        let call = |function: &str, column: &Column| called(function, column, None);
        let named = |function: &str, name: &Name| {
            let (function, name) = (Ident::new(function, Span::call_site()), role(name));
            quote!(::auth_core::__private::#function(#name))
        };
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
            Rule::User(column) => call("user_of", column),
            Rule::Account(column) => call("account_of", column),
            Rule::IsNull(column) => call("is_null", column),
            Rule::Flag(column) => call("flag", column),
            Rule::Is(column, values) => called("is", column, Some(literals(values))),
            Rule::EveryLoggedInUser => quote!(::auth_core::__private::of_every_logged_in_user()),
            Rule::Everyone => quote!(::auth_core::everyone()),
            Rule::Role(name) => named("of_role", name),
            Rule::AccountRole(name) => named("of_account_role", name),
            Rule::Permission(name) => named("of_permission", name),
            Rule::Nobody | Rule::Until(_) | Rule::Since(_) | Rule::Granted(..) | Rule::AnyRow(..) => {
                quote!(::auth_core::nobody())
            }
            Rule::Any(rules) => joined(rules, "either"),
            Rule::All(rules) => joined(rules, "both"),
        }
    }
}

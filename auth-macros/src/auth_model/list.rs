//! The policy as an access-control list: a typed expression over the fields of the context.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::{Policy, at, permission, role};
use crate::acl::{Column, Rule};

impl Policy {
    /// The trait for a context that decides by itself.
    pub(super) fn access_control_list(&self) -> TokenStream {
        let name = &self.row.name;
        let list = self.grants.iter().fold(None, |list: Option<TokenStream>, grant| {
            let (permission, rule) = (permission(&grant.permission), self.expression(&grant.rule));
            Some(match list {
                None => quote!(::auth_core::allow(#permission, #rule)),
                Some(list) => quote!(#list.allow(#permission, #rule)),
            })
        });
        let list = list.unwrap_or_else(|| quote!(()));
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
        let call = |function: &str, column: &Column| {
            let span = at(column.name.span());
            let function = Ident::new(function, span);
            let field = self.row.field(&column.name);
            let this = Ident::new("self", Span::call_site());
            let written = column.name.unraw().to_string();
            quote_spanned!(span=> ::auth_core::__private::#function(&#this.#field, #written))
        };
        let of_subject = |principal: &TokenStream| quote!(::auth_core::__private::subject(::auth_core::Principal::#principal));
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
            Rule::EveryLoggedInUser => of_subject(&quote!(EveryLoggedInUser)),
            Rule::Role(name) => {
                let name = role(name);
                of_subject(&quote!(Role(#name)))
            }
            Rule::AccountRole(name) => {
                let name = role(name);
                of_subject(&quote!(AccountRole(#name)))
            }
            Rule::Nobody | Rule::Granted(..) => quote!(::auth_core::nobody()),
            Rule::Any(rules) => joined(rules, "either"),
            Rule::All(rules) => joined(rules, "both"),
        }
    }
}

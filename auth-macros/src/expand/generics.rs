//! The generic parameters of a guard: it has those of its handler.

use proc_macro2::TokenStream;
use quote::quote;
use syn::GenericParam;

use crate::handler::Handler;

/// The generic parameters of a guard: those of its handler, without bounds and defaults.
pub(super) struct GuardGenerics {
    pub(super) declaration: Option<TokenStream>,
    pub(super) fields: Option<TokenStream>,
    pub(super) usage: Option<TokenStream>,
}

impl GuardGenerics {
    pub(super) fn of(handler: &Handler) -> Self {
        let mut lifetimes = Parameters::default();
        let mut others = Parameters::default();
        for parameter in &handler.signature.generics.params {
            match parameter {
                GenericParam::Lifetime(parameter) => {
                    let name = &parameter.lifetime;
                    lifetimes.add(quote!(#name), quote!(#name), Some(quote!(&#name ())));
                }
                GenericParam::Type(parameter) => {
                    let name = &parameter.ident;
                    others.add(quote!(#name), quote!(#name), Some(quote!(#name)));
                }
                GenericParam::Const(parameter) => {
                    let (name, ty) = (&parameter.ident, &parameter.ty);
                    others.add(quote!(const #name: #ty), quote!(#name), None);
                }
            }
        }
        let list = |first: Vec<TokenStream>, then: Vec<TokenStream>| {
            let all: Vec<TokenStream> = first.into_iter().chain(then).collect();
            (!all.is_empty()).then_some(all)
        };
        let phantoms = list(lifetimes.phantoms, others.phantoms);
        Self {
            declaration: list(lifetimes.declared, others.declared).map(|all| quote!(<#(#all),*>)),
            fields: phantoms.map(|all| quote!((::core::marker::PhantomData<fn() -> (#(#all,)*)>))),
            usage: list(lifetimes.used, others.used).map(|all| quote!(<#(#all),*>)),
        }
    }
}

#[derive(Default)]
struct Parameters {
    declared: Vec<TokenStream>,
    used: Vec<TokenStream>,
    phantoms: Vec<TokenStream>,
}

impl Parameters {
    fn add(&mut self, declared: TokenStream, used: TokenStream, phantom: Option<TokenStream>) {
        self.declared.push(declared);
        self.used.push(used);
        self.phantoms.extend(phantom);
    }
}

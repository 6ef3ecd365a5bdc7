//! What a guard asks, written down as data: by it the guard checks, and the report shows it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{LitStr, PatType};

use super::{accepted, cfgs, check, contexts, is_generic};
use crate::handler::{Handler, context_type};
use crate::model::{Caller, Context, Guard, Place, Source};
use crate::route::Route;

/// A handler, where it is, its routes, and what is asked of its callers.
pub(super) fn handler(place: &Place, route: Option<&Route>, asks: &TokenStream) -> TokenStream {
    let name = place.handler.signature.ident.unraw().to_string();
    let patterns = route.map(Route::patterns).unwrap_or_default();
    let routes = patterns.iter().map(|pattern| {
        let (methods, text) = (&pattern.methods, &pattern.text);
        quote!(::auth_core::Route::new(&[#(#methods),*], #text))
    });
    // An attribute under another name puts its guard around the one that is there, and finds it in the argument.
    let inner = place.handler.arguments().next().filter(|_| place.wrapped);
    let outer = inner.map(|PatType { ty, .. }| quote!(.around(<#ty>::HANDLER)));
    quote! {
        ::auth_core::GuardedHandler::new(
            (#name, ::core::module_path!(), ::core::file!(), ::core::line!()),
            &[#(#routes),*],
            #asks,
        )
        #outer
    }
}

/// What the attributes of a guard ask.
pub(super) fn asks(guard: &Guard, route: Option<&Route>, handler: &Handler) -> TokenStream {
    let asks = match &guard.caller {
        Caller::Anonymous => quote!(anonymous()),
        Caller::Authenticated(asked) => {
            let accepted = accepted(asked, handler);
            quote!(authenticated(#accepted))
        }
    };
    let list = |method: TokenStream, items: Vec<TokenStream>| {
        (!items.is_empty()).then(|| quote!(.#method(&[#(#items),*])))
    };
    let checks = guard.checks.iter().map(|asked| check(asked, handler)).collect();
    let contexts = guard.contexts.iter().map(|asked| context(asked, route, handler)).collect();
    let (checks, contexts) = (list(quote!(checks), checks), list(quote!(contexts), contexts));
    quote!(::auth_core::__private::Asks::#asks #checks #contexts)
}

/// That nothing is asked, and why.
pub(super) fn nothing(reason: Option<&LitStr>) -> TokenStream {
    let some = reason.map(|reason| quote!(::core::option::Option::Some(#reason)));
    let reason = some.unwrap_or_else(|| quote!(::core::option::Option::None));
    quote!(::auth_core::__private::Asks::nothing(#reason))
}

fn context(asked: &Context, route: Option<&Route>, handler: &Handler) -> TokenStream {
    let permissions = contexts::permissions(asked);
    let (context, id) = match (&asked.ty, &asked.source) {
        (None, source) => (shown(source, route), None),
        (Some(ty), source) => (spaceless(&context_type(ty).to_token_stream()), Some(shown(source, route))),
    };
    let id = id.map(|id| quote!(.id(#id)));
    let allow_empty = asked.allow_empty.then(|| quote!(.allow_empty()));
    let policy = match &asked.ty {
        Some(ty) if !is_generic(ty.to_token_stream(), handler) => quote!({
            #[allow(unused_imports, reason = "of no use where a policy is declared")]
            use ::auth_core::__private::DeclaresNothing as _;
            ::auth_core::__private::DeclaredBy::<#ty>::POLICY
        }),
        _ => quote!(::core::option::Option::None),
    };
    quote!(::auth_core::__private::AskedContext::new(#context, #permissions, #policy) #id #allow_empty)
}

/// Where an id comes from: of several path parameters, the first that the route has.
fn shown(source: &Source, route: Option<&Route>) -> String {
    match source {
        Source::Path(names) => {
            let known = route.and_then(Route::parameters).unwrap_or_default();
            let first = names.iter().find(|name| known.contains(&name.as_str()));
            match first {
                Some(name) => format!("{name:?}"),
                None => names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or "),
            }
        }
        Source::Query(name) => format!("query({name:?})"),
        Source::Header(name) => format!("header({name:?})"),
        Source::Parts(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown(part, route)).collect();
            format!("({})", parts.join(", "))
        }
        Source::Arguments { .. } | Source::Loader { .. } => source.written().replace('`', ""),
    }
}

/// Tokens as a person writes a type.
fn spaceless(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "").replace(',', ", ")
}

/// Whether a guard is entered in the report: it is the same for every use of the handler.
pub(super) fn is_listed(place: &Place) -> bool {
    place.handler.signature.generics.params.is_empty()
}

/// What enters a handler in the report, and makes a routed one such that a protected scope takes it.
pub(super) fn entry(place: &Place, described: &TokenStream) -> TokenStream {
    let handler = &place.handler.signature.ident;
    let cfgs = cfgs(&place.handler);
    let guarded = (place.routed && !place.wrapped).then(|| {
        quote! {
            impl ::auth_core::Guarded for #handler {
                const HANDLER: ::core::option::Option<::auth_core::GuardedHandler> =
                    ::core::option::Option::Some(HANDLER);
            }
        }
    });
    quote! {
        #(#cfgs)*
        const _: () = {
            const HANDLER: ::auth_core::GuardedHandler = #described;

            #guarded

            #[::auth_core::__private::linkme::distributed_slice(::auth_core::__private::HANDLERS)]
            #[linkme(crate = ::auth_core::__private::linkme)]
            static ENTRY: ::auth_core::GuardedHandler = HANDLER;
        };
    }
}

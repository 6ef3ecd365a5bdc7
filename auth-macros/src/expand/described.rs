//! What a guard asks, written down as data: by it the guard checks, and the report shows it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{LitStr, PatType};

use super::{accepted, cfgs, check, contexts};
use crate::handler::{Handler, context_type};
use crate::model::{Caller, Context, Guard, Place, Source};
use crate::route::Route;

/// A handler, where it is, its routes, and what is asked of its callers.
pub(super) fn handler(place: &Place, route: Option<&Route>, asks: &TokenStream) -> TokenStream {
    let name = place.handler.signature.ident.unraw().to_string();
    let patterns = route.map(Route::patterns).unwrap_or_default();
    let routes = patterns.iter().map(|pattern| {
        let (methods, text) = (&pattern.methods, &pattern.text);
        quote!(::auth_core::Route { methods: &[#(#methods),*], pattern: #text })
    });
    let routes = quote!(&[#(#routes),*]);
    // An attribute under another name puts its guard around the one that is there, and finds it in the argument.
    let inner = place.handler.arguments().next().filter(|_| place.wrapped).map(|PatType { ty, .. }| ty);
    let (routes, inner) = match inner {
        Some(inner) => {
            (quote!(<#inner>::HANDLER.routes), quote!(::core::option::Option::Some(<#inner>::HANDLER)))
        }
        None => (routes, quote!(::core::option::Option::None)),
    };
    quote! {
        ::auth_core::GuardedHandler {
            name: #name,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            routes: #routes,
            inner: #inner,
            asks: #asks,
        }
    }
}

/// What the attributes of a guard ask.
pub(super) fn asks(guard: &Guard, route: Option<&Route>, handler: &Handler) -> TokenStream {
    let checks: Vec<_> = guard.checks.iter().map(|asked| check(asked, handler)).collect();
    let contexts: Vec<_> = guard.contexts.iter().map(|asked| context(asked, route)).collect();
    let caller = match &guard.caller {
        Caller::Anonymous => quote!(Anonymous),
        Caller::Authenticated(asked) if asked.is_any() => quote!(BY_DEFAULT),
        Caller::Authenticated(asked) => {
            let accepted = accepted(asked, handler);
            quote!(Authenticated(#accepted))
        }
    };
    written(&caller, &checks, &contexts)
}

/// That nothing is asked, and why.
pub(super) fn nothing(reason: Option<&LitStr>) -> TokenStream {
    let some = reason.map(|reason| quote!(::core::option::Option::Some(#reason)));
    let reason = some.unwrap_or_else(|| quote!(::core::option::Option::None));
    written(&quote!(Everybody(#reason)), &[], &[])
}

fn written(caller: &TokenStream, checks: &[TokenStream], contexts: &[TokenStream]) -> TokenStream {
    quote! {
        ::auth_core::__private::Asks {
            caller: ::auth_core::__private::AskedCaller::#caller,
            checks: &[#(#checks),*],
            contexts: &[#(#contexts),*],
        }
    }
}

fn context(asked: &Context, route: Option<&Route>) -> TokenStream {
    let shown = shown(&asked.source, route);
    let permissions = contexts::permissions(asked);
    let allows_empty = asked.allow_empty;
    let (context, id, permissions, policy) = match &asked.ty {
        None => (shown, quote!(::core::option::Option::None), permissions, quote!(&[])),
        Some(ty) => {
            let argument = quote!(::auth_core::__private::Argument::<#ty>);
            (
                spaceless(&context_type(ty).to_token_stream()),
                quote!(::core::option::Option::Some(#shown)),
                quote!(::auth_core::__private::proved(#argument::PROVES, #permissions)),
                quote!(#argument::POLICY),
            )
        }
    };
    let sources = contexts::sources(&asked.source);
    let context = quote! {
        ::auth_core::__private::AskedContext {
            context: #context,
            id: #id,
            sources: &[#sources],
            permissions: #permissions,
            allows_empty: #allows_empty,
            policy: #policy,
        }
    };
    if asked.ty.is_none() {
        return context;
    }
    quote!({
        #[allow(unused_imports, reason = "of no use where the type has both by itself")]
        use ::auth_core::__private::PlainArgument as _;
        #context
    })
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

/// What is entered in the report.
pub(super) fn entry_name(place: &Place) -> Ident {
    format_ident!("{}_entry", place.name)
}

/// What enters a handler in the report, and makes a routed one such that a protected scope takes it.
pub(super) fn entry(place: &Place, described: &TokenStream) -> TokenStream {
    let (handler, name) = (&place.handler.signature.ident, entry_name(place));
    let cfgs: Vec<_> = cfgs(&place.handler.attributes).collect();
    let guarded = (place.routed && !place.wrapped).then(|| {
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl ::auth_core::Guarded for #handler {
                const HANDLER: ::core::option::Option<&'static ::auth_core::GuardedHandler> =
                    ::core::option::Option::Some(&#name);
            }
        }
    });
    // As `#[distributed_slice]` writes it, but for a check of the type, which is right here: that would cost the
    // compiler as much as all the rest.
    quote! {
        #(#cfgs)*
        ::auth_core::__private::HANDLERS! {
            #![linkme_macro = ::auth_core::__private::HANDLERS]
            #[allow(non_upper_case_globals, reason = "named after the handler")]
            static #name: ::auth_core::GuardedHandler = #described;
        }

        #guarded
    }
}

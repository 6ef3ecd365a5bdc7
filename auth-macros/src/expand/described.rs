//! What a guard asks, written down as data: by it the guard checks, and the report shows it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{LitStr, PatType};

use super::{accepted, check, contexts};
use crate::handler::{Handler, context_type};
use crate::model::{Caller, Context, Guard, IdPlace, Place};
use crate::route::Route;

/// A handler, its routes, and what is asked of its callers.
pub(super) fn handler(place: &Place, route: Option<&Route>, requirements: &TokenStream) -> TokenStream {
    let name = place.handler.signature.ident.unraw().to_string();
    let patterns = route.map(Route::patterns).unwrap_or_default();
    let routes = patterns.iter().map(|pattern| {
        let (methods, text) = (&pattern.methods, &pattern.text);
        quote!(::auth_core::Route { methods: &[#(#methods),*], pattern: #text })
    });
    // An attribute under another name puts its guard around the one that is there, and finds it in the argument.
    let inner = place.handler.arguments().next().filter(|_| place.wrapped);
    let inner = inner.map(|PatType { ty, .. }| quote!(.around(<#ty>::handler)));
    quote! {
        ::auth_core::GuardedHandler::new(#name, ::core::module_path!(), &[#(#routes),*], #requirements) #inner
    }
}

/// What the attributes of a guard ask.
pub(super) fn requirements(guard: &Guard, route: Option<&Route>, handler: &Handler) -> TokenStream {
    let checks: Vec<_> = guard.checks.iter().map(|asked| check(asked, handler)).collect();
    let contexts: Vec<_> = guard.contexts.iter().map(|asked| context(asked, route)).collect();
    let caller = match &guard.caller {
        Caller::Anonymous => quote!(Anonymous),
        Caller::Authenticated(asked) if asked.is_any() => quote!(BY_DEFAULT),
        Caller::Authenticated(asked) => {
            let accepted = accepted(asked, handler);
            let accepted = constant(&quote!(&#accepted), handler);
            quote!(Authenticated(#accepted))
        }
    };
    let checks = constant(&quote!(&[#(#checks),*]), handler);
    let contexts = constant(&quote!(&[#(#contexts),*]), handler);
    quote!(::auth_core::__private::CallerRequirement::#caller, #checks, #contexts)
}

/// A reference that lasts, which the compiler makes of any in a static; but of a generic handler there is none.
fn constant(reference: &TokenStream, handler: &Handler) -> TokenStream {
    if handler.is_generic() { quote!(const { #reference }) } else { reference.clone() }
}

/// That nothing is asked, and why.
pub(super) fn nothing(reason: Option<&LitStr>) -> TokenStream {
    let some = reason.map(|reason| quote!(::core::option::Option::Some(#reason)));
    let reason = some.unwrap_or_else(|| quote!(::core::option::Option::None));
    quote!(::auth_core::__private::CallerRequirement::Everybody(#reason), &[], &[])
}

fn context(asked: &Context, route: Option<&Route>) -> TokenStream {
    let shown = shown(&asked.source, route);
    let permissions = contexts::permissions(asked);
    let allow_empty = asked.allow_empty.then(|| quote!(.allow_empty()));
    let Some(ty) = &asked.ty else {
        return quote!(::auth_core::__private::ContextRequirement::made_by(#shown, #permissions) #allow_empty);
    };
    let context = spaceless(&context_type(ty).to_token_stream());
    let sources = contexts::sources(&asked.source);
    let argument = quote!(::auth_core::__private::Argument::<#ty>);
    quote! {
        ::auth_core::__private::ContextRequirement::of(
            #context, #shown, &[#sources], #permissions, #argument::PROVES, #argument::POLICY
        ) #allow_empty
    }
}

/// What the constants of an argument need, which may have them by itself. See `auth_core::__private::Argument`.
pub(super) fn imports(guard: &Guard) -> Option<TokenStream> {
    let any = guard.contexts.iter().any(|asked| asked.ty.is_some());
    any.then(|| {
        quote!(
            use ::auth_core::__private::PlainArgument as _;
        )
    })
}

/// Where an id comes from: of several path parameters, the first that the route has.
fn shown(source: &IdPlace, route: Option<&Route>) -> String {
    match source {
        IdPlace::Path(names) => {
            let known = route.and_then(Route::parameters).unwrap_or_default();
            let first = names.iter().find(|name| known.contains(&name.as_str()));
            match first {
                Some(name) => format!("{name:?}"),
                None => names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or "),
            }
        }
        IdPlace::Query(name) => format!("query({name:?})"),
        IdPlace::Header(name) => format!("header({name:?})"),
        IdPlace::Parts(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown(part, route)).collect();
            format!("({})", parts.join(", "))
        }
        IdPlace::Arguments { .. } | IdPlace::Loader { .. } => source.written().replace('`', ""),
    }
}

/// Tokens as a person writes a type.
fn spaceless(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "").replace(',', ", ")
}

/// The body of a function that gives the handler, and enters it in the report unless it is generic: only one that is the
/// same for every use of the handler is entered.
pub(super) fn entered(place: &Place, described: &TokenStream) -> TokenStream {
    if place.handler.is_generic() {
        return quote!(const { &#described });
    }
    // As `#[distributed_slice]` writes it, but for a check of the type, which is right here: that would cost the
    // compiler as much as all the rest.
    quote! {
        ::auth_core::__private::HANDLERS! {
            #![linkme_macro = ::auth_core::__private::HANDLERS]
            static __AUTH_ENTRY: ::auth_core::GuardedHandler = #described;
        }
        &__AUTH_ENTRY
    }
}

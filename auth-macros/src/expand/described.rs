//! Generates a guard's requirements as data: the guard reads them to check, the report to show.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{LitStr, PatType};

use super::{check, contexts, log_in_requirement};
use crate::handler::Handler;
use crate::model::{Caller, Context, Guard, IdPlace, Permission, Place};
use crate::route::Route;
use crate::types::context_type;

/// A handler, its routes and its requirements.
pub(super) fn handler(place: &Place, route: Option<&Route>, requirements: &TokenStream) -> TokenStream {
    let name = place.handler.signature.ident.unraw().to_string();
    let patterns = route.map(Route::patterns).unwrap_or_default();
    let routes = patterns.iter().map(|pattern| {
        let (methods, text) = (&pattern.methods, &pattern.text);
        quote!(::auth_core::Route { methods: &[#(#methods),*], pattern: #text })
    });
    // An attribute under an alias puts a guard around the existing one, which is the type of the argument.
    let inner = place.handler.arguments().next().filter(|_| place.wrapped).map_or_else(
        || quote!(::core::option::Option::None),
        |PatType { ty, .. }| quote!(::core::option::Option::Some(<#ty>::handler)),
    );
    quote! {
        ::auth_core::GuardedHandler {
            name: #name,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            routes: &[#(#routes),*],
            inner: #inner,
            requirements: #requirements,
        }
    }
}

/// The requirements of a guard.
pub(super) fn requirements(guard: &Guard, route: Option<&Route>, handler: &Handler) -> TokenStream {
    let checks: Vec<_> = guard.checks.iter().map(|requirement| check(requirement, handler)).collect();
    let contexts: Vec<_> = guard.contexts.iter().map(|requirement| context(requirement, route)).collect();
    let caller = match &guard.caller {
        Caller::Anonymous => quote!(Anonymous),
        Caller::Authenticated(requirement) if requirement.is_any() => quote!(BY_DEFAULT),
        Caller::Authenticated(requirement) => {
            let requirement = log_in_requirement(requirement, handler);
            quote!(Authenticated(const { &#requirement }))
        }
    };
    literal(&caller, &checks, &contexts)
}

fn literal(caller: &TokenStream, checks: &[TokenStream], contexts: &[TokenStream]) -> TokenStream {
    quote! {
        ::auth_core::__private::Requirements {
            caller: ::auth_core::__private::CallerRequirement::#caller,
            checks: &[#(#checks),*],
            contexts: &[#(#contexts),*],
        }
    }
}

/// No requirement, for this reason.
pub(super) fn nothing(reason: Option<&LitStr>) -> TokenStream {
    let some = reason.map(|reason| quote!(::core::option::Option::Some(#reason)));
    let reason = some.unwrap_or_else(|| quote!(::core::option::Option::None));
    literal(&quote!(Everybody(#reason)), &[], &[])
}

fn context(requirement: &Context, route: Option<&Route>) -> TokenStream {
    let Context { ty, id_place, allow_empty, .. } = requirement;
    let shown = shown(id_place, route);
    let permissions = contexts::permissions(requirement);
    let places = contexts::id_places(id_place);
    let (context, id, policy) = if let Some(ty) = ty {
        let context = spaceless(&context_type(ty).to_token_stream());
        let policy = quote!(::auth_core::__private::Argument::<#ty>::POLICY);
        (context, quote!(::core::option::Option::Some(#shown)), policy)
    } else {
        (shown, quote!(::core::option::Option::None), quote!(&[]))
    };
    quote! {
        ::auth_core::__private::ContextRequirement {
            context: #context,
            id: #id,
            places: &[#places],
            permissions: #permissions,
            allows_empty: #allow_empty,
            policy: #policy,
        }
    }
}

/// The import for the constants of arguments, some of which have constants of their own. See
/// `auth_core::__private::Argument`.
fn imports(guard: &Guard) -> Option<TokenStream> {
    let any = guard.contexts.iter().any(|context| context.ty.is_some());
    any.then(|| {
        quote!(
            use ::auth_core::__private::PlainArgument as _;
        )
    })
}

/// Asserts for each context that the guard checks the permission which the argument proves. For a permission of the
/// library, the assertion is a constant of the argument's type, which the compiler evaluates once for all handlers.
fn proofs(guard: &Guard) -> TokenStream {
    let proofs = guard.contexts.iter().filter_map(|context| {
        let ty = context.ty.as_ref()?;
        let argument = quote!(::auth_core::__private::Argument::<#ty>);
        Some(if let [Permission::Known(known)] = context.permissions.as_slice() {
            let constant = format_ident!("PROVES_{}", known.constant());
            quote!(let () = #argument::#constant;)
        } else {
            let permissions = contexts::permissions(context);
            quote!(::auth_core::__private::assert_proof(#argument::PROVES, #permissions);)
        })
    });
    proofs.collect()
}

/// The place of an id, as the report shows it. Of several path parameters, it shows the first that the route has.
fn shown(id_place: &IdPlace, route: Option<&Route>) -> String {
    match id_place {
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
        IdPlace::Arguments { .. } | IdPlace::Loader { .. } => id_place.written().replace('`', ""),
    }
}

/// Tokens as a person writes a type.
fn spaceless(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "").replace(',', ", ")
}

/// The body of a function that gives the handler, and enters it in the report unless it is generic: a report shows one
/// handler for all uses of a function.
pub(super) fn entered(place: &Place, handler: &TokenStream, guard: Option<&Guard>) -> TokenStream {
    let (imports, proofs) = (guard.and_then(imports), guard.map(proofs));
    if place.handler.is_generic() {
        return quote!(#imports const { #proofs &#handler });
    }
    let name = &place.name;
    // `cargo check` evaluates a static, so this one has little to evaluate. `#[distributed_slice]` expands to this, and to a
    // check of the type, which this code does not need.
    quote! {
        #imports
        ::auth_core::__private::HANDLERS! {
            #![linkme_macro = ::auth_core::__private::HANDLERS]
            static __AUTH_ENTRY: fn() -> &'static ::auth_core::GuardedHandler = {
                #proofs
                <#name as ::auth_core::__private::Described>::handler
            };
        }
        &#handler
    }
}

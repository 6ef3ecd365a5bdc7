//! Contexts, written down: each is loaded and checked by one call, or two where a function makes it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Pat, PatTupleStruct};

use super::{at, is_generic, local};
use crate::handler::{Handler, argument_name};
use crate::model::{Context, LoaderArgument, Permission, Source};

/// That an argument which proves a permission proves one that was asked for.
pub(super) fn proof(asked: &Context, handler: &Handler) -> Option<TokenStream> {
    asked.argument?;
    let ty = &asked.ty;
    let permissions = permissions(asked);
    let assertion = quote! {
        ::auth_core::__private::assert_proof(
            ::auth_core::__private::Proved::<#ty>::PERMISSION,
            #permissions,
        )
    };
    let checked = quote!(#ty #permissions);
    let assertion = if is_generic(checked, handler) {
        quote!(const { #assertion };)
    } else {
        quote!(const _: () = #assertion;)
    };
    // An `Authorized` by any name has the constant itself; for every other type it is that of the trait.
    Some(quote!({
        #[allow(unused_imports, reason = "of no use for an `Authorized`")]
        use ::auth_core::__private::ProvesNothing as _;
        #assertion
    }))
}

pub(super) fn context(asked: &Context, caller: &Ident, handler: &Handler) -> TokenStream {
    let Context { ty, source, .. } = asked;
    let permissions = permissions(asked);
    let local = asked.argument.map_or_else(|| quote!(_), |index| local(index).into_token_stream());
    let span = at(match (ty, source) {
        (Some(ty), _) => ty.span(),
        (None, Source::Loader { path, .. }) => path.span(),
        (None, _) => Span::call_site(),
    });
    let mut caller = caller.clone();
    caller.set_span(span);
    let caller =
        if asked.allow_empty { quote_spanned!(span=> #caller.allow_empty()) } else { quote!(#caller) };
    match source {
        Source::Arguments { expression, .. } => {
            let id = Ident::new("__auth_id", at(expression.span()));
            let Named { bound, given_back, .. } = named(source, handler);
            quote_spanned! {span=>
                #(#bound)*
                let #id = ::auth_core::__private::evaluate(|| ::core::clone::Clone::clone(&(#expression)));
                #(#given_back)*
                let #local = #caller.context_of::<#ty>(#id, #permissions).await?;
            }
        }
        Source::Loader { path, arguments } => {
            let result = Ident::new("__auth_loaded", at(path.span()));
            let loaded = loaded(path, arguments, &named(source, handler), &result, &caller);
            let check =
                ty.as_ref().map_or_else(|| quote!(check_loaded), |ty| quote_spanned!(span=> loaded::<#ty>));
            quote_spanned! {span=>
                #loaded
                let #local = #caller.#check(#result, #permissions).await?;
            }
        }
        source => {
            let source = place(source);
            quote_spanned! {span=>
                let #local = #caller.context::<#ty, _>(&#source, #permissions).await?;
            }
        }
    }
}

/// Where the request names a context.
fn place(source: &Source) -> TokenStream {
    let source = match source {
        Source::Path(names) => quote!(Path(&[#(#names),*])),
        Source::Query(name) => quote!(Query(#name)),
        Source::Header(name) => quote!(Header(#name)),
        Source::Parts(parts) => {
            let parts = parts.iter().map(place);
            return quote!((#(#parts),*));
        }
        Source::Arguments { .. } | Source::Loader { .. } => return TokenStream::new(),
    };
    quote!(::auth_core::__private::Source::#source)
}

/// What a function of the application makes, called as it is written: in place, or with a connection.
fn loaded(
    path: &ExprPath,
    arguments: &[LoaderArgument],
    Named { bound, given_back, patterns, locals }: &Named,
    result: &Ident,
    caller: &TokenStream,
) -> TokenStream {
    let span = path.span();
    let connection = Ident::new("__auth_connection", Span::mixed_site());
    let lends = arguments.iter().any(|argument| matches!(argument, LoaderArgument::Connection));
    let arguments = arguments.iter().map(|argument| match argument {
        LoaderArgument::Of(_, name) => quote!(&#name),
        LoaderArgument::Connection => quote!(#connection),
    });
    let call = quote!(#path(#(#arguments),*));
    if lends {
        quote_spanned! {at(span)=>
            #(#bound)*
            let (#result, (#(#locals,)*)) = #caller
                .lend(move |#connection| {
                    let #result = ::auth_core::__private::finish_blocking(#call);
                    (#result, (#(#patterns,)*))
                })
                .await?;
        }
    } else {
        quote_spanned! {at(span)=>
            #(#bound)*
            let #result = ::auth_core::__private::finish(#call).await;
            #(#given_back)*
        }
    }
}

/// The arguments that something is made of. It sees them as the handler will: by their names, and as they are.
struct Named {
    bound: Vec<TokenStream>,
    given_back: Vec<TokenStream>,
    patterns: Vec<TokenStream>,
    locals: Vec<Ident>,
}

fn named(source: &Source, handler: &Handler) -> Named {
    let arguments = source.arguments();
    let mut found =
        Named { bound: Vec::new(), given_back: Vec::new(), patterns: Vec::new(), locals: Vec::new() };
    for (index, argument) in handler.arguments().enumerate().filter(|(index, _)| arguments.contains(index)) {
        let Some(name) = argument_name(&argument.pat) else {
            continue;
        };
        let local = local(index);
        let pattern = if let Pat::TupleStruct(PatTupleStruct { path, .. }) = &*argument.pat {
            quote!(#path(#name))
        } else {
            quote!(#name)
        };
        found.bound.push(quote!(let #pattern = #local;));
        found.given_back.push(quote!(let #local = #pattern;));
        found.patterns.push(pattern);
        found.locals.push(local);
    }
    found
}

pub(super) fn permissions(asked: &Context) -> TokenStream {
    let permissions = asked.permissions.iter().map(|permission| match permission {
        Permission::Known(known) => {
            let constant = Ident::new(known.constant(), Span::call_site());
            quote!(::auth_core::Permission::#constant)
        }
        Permission::Path(path) => quote!(const { #path }),
    });
    quote!(&[#(#permissions),*])
}

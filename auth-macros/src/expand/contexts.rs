//! Contexts, written down: each is loaded and checked by one call, or two where a function makes it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Pat, PatTupleStruct};

use super::{at, local};
use crate::handler::{Handler, argument_name};
use crate::model::{Context, Guard, IdPlace, LoaderArgument, Permission};

/// The contexts that the request names, as the nested list of types of which `auth_core` makes a guard. Nothing if the
/// handler takes them in another order than they are checked in.
pub(super) fn list(handler: &Handler, guard: &Guard) -> Option<TokenStream> {
    let mut cells = Vec::new();
    let mut contexts = guard.contexts.iter().peekable();
    let received = |index| guard.contexts.iter().any(|context| context.argument == Some(index));
    // Those behind the last context stand in no list of contexts.
    let last = guard.contexts.iter().filter_map(|context| context.argument).max();
    for index in (0..handler.arguments().count()).filter(|index| Some(*index) <= last) {
        if !received(index) {
            cells.push(quote!(::auth_core::__private::Other));
            continue;
        }
        while let Some(checked) = contexts.next_if(|context| context.argument.is_none()) {
            cells.push(cell(checked));
        }
        cells.push(cell(contexts.next_if(|context| context.argument == Some(index))?));
    }
    cells.extend(contexts.map(cell));
    // What is wrong with a context is reported at its type.
    let span = guard.contexts.iter().find_map(|context| context.ty.as_ref()).map(Spanned::span);
    let span = at(span.unwrap_or_else(Span::call_site));
    Some(cells.iter().rev().fold(quote!(()), |rest, cell| quote_spanned!(span=> (#cell, #rest))))
}

fn cell(context: &Context) -> TokenStream {
    let Context { ty, source, argument, .. } = context;
    let kind = if argument.is_some() { quote!(ContextFrom) } else { quote!(Checked) };
    let places = places(source);
    quote!(::auth_core::__private::#kind<#ty, #places>)
}

/// The call that loads and checks the context at this place among those that are asked for.
pub(super) fn context(asked: &Context, index: usize, caller: &Ident, handler: &Handler) -> TokenStream {
    let Context { ty, source, .. } = asked;
    let local = asked.argument.map_or_else(|| quote!(_), |index| local(index).into_token_stream());
    let span = at(match (ty, source) {
        (Some(ty), _) => ty.span(),
        (None, IdPlace::Loader { path, .. }) => path.span(),
        (None, _) => Span::call_site(),
    });
    let mut caller = caller.clone();
    caller.set_span(span);
    match source {
        IdPlace::Arguments { expression, .. } => {
            let id = Ident::new("__auth_id", at(expression.span()));
            let Named { bound, given_back, .. } = named(source, handler);
            quote_spanned! {span=>
                #(#bound)*
                let #id = ::auth_core::__private::evaluate(|| ::core::clone::Clone::clone(&(#expression)));
                #(#given_back)*
                let #local = #caller.context_of::<#ty>(#id, #index).await?;
            }
        }
        IdPlace::Loader { path, arguments } => {
            let result = Ident::new("__auth_loaded", at(path.span()));
            let loaded = loaded(path, arguments, &named(source, handler), &result, &caller);
            let check =
                ty.as_ref().map_or_else(|| quote!(check_loaded), |ty| quote_spanned!(span=> loaded::<#ty>));
            quote_spanned! {span=>
                #loaded
                let #local = #caller.#check(#result, #index).await?;
            }
        }
        source => {
            let places = places(source);
            quote_spanned! {span=>
                let #local = #caller.context::<#ty, #places>(#index).await?;
            }
        }
    }
}

/// In how many places the request names a context, as a type.
fn places(source: &IdPlace) -> TokenStream {
    if let IdPlace::Parts(parts) = source {
        let parts = parts.iter().map(places);
        quote!((#(#parts),*))
    } else {
        quote!(::auth_core::__private::IdPlace)
    }
}

/// Where the request names a context: the places, as a list.
pub(super) fn sources(source: &IdPlace) -> TokenStream {
    let source = match source {
        IdPlace::Path(names) => quote!(Path(&[#(#names),*])),
        IdPlace::Query(name) => quote!(Query(#name)),
        IdPlace::Header(name) => quote!(Header(#name)),
        IdPlace::Parts(parts) => {
            let parts = parts.iter().map(sources);
            return quote!(#(#parts),*);
        }
        IdPlace::Arguments { .. } | IdPlace::Loader { .. } => return TokenStream::new(),
    };
    quote!(::auth_core::__private::IdPlace::#source)
}

/// What a function of the application makes, called as it is written: in place, or with a connection.
fn loaded(
    path: &ExprPath,
    arguments: &[LoaderArgument],
    Named { bound, given_back, patterns, locals }: &Named,
    result: &Ident,
    caller: &Ident,
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

fn named(source: &IdPlace, handler: &Handler) -> Named {
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

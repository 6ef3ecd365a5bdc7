//! Generates the code that loads and checks contexts: one call for each, or two for a context that a function makes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Pat, PatTupleStruct};

use super::{at, local};
use crate::handler::{Handler, argument_name};
use crate::model::{Context, Guard, IdPlace, LoaderArgument, Permission};

/// The contexts whose ids are in the request, as the nested list of types from which `auth_core` makes a guard. None if
/// the order of the handler's arguments differs from the order of the checks.
pub(super) fn list(handler: &Handler, guard: &Guard) -> Option<TokenStream> {
    let mut cells = Vec::new();
    let mut contexts = guard.contexts.iter().peekable();
    let received = |index| guard.contexts.iter().any(|context| context.argument == Some(index));
    // The list ends at the last context, so the arguments behind it are left out.
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
    // The compiler reports an unsuitable context at its type.
    let span = guard.contexts.iter().find_map(|context| context.ty.as_ref()).map(Spanned::span);
    let span = at(span.unwrap_or_else(Span::call_site));
    Some(cells.iter().rev().fold(quote!(()), |rest, cell| quote_spanned!(span=> (#cell, #rest))))
}

fn cell(context: &Context) -> TokenStream {
    let Context { ty, id_place, argument, .. } = context;
    let kind = if argument.is_some() { quote!(ContextFrom) } else { quote!(Checked) };
    let places = place_types(id_place);
    quote!(::auth_core::__private::#kind<#ty, #places>)
}

/// The call that loads and checks a context; `index` is its place among the guard's requirements.
pub(super) fn load(context: &Context, index: usize, caller: &Ident, handler: &Handler) -> TokenStream {
    let Context { ty, id_place, .. } = context;
    let local = context.argument.map_or_else(|| quote!(_), |index| local(index).into_token_stream());
    let span = at(match (ty, id_place) {
        (Some(ty), _) => ty.span(),
        (None, IdPlace::Loader { path, .. }) => path.span(),
        (None, _) => Span::call_site(),
    });
    let mut caller = caller.clone();
    caller.set_span(span);
    match id_place {
        IdPlace::Arguments { expression, .. } => {
            let id = Ident::new("__auth_id", at(expression.span()));
            let ArgumentBindings { bind, give_back, .. } = argument_bindings(id_place, handler);
            quote_spanned! {span=>
                #(#bind)*
                let #id = ::auth_core::__private::evaluate(|| ::core::clone::Clone::clone(&(#expression)));
                #(#give_back)*
                let #local = #caller.context_of::<#ty>(#id, #index).await?;
            }
        }
        IdPlace::Loader { path, arguments } => {
            let result = Ident::new("__auth_loaded", at(path.span()));
            let call = loader_call(path, arguments, &argument_bindings(id_place, handler), &result, &caller);
            let check =
                ty.as_ref().map_or_else(|| quote!(check_loaded), |ty| quote_spanned!(span=> loaded::<#ty>));
            quote_spanned! {span=>
                #call
                let #local = #caller.#check(#result, #index).await?;
            }
        }
        id_place => {
            let places = place_types(id_place);
            quote_spanned! {span=>
                let #local = #caller.context::<#ty, #places>(#index).await?;
            }
        }
    }
}

/// The type that says in how many places of a request the id stands.
fn place_types(id_place: &IdPlace) -> TokenStream {
    if let IdPlace::Parts(parts) = id_place {
        let parts = parts.iter().map(place_types);
        quote!((#(#parts),*))
    } else {
        quote!(::auth_core::__private::IdPlace)
    }
}

/// The places of a request in which the id stands, as a list.
pub(super) fn id_places(id_place: &IdPlace) -> TokenStream {
    let place = match id_place {
        IdPlace::Path(names) => quote!(Path(&[#(#names),*])),
        IdPlace::Query(name) => quote!(Query(#name)),
        IdPlace::Header(name) => quote!(Header(#name)),
        IdPlace::Parts(parts) => {
            let parts = parts.iter().map(id_places);
            return quote!(#(#parts),*);
        }
        IdPlace::Arguments { .. } | IdPlace::Loader { .. } => return TokenStream::new(),
    };
    quote!(::auth_core::__private::IdPlace::#place)
}

/// The call of a loader of the application: in place, or with a connection on another thread.
fn loader_call(
    path: &ExprPath,
    arguments: &[LoaderArgument],
    ArgumentBindings { bind, give_back, patterns, locals }: &ArgumentBindings,
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
            #(#bind)*
            let (#result, (#(#locals,)*)) = #caller
                .lend(move |#connection| {
                    let #result = ::auth_core::__private::finish_blocking(#call);
                    (#result, (#(#patterns,)*))
                })
                .await?;
        }
    } else {
        quote_spanned! {at(span)=>
            #(#bind)*
            let #result = ::auth_core::__private::finish(#call).await;
            #(#give_back)*
        }
    }
}

/// Statements that bind the arguments to their names in the handler, so that an expression or a loader can use them.
struct ArgumentBindings {
    bind: Vec<TokenStream>,
    give_back: Vec<TokenStream>,
    patterns: Vec<TokenStream>,
    locals: Vec<Ident>,
}

fn argument_bindings(id_place: &IdPlace, handler: &Handler) -> ArgumentBindings {
    let arguments = id_place.arguments();
    let mut bindings = ArgumentBindings {
        bind: Vec::new(),
        give_back: Vec::new(),
        patterns: Vec::new(),
        locals: Vec::new(),
    };
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
        bindings.bind.push(quote!(let #pattern = #local;));
        bindings.give_back.push(quote!(let #local = #pattern;));
        bindings.patterns.push(pattern);
        bindings.locals.push(local);
    }
    bindings
}

pub(super) fn permissions(context: &Context) -> TokenStream {
    let permissions = context.permissions.iter().map(|permission| match permission {
        Permission::Known(known) => {
            let constant = Ident::new(known.constant(), Span::call_site());
            quote!(::auth_core::Permission::#constant)
        }
        Permission::Path(path) => quote!(const { #path }),
    });
    quote!(&[#(#permissions),*])
}

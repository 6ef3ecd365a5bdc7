//! The expansion of one attribute.
//!
//! The first of ours on a function gathers all the others, makes one guard of them and leaves each
//! of them in place with a marker. A macro cannot resolve a name, so it removes no attribute: ours sees the marker and leaves
//! the function alone, another crate's attribute of the same name fails on it. Ours under an alias carries no marker: it
//! expands later and puts a guard of its own on the function, outside the first. In every case each check takes place.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, MacroDelimiter, Meta, MetaList, token};

use crate::args::{self, Args, Slot};
use crate::errors::Errors;
use crate::expand;
use crate::handler::{Handler, Item};
use crate::model::{Kind, Place};
use crate::route::Route;
use crate::runtime::Runtime;
use crate::validate;

/// Expands the attribute `kind` that was written with `args` on `item`.
pub(crate) fn expand(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut runtime = Runtime::unnamed();
    let output = guarded(kind, args, item, &mut runtime, &mut errors);
    let mut report = errors.finish();
    report.extend(runtime.put_into(output));
    report
}

fn guarded(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    runtime: &mut Runtime,
    errors: &mut Errors,
) -> TokenStream {
    let parsed = errors.keep(syn::parse2::<Item>(item.clone()));
    let Some(Item { attributes, rest }) = parsed else {
        return item;
    };
    let Some(mut handler) = errors.keep(syn::parse2::<Handler>(rest.clone())) else {
        let attributes = without_ours(attributes);
        return quote!(#(#attributes)* #rest);
    };
    let wrapped = handler.guard().is_some();
    if let Some(marker) = marker(&args) {
        check_marker(kind, &args, marker, wrapped, errors);
        return if errors.is_empty() {
            item
        } else {
            let attributes = without_ours(attributes);
            quote!(#(#attributes)* #rest)
        };
    }
    handler.find_own_type(&rest);
    let route = Route::of(&attributes);
    let mut place = Place {
        name: handler.next_guard(route.is_some()),
        routed: route.is_some(),
        wrapped,
        handler: Handler { attributes, ..handler },
    };
    let mut written = vec![Written { kind, span: Span::call_site(), args }];
    gather(&mut place.handler.attributes, wrapped, &mut written, errors);
    for Written { args, .. } in &mut written {
        *args = runtime.take(std::mem::take(args), errors);
    }
    expand_written(written, place, route.as_ref(), errors)
}

fn expand_written(
    written: Vec<Written>,
    mut place: Place,
    route: Option<&Route>,
    errors: &mut Errors,
) -> TokenStream {
    let kinds: Vec<(Kind, Span)> = written.iter().map(|Written { kind, span, .. }| (*kind, *span)).collect();
    let mut on_denied = Slot::absent();
    let args: Vec<Args> = written
        .into_iter()
        .map(|Written { kind, span, args }| args::parse(kind, span, args, &mut on_denied, errors))
        .collect();
    let open = validate::alone(&kinds, place.wrapped, errors) == Some(Kind::Public);
    if open && errors.is_empty() {
        let reason = args.iter().find_map(|args| match args {
            Args::Public(reason) => reason.as_ref(),
            _ => None,
        });
        return expand::open(&place, route, reason);
    }
    validate::handler(&place.handler, errors);
    let guard = validate::guard(&place, args, on_denied.value, route, errors);
    if errors.is_empty() {
        return expand::guard(place, route, &guard);
    }
    if !open && expand::can_refuse(&place.handler) {
        // The other attributes stay, marked, so that their imports are used.
        return expand::refusal(place, route);
    }
    place.handler.attributes = without_ours(place.handler.attributes);
    expand::open(&place, route, None)
}

/// One of our attributes, as it is written on the function.
struct Written {
    kind: Kind,
    span: Span,
    args: TokenStream,
}

/// Collects our attributes among `attributes` and marks each of them as merged.
fn gather(attributes: &mut [Attribute], wrapped: bool, written: &mut Vec<Written>, errors: &mut Errors) {
    for attribute in attributes {
        let Some(kind) = Kind::of(attribute.path()) else {
            continue;
        };
        let span = attribute.path().span();
        let args = match &attribute.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                errors.push(
                    pair.eq_token.span(),
                    format_args!("arguments stand in parentheses: `#[{}(…)]`", kind.name()),
                );
                continue;
            }
        };
        if let Some(marker) = marker(&args) {
            // An attribute above has merged this one into its guard. Without a guard the user wrote it.
            if !wrapped {
                errors.push(marker, RESERVED);
            }
            continue;
        }
        attribute.meta = marked(kind, attribute.path().clone(), &args);
        written.push(Written { kind, span, args });
    }
}

/// The marker names the attribute that its arguments were merged as: an import under the name of
/// another attribute (`use auth_core::roles_required as roles_accepted`) must not weaken a check.
const MARKER: &str = "__auth_merged";

const RESERVED: &str = "`__auth_merged` is what the attributes write for each other; if you did not write it, \
                        another attribute has changed the handler: put that one above";

fn marked(kind: Kind, path: syn::Path, args: &TokenStream) -> Meta {
    let marker = syn::Ident::new(MARKER, Span::call_site());
    let name = kind.name();
    let ends_with_comma = args
        .clone()
        .into_iter()
        .last()
        .is_none_or(|last| matches!(last, TokenTree::Punct(comma) if comma.as_char() == ','));
    let comma = (!ends_with_comma).then(|| quote!(,));
    Meta::List(MetaList {
        path,
        delimiter: MacroDelimiter::Paren(token::Paren::default()),
        tokens: quote!(#args #comma #marker = #name),
    })
}

/// Where the marker stands.
fn marker(args: &TokenStream) -> Option<Span> {
    args.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(name) if name == MARKER => Some(name.span()),
        _ => None,
    })
}

/// Reports a marker that [`marked`] did not write for this very attribute.
fn check_marker(kind: Kind, args: &TokenStream, marker: Span, wrapped: bool, errors: &mut Errors) {
    let from_marker = args
        .clone()
        .into_iter()
        .skip_while(|token| !matches!(token, TokenTree::Ident(name) if name == MARKER));
    let mut from_marker = from_marker.skip(1);
    let equals = from_marker.next().is_some_and(|token| token.to_string() == "=");
    let name = from_marker
        .next()
        .and_then(|token| syn::parse2::<LitStr>(token.into_token_stream()).ok())
        .map(|literal| literal.value());
    match name {
        Some(name) if wrapped && equals && from_marker.next().is_none() => {
            if name != kind.name() {
                errors.push(
                    Span::call_site(),
                    format_args!(
                        "`{}` stands here under the name of `{name}`; \
                         import it under a name that no other attribute has",
                        kind.name()
                    ),
                );
            }
        }
        _ => errors.push(marker, RESERVED),
    }
}

/// Removes our attributes, so that they do not report their errors again.
fn without_ours(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.retain(|attribute| Kind::of(attribute.path()).is_none());
    attributes
}

//! Tests of the stages together: what is emitted, what is refused, and that nothing panics.

use proc_macro2::{TokenStream, TokenTree};

use crate::model::Kind;
use crate::{attribute, auth_model, load_context};

mod expansion;
mod messages;
mod precedence;
mod robustness;
mod runtime;

const ROLES_REQUIRED: Kind = Kind::RolesRequired;
const ROLES_ACCEPTED: Kind = Kind::RolesAccepted;
const CONTEXT: Kind = Kind::PermissionRequiredForContext;

/// The expansion of an attribute on an item, as formatted source.
fn expanded(kind: Kind, args: &str, item: &str) -> String {
    formatted(expand(kind, args, item))
}

/// The expansion of all our attributes on an item, from the first on.
fn expanded_whole(item: &str) -> String {
    let mut tokens: TokenStream = item.parse().unwrap();
    loop {
        let file: syn::File = syn::parse2(tokens.clone()).unwrap();
        let Some((kind, args, rest)) = file.items.iter().find_map(first_of_ours) else {
            return formatted(tokens);
        };
        let others = file.items.iter().skip(1);
        let output = attribute::expand(kind, args, rest);
        tokens = quote::quote!(#output #(#others)*);
    }
}

fn first_of_ours(item: &syn::Item) -> Option<(Kind, TokenStream, TokenStream)> {
    let syn::Item::Fn(function) = item else {
        return None;
    };
    let mut function = function.clone();
    let position = function.attrs.iter().position(|attribute| Kind::of(attribute.path()).is_some())?;
    let attribute = function.attrs.remove(position);
    let args = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let kind = Kind::of(attribute.path())?;
    Some((kind, args, quote::quote!(#function)))
}

fn derived(input: &str) -> String {
    formatted(load_context::derive(input.parse().unwrap()))
}

fn policy(input: &str) -> String {
    formatted(auth_model::derive(input.parse().unwrap()))
}

fn expand(kind: Kind, args: &str, item: &str) -> TokenStream {
    attribute::expand(kind, args.parse().unwrap(), item.parse().unwrap())
}

fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

/// The messages of every `compile_error!`, in the order in which they are emitted.
fn messages(tokens: TokenStream) -> Vec<String> {
    let mut messages = Vec::new();
    let mut after_name = false;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => after_name = name == "compile_error",
            TokenTree::Group(group) if after_name => {
                let message: syn::LitStr = syn::parse2(group.stream()).unwrap();
                messages.push(message.value());
                after_name = false;
            }
            _ => {}
        }
    }
    messages
}

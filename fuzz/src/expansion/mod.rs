//! Expansion: an item with attributes or derives of ours, as users write it.

mod source;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{DeriveInput, File, ImplItem, Item, ItemFn, ItemImpl, Lit, Meta, Stmt, parse2};

use crate::{
    attribute, auth_model, load_context,
    model::{Arguments, Kind},
};

/// The input is Rust. A part that does not lex is left out, so that the macros see most of it.
///
/// For every item and all arguments, expansion does not panic, gives the same output each time, and makes items of an
/// item. A handler comes out with its body and behind a guard with all requirements of its attributes, unless there is an
/// error.
///
/// # Panics
///
/// If this does not hold.
#[must_use]
pub fn expansion(input: &[u8]) -> bool {
    let Some(tokens) = source::tokens(&String::from_utf8_lossy(input)) else { return false };
    let Some((first, item)) = first_of_ours(tokens) else { return false };
    match first {
        Ours::Attribute(attribute) => attribute_on(attribute, item),
        Ours::Derives(derives) => {
            let expanded = derives.into_iter().filter(|derive| derived(*derive, &item));
            expanded.count() > 0
        }
    }
}

/// The attribute or the derives that the compiler would expand first.
enum Ours {
    Attribute(Written),
    Derives(Vec<Derive>),
}

/// An attribute with its arguments.
struct Written {
    kind: Kind,
    args: TokenStream,
}

#[derive(Clone, Copy, Debug)]
enum Derive {
    AuthModel,
    LoadContext,
}

/// The first attribute or derive of ours among those at the beginning, and the tokens without it.
fn first_of_ours(tokens: TokenStream) -> Option<(Ours, TokenStream)> {
    let mut before = TokenStream::new();
    let mut rest = tokens.into_iter();
    loop {
        let hash =
            rest.next().filter(|hash| matches!(hash, TokenTree::Punct(hash) if hash.as_char() == '#'))?;
        let content = match rest.next()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => group,
            _ => return None,
        };
        if let Some(ours) = ours(content.stream()) {
            return Some((ours, before.into_iter().chain(rest).collect()));
        }
        before.extend([hash, content.into()]);
    }
}

fn ours(attribute: TokenStream) -> Option<Ours> {
    let meta: Meta = parse2(attribute).ok()?;
    if meta.path().is_ident("derive") {
        let names = meta.require_list().ok()?.tokens.clone().into_iter();
        let derives = names.filter_map(|name| match name {
            TokenTree::Ident(name) if name == "AuthModel" => Some(Derive::AuthModel),
            TokenTree::Ident(name) if name == "LoadContext" => Some(Derive::LoadContext),
            _ => None,
        });
        return Some(Ours::Derives(derives.collect()));
    }
    let kind = Kind::of(meta.path())?;
    match meta {
        Meta::Path(_) => Some(Ours::Attribute(Written { kind, args: TokenStream::new() })),
        Meta::List(list) => Some(Ours::Attribute(Written { kind, args: list.tokens })),
        // The compiler takes these for no attribute that a macro may have.
        Meta::NameValue(_) => None,
    }
}

fn attribute_on(first: Written, item: TokenStream) -> bool {
    let Ok(written) = parse2::<ItemFn>(item.clone()) else {
        let output = expanded_attribute(&first, &item);
        // The compiler gives no other items to an attribute.
        assert!(has_error(&output) || parse2::<Item>(item).is_err(), "an item that is no handler: {output}");
        return false;
    };
    let mut attributes = Vec::new();
    let mut next = Some((first, item));
    let (mut output, mut others) = (TokenStream::new(), TokenStream::new());
    let mut refused = false;
    while let Some((attribute, item)) = next.take() {
        output = expanded_attribute(&attribute, &item);
        refused |= has_error(&output);
        attributes.push(attribute);
        let file: File = parse2(output.clone()).unwrap_or_else(|error| panic!("{error}: {output}"));
        let mut items = file.items.into_iter();
        let handler = items.find_map(|item| match item {
            Item::Fn(handler) => Some(handler),
            Item::Macro(_) => None,
            other => panic!("an item in front of the handler: {}", other.into_token_stream()),
        });
        let handler = handler.unwrap_or_else(|| panic!("the handler is gone: {output}"));
        others.extend(items.map(Item::into_token_stream));
        match first_of_ours(handler.to_token_stream()) {
            Some((Ours::Attribute(attribute), item)) => next = Some((attribute, item)),
            _ => output = quote!(#handler #others),
        }
    }
    if refused || is_about_macros(&written) {
        return false;
    }
    guarded(&written, &attributes, &parse2(output).unwrap());
    true
}

/// Whether the item contains names that only the macros write, and so might claim to be guarded already.
fn is_about_macros(written: &ItemFn) -> bool {
    let text = written.to_token_stream().to_string();
    ["__auth", "_guard", "Admitted"].iter().any(|name| text.contains(name))
}

/// Checks that every caller has to meet the requirements.
fn guarded(written: &ItemFn, attributes: &[Written], output: &File) {
    let shown = output.to_token_stream().to_string();
    let mut handlers = output.items.iter().filter_map(|item| match item {
        Item::Fn(handler) => Some(handler),
        _ => None,
    });
    let (Some(handler), None) = (handlers.next(), handlers.next()) else {
        panic!("not one handler: {shown}")
    };
    assert_eq!(handler.sig.ident, written.sig.ident);
    assert_eq!(text(&handler.block), text(&written.block), "another body: {shown}");
    if let [Written { kind: Kind::Public, .. }] = attributes {
        assert_eq!(text(&handler.sig), text(&written.sig), "another signature: {shown}");
        return;
    }
    assert!(attributes.iter().all(|attribute| attribute.kind != Kind::Public), "open and guarded: {shown}");
    let guards: Vec<&ItemImpl> = output
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Impl(guard) if is_of(guard, "Guard") || is_of(guard, "DeclarativeGuard") => Some(guard),
            _ => None,
        })
        .collect();
    let [guard] = guards.as_slice() else { panic!("not one guard: {shown}") };
    let arguments = text(&handler.sig.inputs);
    let admitted = format!(":: auth_core :: __private :: Admitted < {}", text(&guard.self_ty));
    assert!(
        handler.sig.inputs.len() == 1 && arguments.contains(&admitted),
        "arguments without a guard: {arguments}"
    );
    let described = output.items.iter().find_map(|item| match item {
        Item::Impl(described)
            if text(&described.self_ty) == text(&guard.self_ty) && is_of(described, "Described") =>
        {
            Some(described.items.iter().map(text).collect::<String>())
        }
        _ => None,
    });
    let Some(described) = described else { panic!("the guard is described nowhere: {shown}") };
    let items: String = guard.items.iter().map(text).collect();
    let admit = guard.items.iter().find_map(|item| match item {
        ImplItem::Fn(admit) if admit.sig.ident == "admit" => Some(&admit.block.stmts),
        _ => None,
    });
    match admit.map(Vec::as_slice) {
        Some([first, ..]) => authenticates(attributes, first),
        // Its code is that of the library, which authenticates in any case.
        None if is_of(guard, "DeclarativeGuard") => {}
        _ => panic!("an empty guard: {shown}"),
    }
    requires_all(attributes, &described, &items);
}

/// Whether it implements the trait of this name.
fn is_of(implementation: &ItemImpl, name: &str) -> bool {
    let path = implementation.trait_.as_ref().map(|(path, _)| path);
    path.and_then(|path| path.segments.last()).is_some_and(|last| last.ident == name)
}

fn authenticates(attributes: &[Written], first: &Stmt) {
    let first = text(first);
    let begins = if attributes.iter().any(|attribute| attribute.kind == Kind::AnonymousUserRequired) {
        ":: auth_core :: __private :: anonymous (__auth_request) . await ?"
    } else {
        "let __auth_caller = :: auth_core :: __private :: authenticate (__auth_request , < Self as :: auth_core :: __private :: Described > :: handler ()) . await ?"
    };
    assert!(
        first.replace("( ", "(").replace(" )", ")").starts_with(begins),
        "the caller is not authenticated: {first}"
    );
}

fn requires_all(attributes: &[Written], described: &str, items: &str) {
    for Written { kind, args } in attributes {
        let count = attributes.iter().filter(|attribute| attribute.kind == *kind).count();
        match kind.arguments() {
            Arguments::Names(attribute, quantifier) => {
                let (attribute, quantifier) = (attribute.variant(), quantifier.variant());
                let check = format!(
                    "attribute : :: auth_core :: __private :: SubjectAttribute :: {attribute} , quantifier : :: auth_core :: __private :: Quantifier :: {quantifier} "
                );
                assert!(described.matches(&check).count() >= count, "not {count} of {check}: {described}");
                for name in literals(args.clone()) {
                    assert!(described.contains(&name), "{name} is not required: {described}");
                }
            }
            Arguments::Context => {
                // As many are loaded as are described: one for all attributes that name it alike.
                let required = described.matches(":: ContextRequirement {").count();
                let in_request =
                    items.matches(":: ContextFrom <").count() + items.matches(":: Checked <").count();
                let loaded = in_request + items.matches("__auth_caller .").count();
                let lent = items.matches("__auth_caller . lend").count();
                assert!(required > 0, "no context is described: {described}");
                assert_eq!(loaded - lent, required, "not all contexts are loaded: {items}");
                for permission in ["READ", "UPDATE", "DELETE", "CREATE_CHILDREN"] {
                    let literal = format!("\"{}\"", permission.to_lowercase().replace('_', "-"));
                    let first = args.clone().into_iter().next().map(|first| first.to_string());
                    if first.as_deref() == Some(literal.as_str()) {
                        let constant = format!(":: auth_core :: Permission :: {permission}");
                        assert!(described.contains(&constant), "{literal} is not required: {described}");
                    }
                }
            }
            _ => assert!(
                ["BY_DEFAULT", "Authenticated", "Anonymous"].iter().any(|caller| described.contains(caller)),
                "no mechanism is required: {described}"
            ),
        }
    }
}

/// The texts that stand between the commas, but for those of keys.
fn literals(args: TokenStream) -> Vec<String> {
    let mut literals = Vec::new();
    let mut begins = true;
    for token in args {
        match &token {
            TokenTree::Literal(literal) if begins && matches!(Lit::new(literal.clone()), Lit::Str(_)) => {
                literals.push(literal.to_string());
            }
            _ => {}
        }
        begins = matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',');
    }
    literals
}

fn derived(derive: Derive, item: &TokenStream) -> bool {
    let expand = match derive {
        Derive::AuthModel => auth_model::derive,
        Derive::LoadContext => load_context::derive,
    };
    let output = expand(item.clone());
    assert_eq!(output.to_string(), expand(item.clone()).to_string(), "another expansion the second time");
    let Ok(input) = parse2::<DeriveInput>(item.clone()) else { return false };
    let parsed = parse2::<File>(output.clone());
    assert!(parsed.is_ok(), "{:?}: {output}", parsed.err());
    if has_error(&output) {
        return false;
    }
    let implemented = match derive {
        Derive::AuthModel => format!(":: auth_core :: Scoped for {}", input.ident),
        Derive::LoadContext => format!(":: auth_core :: LoadContext for {}", input.ident),
    };
    assert!(text(&output).contains(&implemented), "no {implemented}: {output}");
    true
}

fn expanded_attribute(Written { kind, args }: &Written, item: &TokenStream) -> TokenStream {
    let output = attribute::expand(*kind, args.clone(), item.clone());
    let again = attribute::expand(*kind, args.clone(), item.clone());
    assert_eq!(output.to_string(), again.to_string(), "another expansion the second time");
    output
}

fn has_error(output: &TokenStream) -> bool {
    output.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(name) if name == "compile_error"))
}

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

//! Generates the code of a guard. This stage decides nothing and cannot fail: each check and each context becomes one
//! call of `auth_core`, and the other arguments one more.

mod contexts;
mod described;
mod generics;

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, ExprPath, FnArg, GenericParam, LitStr, Pat, PatType, Signature, Token, Type, Visibility,
};

use self::generics::GuardGenerics;
use crate::handler::Handler;
use crate::model::{Caller, Check, Guard, LogInRequirement, Name, Noun, Place};
use crate::route::Route;
use crate::types::impl_trait;

/// The handler with its guard.
pub(crate) fn guard(place: Place, route: Option<&Route>, guard: &Guard) -> TokenStream {
    let requirements = described::requirements(guard, route, &place.handler);
    let handler = described::handler(&place, route, &requirements);
    let handler = described::entered(&place, &handler, Some(guard));
    let on_denied = on_denied(&place, guard);
    let implementation = Implementation::declared(&place.handler, guard)
        .unwrap_or_else(|| Implementation::in_code(&admit(&place.handler, guard), &place.handler));
    assemble(place, &handler, on_denied.as_ref(), implementation)
}

/// The handler whose attributes have errors: rewritten too, behind a guard that requires nothing of the arguments' types,
/// so that the compiler reports no errors but the user's.
pub(crate) fn refusal(mut place: Place, route: Option<&Route>) -> TokenStream {
    place.handler.signature.asyncness = Some(Token![async](Span::call_site()));
    let handler = described::handler(&place, route, &described::nothing(None));
    let handler = described::entered(&place, &handler, None);
    let body = quote!(::core::unreachable!("the attributes hold errors"));
    let implementation = Implementation::in_code(&body, &place.handler);
    assemble(place, &handler, None, implementation)
}

/// Whether [`refusal`] can write down this handler's arguments.
pub(crate) fn can_refuse(handler: &Handler) -> bool {
    // The guard is a type, and an `impl` cannot contain a type.
    let is_free = handler.own_type.is_none();
    is_free
        && handler.signature.inputs.iter().all(|input| match input {
            FnArg::Typed(argument) => {
                argument.attrs.is_empty() && impl_trait(argument.ty.to_token_stream()).is_none()
            }
            FnArg::Receiver(_) => false,
        })
}

/// The unchanged handler, which a protected scope accepts.
pub(crate) fn open(place: &Place, route: Option<&Route>, reason: Option<&LitStr>) -> TokenStream {
    let Handler { attributes, visibility, signature, body, .. } = &place.handler;
    let described = described::handler(place, route, &described::nothing(reason));
    let entered = place.routed.then(|| {
        let (handler, entered) = (&signature.ident, described::entered(place, &described, None));
        let cfgs = cfgs(attributes);
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl ::auth_core::__private::Described for #handler {
                fn handler() -> &'static ::auth_core::GuardedHandler {
                    #entered
                }
            }
        }
    });
    quote! {
        #(#attributes)*
        #visibility #signature #body
        #entered
    }
}

/// Whether `auth_core` has the code of the guard: it only authenticates, checks, and loads contexts by ids in the request.
fn is_declarative(guard: &Guard) -> bool {
    matches!(guard.caller, Caller::Authenticated(_))
        && guard.contexts.iter().all(|context| context.id_place.is_in_request())
}

/// The implementation of a guard.
struct Implementation {
    /// The trait of `auth_core`.
    of: TokenStream,
    items: TokenStream,
    /// The types of the contexts that are checked but not handed over, if the items name them.
    checked: Option<TokenStream>,
}

impl Implementation {
    /// `auth_core` makes tuples of at most this many arguments.
    const MOST: usize = 12;

    /// Types alone: `auth_core` has the code. None if that code would load the contexts in an order other than that of the
    /// attributes.
    fn declared(handler: &Handler, guard: &Guard) -> Option<Self> {
        if !is_declarative(guard) || handler.arguments().count() > Self::MOST {
            return None;
        }
        let contexts = contexts::list(handler, guard)?;
        let others: Vec<&Type> = others(handler, guard).map(|(_, argument)| &*argument.ty).collect();
        let span = place_of(&others, handler);
        let others = others.iter().rev().fold(quote!(()), |rest, ty| quote_spanned!(span=> (#ty, #rest)));
        let checked = guard.contexts.iter().filter(|context| context.argument.is_none());
        let checked: Vec<&Type> = checked.filter_map(|context| context.ty.as_ref()).collect();
        Some(Self {
            checked: (!checked.is_empty()).then(|| quote!(, (#(#checked,)*))),
            of: quote!(DeclarativeGuard),
            items: quote! {
                type Contexts = #contexts;
                type Others = #others;
            },
        })
    }

    /// The guard's own code, with this body.
    fn in_code(body: &TokenStream, handler: &Handler) -> Self {
        let Bindings { request, payload, .. } = Bindings::new();
        let arguments = arguments(handler);
        Self {
            checked: None,
            of: quote!(Guard),
            items: quote! {
                async fn admit(
                    #request: &::auth_core::__private::HttpRequest,
                    #payload: &mut ::auth_core::__private::Payload,
                ) -> ::core::result::Result<#arguments, ::auth_core::__private::Error> {
                    #body
                }
            },
        }
    }
}

/// The rewritten handler, its guard, and the guard's implementations. The guard is the struct that a route attribute makes
/// of the handler, so that a protected scope accepts it. Without such a struct, or if it has a guard already, the guard is a
/// type of its own.
fn assemble(
    place: Place,
    described: &TokenStream,
    on_denied: Option<&TokenStream>,
    Implementation { of, items, checked }: Implementation,
) -> TokenStream {
    let Place { handler, name, routed, .. } = place;
    let patterns: Vec<Pat> = handler.arguments().map(|argument| (*argument.pat).clone()).collect();
    let GuardGenerics { declaration, fields, usage } = GuardGenerics::of(&handler);
    // An argument of the trait may be a private type although the guard is public. The struct that a route attribute makes is
    // public even if the handler is private: actix-web's feature `compat-routing-macros-force-pub`, on by default, does so.
    let arguments = arguments(&handler);
    let Handler { attributes, visibility, signature, body, .. } = handler;
    let cfgs: Vec<&Attribute> = cfgs(&attributes).collect();
    let is_made = name == signature.ident;
    // A route attribute moves the handler into a function, and nothing outside of it sees the guard's own type.
    let seen = (is_made || !routed).then(|| generated(&visibility));
    let ty = (!is_made).then(|| {
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types, reason = "named after the handler")]
            #seen struct #name #declaration #fields;
        }
    });
    let (parameters, _, bounds) = signature.generics.split_for_impl();
    let guard = quote! {
        #ty

        #(#cfgs)*
        #[automatically_derived]
        impl #parameters ::auth_core::__private::Described for #name #usage #bounds {
            #on_denied
            fn handler() -> &'static ::auth_core::GuardedHandler {
                #described
            }
        }

        #(#cfgs)*
        #[automatically_derived]
        impl #parameters ::auth_core::__private::#of<#arguments #checked> for #name #usage #bounds {
            #items
        }
    };
    // By field number: the constructor is private, so that only a guard can admit a request.
    let pattern = quote!(::auth_core::__private::Admitted { 0: (#(#patterns,)*), .. });
    let ty = quote!(::auth_core::__private::Admitted<#name #usage, #arguments #checked>);
    let signature = with_argument(signature, pattern, ty);
    quote! {
        #(#attributes)*
        #visibility #signature #body
        #guard
    }
}

/// The function that renders the handler's denials. The outermost guard's function serves all guards on the handler.
fn on_denied(place: &Place, guard: &Guard) -> Option<TokenStream> {
    let ty = quote!(::core::option::Option<::auth_core::__private::OnDenied>);
    let inner = place.handler.arguments().next().filter(|_| place.wrapped);
    let inner = inner.map(|PatType { ty, .. }| quote!(<#ty>::ON_DENIED));
    let only = |path: &ExprPath, inner| {
        let span = at(path.span());
        quote_spanned!(span=> ::auth_core::__private::on_denied(#path, #inner))
    };
    let renderer = match (&guard.on_denied, inner) {
        (None, inner) => inner?,
        (Some(path), None) => only(path, quote!(::core::option::Option::None)),
        (Some(path), Some(inner)) => constant("RENDERER", &ty, &only(path, inner), &place.handler),
    };
    Some(quote!(const ON_DENIED: #ty = #renderer;))
}

/// The guard's own function: one call for each thing it does.
fn admit(handler: &Handler, guard: &Guard) -> TokenStream {
    let bindings = &Bindings::new();
    let Bindings { request, payload, caller } = bindings;
    let authentication = match &guard.caller {
        Caller::Anonymous => quote!(::auth_core::__private::anonymous(#request).await?;),
        Caller::Authenticated(_) => {
            quote!(let #caller = ::auth_core::__private::authenticate(#request, <Self as ::auth_core::__private::Described>::handler()).await?;)
        }
    };
    // First the contexts with ids in the request, then those made of these contexts, then those made of other arguments.
    let contexts_where = |late: bool, made: bool| {
        let contexts = guard.contexts.iter().enumerate();
        contexts.filter(move |(_, context)| {
            context.late == late && context.id_place.arguments().is_empty() != made
        })
    };
    let load = |(index, context)| contexts::load(context, index, caller, handler);
    let from_request = contexts_where(false, false).map(load);
    let from_contexts = contexts_where(false, true).map(load);
    // A context's arguments are extracted right before it, and all the others behind the last context: a body that no
    // context needs is not read before the decision.
    let mut rest: Vec<(usize, &PatType)> = others(handler, guard).collect();
    let mut late = TokenStream::new();
    for (index, context) in contexts_where(true, true) {
        let needed = context.id_place.arguments();
        for (argument, PatType { ty, .. }) in rest.extract_if(.., |(other, _)| needed.contains(other)) {
            let local = local(argument);
            late.extend(quote_spanned! {at(ty.span())=>
                let #local = ::auth_core::__private::extract::<#ty>(#request, #payload).await?;
            });
        }
        late.extend(load((index, context)));
    }
    let (others, types): (Vec<Ident>, Vec<&Type>) =
        rest.into_iter().map(|(index, argument)| (local(index), &*argument.ty)).unzip();
    let extract = (!others.is_empty()).then(|| {
        let span = place_of(&types, handler);
        quote_spanned! {span=>
            let (#(#others,)*) =
                ::auth_core::__private::extract::<(#(#types,)*)>(#request, #payload).await?;
        }
    });
    let locals = (0..handler.arguments().count()).map(local);
    quote! {
        #authentication
        #(#from_request)*
        #(#from_contexts)*
        #late
        #extract
        ::core::result::Result::Ok((#(#locals,)*))
    }
}

/// The arguments that are no contexts, with their places among all.
fn others<'a>(handler: &'a Handler, guard: &'a Guard) -> impl Iterator<Item = (usize, &'a PatType)> {
    let loaded = |index: usize| guard.contexts.iter().any(|context| context.argument == Some(index));
    handler.arguments().enumerate().filter(move |(index, _)| !loaded(*index))
}

/// The place at which the compiler reports an unsuitable type: that type if there is only one, else the list of arguments.
fn place_of(types: &[&Type], handler: &Handler) -> Span {
    at(match types {
        [only] => only.span(),
        _ => handler.signature.paren_token.span.join(),
    })
}

/// Whether tokens name a generic parameter of the handler. An item cannot contain such tokens, so the compiler evaluates
/// them in place, when it generates code for the handler. It evaluates an item in any case.
fn is_generic(tokens: TokenStream, handler: &Handler) -> bool {
    let parameters = || {
        handler.signature.generics.params.iter().map(|parameter| match parameter {
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
            GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
        })
    };
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => parameters().any(|parameter| *parameter == name),
        TokenTree::Group(group) => is_generic(group.stream(), handler),
        _ => false,
    })
}

fn log_in_requirement(
    LogInRequirement { mechanisms, within, grace, realm }: &LogInRequirement,
    handler: &Handler,
) -> TokenStream {
    let mechanisms = match mechanisms {
        None => quote!(any_mechanism()),
        Some(mechanisms) => {
            let mechanisms = names(Noun::Mechanism, mechanisms, handler);
            quote!(mechanisms(#mechanisms))
        }
    };
    let within = within.map(Literal::u32_unsuffixed).map(|seconds| quote!(.within(#seconds)));
    let grace = grace.map(Literal::u32_unsuffixed).map(|seconds| quote!(.grace(#seconds)));
    let realm = realm.as_ref().map(|realm| quote!(.realm(#realm)));
    quote!(::auth_core::__private::LogInRequirement::#mechanisms #within #grace #realm)
}

fn check(Check { attribute, quantifier, names: written }: &Check, handler: &Handler) -> TokenStream {
    let names = names(attribute.noun(), written, handler);
    let attribute = Ident::new(attribute.variant(), Span::call_site());
    let quantifier = Ident::new(quantifier.variant(), Span::call_site());
    quote! {
        ::auth_core::__private::SubjectCheck {
            attribute: ::auth_core::__private::SubjectAttribute::#attribute,
            quantifier: ::auth_core::__private::Quantifier::#quantifier,
            names: #names,
        }
    }
}

/// The names as one list. The constant at a path is checked when the compiler evaluates it.
fn names(noun: Noun, names: &[Name], handler: &Handler) -> TokenStream {
    let each = names.iter().map(|name| match name {
        Name::Literal(literal) => quote!(#literal),
        Name::Path(path) => {
            let checked = match noun {
                Noun::Role => quote!(::auth_core::__private::role(#path)),
                Noun::Permission => quote!(::auth_core::__private::permission(#path)),
                // The running application knows its mechanisms.
                Noun::Mechanism => quote!(#path),
            };
            constant(&noun.word().to_uppercase(), &quote!(&::core::primitive::str), &checked, handler)
        }
    });
    quote!(&[#(#each),*])
}

/// A value that is computed when the code is compiled, and so checked.
fn constant(name: &str, ty: &TokenStream, value: &TokenStream, handler: &Handler) -> TokenStream {
    if is_generic(value.clone(), handler) {
        return quote!(const { #value });
    }
    let name = format_ident!("__AUTH_{name}");
    quote!({
        const #name: #ty = #value;
        #name
    })
}

/// The place of the user's tokens, for generated ones: rustc reports a missing trait there, and once, instead of at the
/// attribute.
fn at(written: Span) -> Span {
    Span::mixed_site().located_at(written)
}

/// The handler's arguments as one tuple type.
fn arguments(handler: &Handler) -> TokenStream {
    let types = handler.arguments().map(|argument| &argument.ty);
    quote!((#(#types,)*))
}

fn with_argument(mut signature: Signature, pattern: TokenStream, ty: TokenStream) -> Signature {
    signature.inputs.clear();
    signature.inputs.push(FnArg::Typed(PatType {
        attrs: Vec::new(),
        pat: Box::new(Pat::Verbatim(pattern)),
        colon_token: Token![:](Span::call_site()),
        ty: Box::new(Type::Verbatim(ty)),
    }));
    signature
}

/// The `#[cfg]`s of the handler, under which its guard exists too.
fn cfgs(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

/// The visibility as a generated token: lints about visibility concern the handler.
fn generated(visibility: &Visibility) -> Visibility {
    match visibility {
        Visibility::Public(_) => Visibility::Public(Token![pub](Span::call_site())),
        other => other.clone(),
    }
}

/// Bindings that no item of the user's module has: a constant or unit struct of the same name would
/// turn the binding into a pattern.
struct Bindings {
    request: Ident,
    payload: Ident,
    caller: Ident,
}

impl Bindings {
    fn new() -> Self {
        let name = |name| Ident::new(name, Span::mixed_site());
        Self {
            request: name("__auth_request"),
            payload: name("__auth_payload"),
            caller: name("__auth_caller"),
        }
    }
}

fn local(index: usize) -> Ident {
    format_ident!("__auth_argument_{index}", span = Span::mixed_site())
}

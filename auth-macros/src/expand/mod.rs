//! Writes a guard down. Nothing is decided here and nothing can fail: each check, each context and
//! the other arguments become one call of `auth_core` each.

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

/// The handler where its attributes hold errors: rewritten in the same way, behind a guard that asks
/// nothing of the arguments' types, so that the errors which are reported are those of the user.
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
    // The guard is a type, and none can stand in an `impl`.
    let is_free = handler.own_type.is_none();
    is_free
        && handler.signature.inputs.iter().all(|input| match input {
            FnArg::Typed(argument) => {
                argument.attrs.is_empty() && impl_trait(argument.ty.to_token_stream()).is_none()
            }
            FnArg::Receiver(_) => false,
        })
}

/// The handler as it was, entered among those that may be registered on a protected scope.
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

/// Whether a guard does nothing but what all do: its contexts are named by the request.
fn is_named(guard: &Guard) -> bool {
    matches!(guard.caller, Caller::Authenticated(_))
        && guard.contexts.iter().all(|asked| asked.source.is_named())
}

/// What is written of a guard.
struct Implementation {
    /// The trait of `auth_core`.
    of: TokenStream,
    items: TokenStream,
    /// The types of the contexts that are only checked, if the items name them.
    checked: Option<TokenStream>,
}

impl Implementation {
    /// As many arguments as `auth_core` makes a tuple of.
    const MOST: usize = 12;

    /// Types alone: the code is that of `auth_core`. Nothing where that would load the contexts in another order than the
    /// attributes have.
    fn declared(handler: &Handler, guard: &Guard) -> Option<Self> {
        if !is_named(guard) || handler.arguments().count() > Self::MOST {
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

/// The rewritten handler, its guard, and what the guard implements. The guard is what a route attribute makes of the
/// handler, so that a protected scope knows it; where that is none, or has a guard already, a type of its own.
fn assemble(
    place: Place,
    described: &TokenStream,
    on_denied: Option<&TokenStream>,
    Implementation { of, items, checked }: Implementation,
) -> TokenStream {
    let Place { handler, name, routed, .. } = place;
    let patterns: Vec<Pat> = handler.arguments().map(|argument| (*argument.pat).clone()).collect();
    let GuardGenerics { declaration, fields, usage } = GuardGenerics::of(&handler);
    // As an argument of the trait, a type may be private where the guard is not. What a route attribute makes is seen by all,
    // whatever the handler is: so has it actix-web's feature `compat-routing-macros-force-pub`, which is on by default.
    let arguments = arguments(&handler);
    let Handler { attributes, visibility, signature, body, .. } = handler;
    let cfgs: Vec<&Attribute> = cfgs(&attributes).collect();
    let is_made = name == signature.ident;
    // A route attribute moves the handler into a function of this module: nothing else sees a type of its own.
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
    // By field number: the constructor is private, so that nobody admits himself.
    let pattern = quote!(::auth_core::__private::Admitted { 0: (#(#patterns,)*), .. });
    let ty = quote!(::auth_core::__private::Admitted<#name #usage, #arguments #checked>);
    let signature = with_argument(signature, pattern, ty);
    quote! {
        #(#attributes)*
        #visibility #signature #body
        #guard
    }
}

/// What renders the handler's denials. The outermost guard answers for all that are on the handler.
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
    // First what the request names, then what is made of that, then what waits for other arguments.
    let asked_for = |late: bool, made: bool| {
        let asked = guard.contexts.iter().enumerate();
        asked.filter(move |(_, asked)| asked.late == late && asked.source.arguments().is_empty() != made)
    };
    let context = |(index, asked)| contexts::context(asked, index, caller, handler);
    let (named, made) = (asked_for(false, false).map(context), asked_for(false, true).map(context));
    // What a context is made of is extracted before it, one after the other, and all else behind the last context: a body
    // that no context needs is not read before the decision.
    let mut rest: Vec<(usize, &PatType)> = others(handler, guard).collect();
    let mut late = TokenStream::new();
    for (index, asked) in asked_for(true, true) {
        let needed = asked.source.arguments();
        for (argument, PatType { ty, .. }) in rest.extract_if(.., |(other, _)| needed.contains(other)) {
            let local = local(argument);
            late.extend(quote_spanned! {at(ty.span())=>
                let #local = ::auth_core::__private::extract::<#ty>(#request, #payload).await?;
            });
        }
        late.extend(context((index, asked)));
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
        #(#named)*
        #(#made)*
        #late
        #extract
        ::core::result::Result::Ok((#(#locals,)*))
    }
}

/// The arguments that no context is, with their place among all.
fn others<'a>(handler: &'a Handler, guard: &'a Guard) -> impl Iterator<Item = (usize, &'a PatType)> {
    let loaded = |index: usize| guard.contexts.iter().any(|context| context.argument == Some(index));
    handler.arguments().enumerate().filter(move |(index, _)| !loaded(*index))
}

/// Where what is wrong with one type of these is reported: at that type, else at the list of arguments.
fn place_of(types: &[&Type], handler: &Handler) -> Span {
    at(match types {
        [only] => only.span(),
        _ => handler.signature.paren_token.span.join(),
    })
}

/// Whether tokens name a generic parameter of the handler. Then they cannot stand in an item, and are checked
/// in place: when code is made of the handler. All else is checked as an item, which the compiler evaluates
/// in any case.
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

fn accepted(
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

/// The names as one list. What a path stands for is checked when it is evaluated.
fn names(noun: Noun, names: &[Name], handler: &Handler) -> TokenStream {
    let each = names.iter().map(|name| match name {
        Name::Literal(literal) => quote!(#literal),
        Name::Path(path) => {
            let checked = match noun {
                Noun::Role => quote!(::auth_core::__private::role(#path)),
                Noun::Permission => quote!(::auth_core::__private::permission(#path)),
                // The application that is running says which there are.
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

/// The place of something that the user wrote, for generated tokens: where a trait is missing, rustc
/// reports it there, and once, instead of at the attribute.
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

/// The same visibility as one that the user did not write: lints about it are about the handler.
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

//! Writes a guard down. Nothing is decided here and nothing can fail: each check, each context and
//! the other arguments become one call of `auth_core` each.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, GenericParam, Pat, PatType, Signature, Token, Type, Visibility};

use crate::handler::Handler;
use crate::model::{Context, Guard, Permission, Place, Role, RolesOf};
use crate::validate::impl_trait;

/// The handler with its guard.
pub(crate) fn guard(place: Place, guard: &Guard) -> TokenStream {
    let body = admit(&place.handler, guard);
    assemble(place, &body)
}

/// The handler where its attributes hold errors: rewritten in the same way, behind a guard that asks
/// nothing of the arguments' types, so that the errors which are reported are those of the user.
pub(crate) fn refusal(mut place: Place) -> TokenStream {
    place.handler.signature.asyncness = Some(Token![async](Span::call_site()));
    assemble(place, &quote!(::core::unimplemented!()))
}

/// Whether [`refusal`] can write down this handler's arguments.
pub(crate) fn can_refuse(handler: &Handler) -> bool {
    handler.signature.inputs.iter().all(|input| match input {
        FnArg::Typed(argument) => {
            argument.attrs.is_empty() && impl_trait(argument.ty.to_token_stream()).is_none()
        }
        FnArg::Receiver(_) => false,
    })
}

/// The handler as it was, entered among those that may be registered on a protected scope.
pub(crate) fn open(place: &Place) -> TokenStream {
    let Handler { attributes, visibility, signature, body } = &place.handler;
    let entry = entry(place);
    quote! {
        #(#attributes)*
        #visibility #signature #body
        #entry
    }
}

/// The rewritten handler, its guard, and the guard's implementation with `body`.
fn assemble(place: Place, body: &TokenStream) -> TokenStream {
    let entry = entry(&place);
    let generics = GuardGenerics::of(&place);
    let Place { handler, name, routed, .. } = place;
    let Names { request, payload, .. } = Names::new();
    let arguments = arguments(&handler);
    let patterns = handler.arguments().map(|argument| &argument.pat);
    // By field number: the constructor is private, so that nobody admits himself.
    let pattern = quote!(::auth_core::__private::Admitted { 0: (#(#patterns,)*), .. });
    let usage = &generics.usage;
    let ty = quote!(::auth_core::__private::Admitted<#name #usage>);
    let cfgs: Vec<&Attribute> = cfgs(&handler).collect();
    // A route attribute moves the handler into a function of this module: nothing else sees it.
    let visibility = (!routed).then(|| generated(&handler.visibility));
    let (declaration, fields) = (&generics.declaration, &generics.fields);
    let (parameters, _, bounds) = handler.signature.generics.split_for_impl();
    let guard = quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "named after the handler")]
        #visibility struct #name #declaration #fields;

        #(#cfgs)*
        #[automatically_derived]
        impl #parameters ::auth_core::__private::Guard for #name #usage #bounds {
            type Arguments = #arguments;

            async fn admit(
                #request: &::auth_core::__private::HttpRequest,
                #payload: &mut ::auth_core::__private::Payload,
            ) -> ::core::result::Result<Self::Arguments, ::auth_core::__private::Error> {
                #body
            }
        }
    };
    let Handler { attributes, visibility, signature, body } = handler;
    let signature = with_argument(signature, pattern, ty);
    quote! {
        #(#attributes)*
        #visibility #signature #body
        #guard
        #entry
    }
}

/// The guard's own function: one call for each thing it does.
fn admit(handler: &Handler, guard: &Guard) -> TokenStream {
    let Names { request, payload, caller } = &Names::new();
    let checks = guard.checks.iter().map(|check| roles(check, caller, handler));
    let proofs = guard.contexts.iter().filter_map(|asked| proof(asked, handler));
    let contexts = guard.contexts.iter().map(|asked| context(asked, caller));
    let loaded = |index: usize| guard.contexts.iter().any(|context| context.argument == Some(index));
    let (others, types): (Vec<Ident>, Vec<&Type>) = handler
        .arguments()
        .enumerate()
        .filter(|(index, _)| !loaded(*index))
        .map(|(index, argument)| (local(index), &*argument.ty))
        .unzip();
    let extract = (!others.is_empty()).then(|| {
        // What is wrong with one type is reported at that type, else at the list of arguments.
        let span = at(match types.as_slice() {
            [only] => only.span(),
            _ => handler.signature.paren_token.span.join(),
        });
        quote_spanned! {span=>
            let (#(#others,)*) =
                ::auth_core::__private::extract::<(#(#types,)*)>(#request, #payload).await?;
        }
    });
    let locals = (0..handler.arguments().count()).map(local);
    quote! {
        let #caller = ::auth_core::__private::authenticate(#request).await?;
        #(#checks)*
        #(#proofs)*
        #(#contexts)*
        #extract
        ::core::result::Result::Ok((#(#locals,)*))
    }
}

/// Whether tokens name a generic parameter of the handler. Then they cannot stand in an item, and are checked in place: when
/// code is made of the handler. All else is checked as an item, which the compiler evaluates in any case.
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

fn roles(RolesOf { check, roles }: &RolesOf, caller: &Ident, handler: &Handler) -> TokenStream {
    let method = Ident::new(check.name(), Span::call_site());
    let roles = roles.iter().map(|role| match role {
        Role::Literal(literal) => quote!(#literal),
        Role::Path(path) => {
            let checked = quote!(::auth_core::__private::role(#path));
            if is_generic(path.to_token_stream(), handler) {
                quote!(const { #checked })
            } else {
                quote!({
                    const __AUTH_ROLE: &::core::primitive::str = #checked;
                    __AUTH_ROLE
                })
            }
        }
    });
    quote!(#caller.#method(&[#(#roles),*])?;)
}

/// That an argument which proves a permission proves one that was asked for.
fn proof(asked: &Context, handler: &Handler) -> Option<TokenStream> {
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

fn context(asked: &Context, caller: &Ident) -> TokenStream {
    let Context { ty, ids, .. } = asked;
    let permissions = permissions(asked);
    let local = asked.argument.map_or_else(|| quote!(_), |index| local(index).into_token_stream());
    let span = at(ty.span());
    let mut caller = caller.clone();
    caller.set_span(span);
    quote_spanned!(span=> let #local = #caller.context::<#ty>(&[#(#ids),*], #permissions).await?;)
}

/// The place of something that the user wrote, for generated tokens: where a trait is missing, rustc
/// reports it there, and once, instead of at the attribute.
fn at(written: Span) -> Span {
    Span::mixed_site().located_at(written)
}

fn permissions(asked: &Context) -> TokenStream {
    let permissions = asked.permissions.iter().map(|permission| match permission {
        Permission::Known(known) => {
            let constant = Ident::new(known.constant(), Span::call_site());
            quote!(::auth_core::Permission::#constant)
        }
        Permission::Path(path) => quote!(const { #path }),
    });
    quote!(&[#(#permissions),*])
}

/// The handler's arguments as one tuple type.
fn arguments(handler: &Handler) -> TokenStream {
    let types = handler.arguments().map(|argument| &argument.ty);
    quote!((#(#types,)*))
}

/// What makes a routed handler one that a protected scope takes. The first guard has entered it.
fn entry(place: &Place) -> Option<TokenStream> {
    (place.routed && !place.wrapped).then(|| {
        let handler = &place.handler.signature.ident;
        let cfgs = cfgs(&place.handler);
        quote! {
            #(#cfgs)*
            impl ::auth_core::Guarded for #handler {}
        }
    })
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
fn cfgs(handler: &Handler) -> impl Iterator<Item = &Attribute> {
    handler.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

/// The same visibility as one that the user did not write: lints about it are about the handler.
fn generated(visibility: &Visibility) -> Visibility {
    match visibility {
        Visibility::Public(_) => Visibility::Public(Token![pub](Span::call_site())),
        other => other.clone(),
    }
}

/// Names that no item of the user's module has: a constant or unit struct of the same name would
/// turn the binding into a pattern.
struct Names {
    request: Ident,
    payload: Ident,
    caller: Ident,
}

impl Names {
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

/// The generic parameters of a guard: those of its handler, without bounds and defaults.
struct GuardGenerics {
    declaration: Option<TokenStream>,
    fields: Option<TokenStream>,
    usage: Option<TokenStream>,
}

impl GuardGenerics {
    fn of(place: &Place) -> Self {
        let Place { handler, .. } = place;
        let mut lifetimes = Parameters::default();
        let mut others = Parameters::default();
        // A public guard may not name private types in its implementation unless it has them as
        // arguments. The handler itself may take private types, so its guard has them as well.
        if !place.routed && !matches!(handler.visibility, Visibility::Inherited) {
            let name = Ident::new("__AuthArguments", Span::mixed_site());
            others.add(quote!(#name), arguments(handler), Some(quote!(#name)));
        }
        for parameter in &handler.signature.generics.params {
            match parameter {
                GenericParam::Lifetime(parameter) => {
                    let name = &parameter.lifetime;
                    lifetimes.add(quote!(#name), quote!(#name), Some(quote!(&#name ())));
                }
                GenericParam::Type(parameter) => {
                    let name = &parameter.ident;
                    others.add(quote!(#name), quote!(#name), Some(quote!(#name)));
                }
                GenericParam::Const(parameter) => {
                    let (name, ty) = (&parameter.ident, &parameter.ty);
                    others.add(quote!(const #name: #ty), quote!(#name), None);
                }
            }
        }
        let list = |first: Vec<TokenStream>, then: Vec<TokenStream>| {
            let all: Vec<TokenStream> = first.into_iter().chain(then).collect();
            (!all.is_empty()).then_some(all)
        };
        let phantoms = list(lifetimes.phantoms, others.phantoms);
        Self {
            declaration: list(lifetimes.declared, others.declared).map(|all| quote!(<#(#all),*>)),
            fields: phantoms.map(|all| quote!((::core::marker::PhantomData<fn() -> (#(#all,)*)>))),
            usage: list(lifetimes.used, others.used).map(|all| quote!(<#(#all),*>)),
        }
    }
}

#[derive(Default)]
struct Parameters {
    declared: Vec<TokenStream>,
    used: Vec<TokenStream>,
    phantoms: Vec<TokenStream>,
}

impl Parameters {
    fn add(&mut self, declared: TokenStream, used: TokenStream, phantom: Option<TokenStream>) {
        self.declared.push(declared);
        self.used.push(used);
        self.phantoms.extend(phantom);
    }
}

//! The function below an attribute, parsed as far as a guard needs it. The body stays unparsed tokens.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, FnArg, GenericArgument, Pat, PatType, PathArguments, Signature, Token, Type, Visibility, token,
};

use crate::types::path_of;

pub(crate) struct Handler {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
    /// The place of `Self`, which a free function does not have.
    pub(crate) own_type: Option<Span>,
}

/// Any item: its attributes, and everything after them.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) rest: TokenStream,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { attributes: Attribute::parse_outer(input)?, rest: input.parse()? })
    }
}

/// A handler without its attributes, which are parsed before.
impl Parse for Handler {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let visibility = input.parse()?;
        if !starts_function(input) {
            return Err(input.error("expected an `async fn`: a guard goes on a handler"));
        }
        let signature = input.parse()?;
        if input.is_empty() || input.peek(Token![;]) {
            return Err(input.error("expected the body of the handler"));
        }
        Ok(Self { attributes: Vec::new(), visibility, signature, body: input.parse()?, own_type: None })
    }
}

fn starts_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe]) && !input.peek2(token::Brace) && !input.peek2(Token![impl])
        || input.peek(Token![const]) && (input.peek2(Token![fn]) || input.peek2(Token![async]))
        || input.peek(Token![extern]) && !input.peek2(Token![crate]) && !input.peek2(token::Brace)
}

impl Handler {
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &PatType> {
        self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
    }

    /// Sets the place where the function names `Self`, the type of its `impl`. `item` is the whole function.
    pub(crate) fn find_own_type(&mut self, item: &TokenStream) {
        // A look at the text costs less than one at each token of each handler.
        if !item.to_string().contains("Self") {
            return;
        }
        let of_body = || if has_types(self.body.clone()) { None } else { own_type(self.body.clone()) };
        self.own_type = own_type(self.signature.to_token_stream()).or_else(of_body);
    }

    pub(crate) fn is_generic(&self) -> bool {
        !self.signature.generics.params.is_empty()
    }

    /// The guard that one of our attributes has already put on this function.
    pub(crate) fn guard(&self) -> Option<&Ident> {
        let mut arguments = self.signature.inputs.iter();
        let (Some(FnArg::Typed(only)), None) = (arguments.next(), arguments.next()) else {
            return None;
        };
        let admitted = path_of(&only.ty)?.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &admitted.arguments else {
            return None;
        };
        let mut arguments = arguments.args.iter();
        let Some(GenericArgument::Type(guard)) = arguments.next() else {
            return None;
        };
        // The types of the arguments follow, and those of the contexts that are checked but not handed over.
        let are_tuples = arguments.all(|argument| matches!(argument, GenericArgument::Type(Type::Tuple(_))));
        let name = &path_of(guard)?.segments.last()?.ident;
        let text = name.to_string();
        let is_ours = *name == self.signature.ident || text.starts_with("__") && text.contains("_guard");
        (admitted.ident == "Admitted" && are_tuples && is_ours).then_some(name)
    }

    /// The name of the next guard on this function. The first is the struct that a route attribute makes of the handler, if
    /// there is one. Others are named after the handler, and counted, since an attribute under an alias is not merged and
    /// wraps the function once more.
    pub(crate) fn next_guard(&self, routed: bool) -> Ident {
        let first = format_ident!("__{}_guard", self.signature.ident.unraw());
        let Some(present) = self.guard().map(Ident::to_string) else {
            // The struct that a route attribute makes has no parameters.
            return if routed && !self.is_generic() { self.signature.ident.clone() } else { first };
        };
        let base = first.to_string();
        let count = match present.strip_prefix(&base) {
            Some("") => 1,
            Some(counted) => {
                counted.strip_prefix('_').and_then(|count| count.parse::<u32>().ok()).unwrap_or(0)
            }
            None => 0,
        };
        if count == 0 { first } else { format_ident!("{base}_{}", count.saturating_add(1)) }
    }
}

/// The name of an argument for `ctx_arg`: that of `sensor`, `mut sensor`, `sensor @ …` and
/// `web::Path(sensor)`.
pub(crate) fn argument_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(binding) => Some(&binding.ident),
        Pat::TupleStruct(wrapper) => {
            let mut fields = wrapper.elems.iter();
            match (fields.next(), fields.next()) {
                (Some(Pat::Ident(binding)), None) => Some(&binding.ident),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The place of `Self`, but in the arguments of a macro, whose expansion is unknown.
fn own_type(tokens: TokenStream) -> Option<Span> {
    let mut of_macro = false;
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => Some(ident.span()),
        TokenTree::Group(group) if !std::mem::take(&mut of_macro) => own_type(group.stream()),
        token => {
            of_macro = matches!(token, TokenTree::Punct(mark) if mark.as_char() == '!');
            None
        }
    })
}

/// Whether the tokens declare types, in which `Self` is another.
fn has_types(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            ["impl", "trait", "struct", "enum", "union"].iter().any(|word| ident == word)
        }
        TokenTree::Group(group) => has_types(group.stream()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn names_arguments() {
        let handler: Handler = parse_quote! {
            async fn f(a: A, mut b: B, c @ C { .. }: C, web::Path(d): web::Path<i32>,
                web::Path((e, f)): web::Path<(i32, i32)>, _: G, H { h, .. }: H) {}
        };
        let names: Vec<String> = handler
            .arguments()
            .filter_map(|argument| argument_name(&argument.pat))
            .map(Ident::to_string)
            .collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn counts_the_guards_on_a_function() {
        let next = |handler: Handler| handler.next_guard(false).to_string();
        assert_eq!(
            next(parse_quote!(
                async fn view(a: A) {}
            )),
            "__view_guard"
        );
        assert_eq!(
            next(parse_quote!(
                async fn r#type() {}
            )),
            "__type_guard"
        );
        assert_eq!(
            next(parse_quote!(
                async fn view(Admitted(..): a::Admitted<__view_guard>) {}
            )),
            "__view_guard_2"
        );
        assert_eq!(
            next(parse_quote!(
                async fn view(Admitted(..): Admitted<__view_guard_2<T>>) {}
            )),
            "__view_guard_3"
        );
        assert_eq!(
            next(parse_quote!(
                async fn view(Admitted(..): Admitted<__renamed_guard>) {}
            )),
            "__view_guard"
        );
        assert_eq!(
            next(parse_quote!(
                async fn view(Admitted(..): Admitted<__view_guard, ((A,), ())>) {}
            )),
            "__view_guard_2"
        );
    }

    #[test]
    fn a_routed_handler_is_its_own_guard() {
        let next = |handler: Handler| handler.next_guard(true).to_string();
        assert_eq!(
            next(parse_quote!(
                async fn view(a: A) {}
            )),
            "view"
        );
        assert_eq!(
            next(parse_quote!(
                async fn view(Admitted(..): a::Admitted<view>) {}
            )),
            "__view_guard"
        );
        // The struct that a route attribute makes has no parameters.
        assert_eq!(
            next(parse_quote!(
                async fn view<T>(a: T) {}
            )),
            "__view_guard"
        );
    }

    #[test]
    fn tells_a_rewritten_signature_from_others() {
        let others: [Handler; 6] = [
            parse_quote!(
                async fn f() {}
            ),
            parse_quote!(
                async fn f(a: Admitted) {}
            ),
            parse_quote!(
                async fn f(a: Admitted<Sensor>) {}
            ),
            parse_quote!(
                async fn f(a: Admitted<__f_guard, T>) {}
            ),
            parse_quote!(
                async fn f(a: Admitted<__f_guard>, b: B) {}
            ),
            parse_quote!(
                async fn f(a: Other<__f_guard>) {}
            ),
        ];
        for handler in others {
            assert!(handler.guard().is_none());
        }
    }
}

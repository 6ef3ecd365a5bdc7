//! The path of the runtime. Generated code says `::auth_core`; an application that has it under another name, or through a
//! crate that re-exports it, gives the path: `crate = authz` in an attribute, `#[auth(crate = authz)]` for a derive.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{LitStr, Path, Token};

use crate::errors::Errors;

/// The path that the attributes of one item give.
pub(crate) struct Runtime {
    path: Option<Path>,
}

impl Runtime {
    pub(crate) fn unnamed() -> Self {
        Self { path: None }
    }

    /// Takes `crate = path` out of the arguments of an attribute.
    pub(crate) fn take(&mut self, args: TokenStream, errors: &mut Errors) -> TokenStream {
        // A look at the text costs less than one at each token of each attribute.
        if !args.to_string().contains("crate") {
            return args;
        }
        let mut rest = TokenStream::new();
        let mut is_given = false;
        for argument in arguments(args) {
            if !names_runtime(&argument) {
                rest.extend(argument);
                continue;
            }
            let parse = |input: ParseStream<'_>| {
                let key = input.call(Ident::parse_any)?;
                let path = path(input)?;
                let _: Option<Token![,]> = input.parse()?;
                Ok((key.span(), path))
            };
            let Some((key, path)) = errors.keep(parse.parse2(argument)) else { continue };
            if std::mem::replace(&mut is_given, true) {
                errors.push(key, "`crate` is given twice; remove one");
            } else if self.path.as_ref().is_some_and(|other| written(other) != written(&path)) {
                errors.push_spanned(
                    path,
                    "another attribute of this handler names another path; name one in both",
                );
            } else {
                self.path = Some(path);
            }
        }
        rest
    }

    /// Takes the value of the key in `#[auth(crate = path)]`.
    pub(crate) fn take_value(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let path = path(input)?;
        if self.path.replace(path).is_some() {
            return Err(syn::Error::new(key.span(), "`crate` is given twice; remove one"));
        }
        Ok(())
    }

    /// The generated code, with the path in the place of `::auth_core`.
    pub(crate) fn put_into(&self, output: TokenStream) -> TokenStream {
        match &self.path {
            Some(path) => replaced(output, &path.to_token_stream()),
            None => output,
        }
    }
}

/// `= path`
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    const FORM: &str = "`crate` is the path of auth-core, without quotes: `crate = authz`";

    let given = input.parse::<Option<Token![=]>>()?.is_some();
    if !given || input.peek(LitStr) {
        return Err(syn::Error::new(input.span(), FORM));
    }
    input.call(Path::parse_mod_style).map_err(|error| syn::Error::new(error.span(), FORM))
}

fn written(path: &Path) -> String {
    path.to_token_stream().to_string()
}

/// The arguments, each with the comma behind it. Inside angle brackets, `crate =` begins no argument.
fn arguments(args: TokenStream) -> Vec<TokenStream> {
    let mut arguments = vec![TokenStream::new()];
    for token in args {
        let ends = matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',');
        if let Some(last) = arguments.last_mut() {
            last.extend([token]);
        }
        if ends {
            arguments.push(TokenStream::new());
        }
    }
    arguments
}

fn names_runtime(argument: &TokenStream) -> bool {
    let mut tokens = argument.clone().into_iter();
    let is_key = matches!(tokens.next(), Some(TokenTree::Ident(key)) if key == "crate");
    let is_path = matches!(tokens.next(), Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    is_key && !is_path
}

/// Every `::auth_core` that begins a path, replaced.
fn replaced(tokens: TokenStream, path: &TokenStream) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut inside = proc_macro2::Group::new(group.delimiter(), replaced(group.stream(), path));
                inside.set_span(group.span());
                output.push(inside.into());
            }
            TokenTree::Ident(name) if name == "auth_core" && is_first(&output) && !is_of_user(&name) => {
                output.truncate(output.len().saturating_sub(2));
                output.extend(path.clone().into_iter().map(|token| at(token, name.span())));
            }
            token => output.push(token),
        }
    }
    output.into_iter().collect()
}

/// Whether the user wrote the name, for another crate of this name. At the span of a generated name, the source has other
/// text.
fn is_of_user(name: &Ident) -> bool {
    name.span().source_text().is_some_and(|text| text == "auth_core")
}

/// Whether the next token begins a path; an absolute one begins with `::`.
fn is_first(before: &[TokenTree]) -> bool {
    let [rest @ .., TokenTree::Punct(first), TokenTree::Punct(second)] = before else { return false };
    let is_separator = first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':';
    let goes_on = match rest.last() {
        // Behind a keyword a path begins, behind a name it goes on.
        Some(TokenTree::Ident(name)) => {
            syn::parse2::<Ident>(name.to_token_stream()).is_ok()
                || ["self", "Self", "super", "crate"].iter().any(|word| name == word)
        }
        _ => false,
    };
    is_separator && !goes_on
}

/// The token at the place of another, so that the compiler reports errors there.
fn at(mut token: TokenTree, place: Span) -> TokenTree {
    token.set_span(token.span().located_at(place));
    token
}

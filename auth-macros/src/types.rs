//! Reads types as they are written. A macro knows no more of a type: it cannot see through an alias.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::{GenericArgument, Path, PathArguments, Type};

/// The type of the context that an argument of this type holds: `T` for `Authorized<T, P>` and `Visible<T, P>`.
pub(crate) fn context_type(ty: &Type) -> &Type {
    let ty = wrapped_type(ty, "Authorized").unwrap_or(ty);
    wrapped_type(ty, "Visible").unwrap_or(ty)
}

/// `T`, if the type is `Wrapper<T, …>`.
fn wrapped_type<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let last = path_of(ty)?.segments.last().filter(|last| last.ident == wrapper)?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(context)) => Some(context),
            _ => None,
        },
        _ => None,
    }
}

/// `T`, if the type is `Vec<T>`.
pub(crate) fn element_type(ty: &Type) -> Option<&Type> {
    let list = path_of(ty)?.segments.last().filter(|last| last.ident == "Vec")?;
    only_type_argument(&list.arguments)
}

/// The name of a type in snake case; `APIKey` is `api_key`.
pub(crate) fn snake_case_name(ty: &Type) -> Option<String> {
    let name = path_of(ty)?.segments.last()?.ident.unraw().to_string();
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_uppercase() {
            let begins_word = match (before, characters.peek()) {
                (None | Some('_'), _) => false,
                (Some(before), Some(after)) if char::is_uppercase(before) => after.is_lowercase(),
                (Some(before), None) => !before.is_uppercase(),
                _ => true,
            };
            if begins_word {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        } else {
            snake.push(character);
        }
        before = Some(character);
    }
    Some(snake)
}

/// Where `impl Trait` stands in a type.
pub(crate) fn impl_trait(ty: TokenStream) -> Option<Span> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "impl" => Some(ident.span()),
        TokenTree::Group(group) => impl_trait(group.stream()),
        _ => None,
    })
}

fn only_type_argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(only)), None) => Some(only),
        _ => None,
    }
}

/// Looks through the invisible groups that a type from a `macro_rules!` macro stands in.
pub(crate) fn path_of(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(ty) => Some(&ty.path),
        Type::Group(group) => path_of(&group.elem),
        Type::Paren(parentheses) => path_of(&parentheses.elem),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn names_types_in_snake_case() {
        let cases: [(Type, &str); 8] = [
            (parse_quote!(Sensor), "sensor"),
            (parse_quote!(model::AssetType<T>), "asset_type"),
            (parse_quote!(APIKey), "api_key"),
            (parse_quote!(KeyOfAPI), "key_of_api"),
            (parse_quote!(R2D2), "r2_d2"),
            (parse_quote!(r#Type), "type"),
            (parse_quote!(lower), "lower"),
            (parse_quote!(Under_Score), "under_score"),
        ];
        for (ty, expected) in cases {
            assert_eq!(snake_case_name(&ty).as_deref(), Some(expected));
        }
        assert_eq!(snake_case_name(&parse_quote!((A, B))), None);
    }

    #[test]
    fn looks_into_a_proof() {
        let proof: Type = parse_quote!(auth_core::Authorized<model::Sensor, Read>);
        assert_eq!(snake_case_name(context_type(&proof)).as_deref(), Some("sensor"));
        let visible: Type = parse_quote!(Authorized<auth_core::Visible<model::Sensor, (Update,)>, Read>);
        assert_eq!(snake_case_name(context_type(&visible)).as_deref(), Some("sensor"));
    }
}

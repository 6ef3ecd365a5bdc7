//! The name under which serde serializes a field, as its derive reads it.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Attribute, LitStr, Token, parenthesized};

use super::items::items;

/// How a field is serialized.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Serialized {
    As(String),
    /// Its own fields stand in its place.
    Flattened,
    Skipped,
}

/// The case of a struct's fields: `#[serde(rename_all = "…")]`.
pub(super) fn case_of(attributes: &[Attribute], row: &Ident) -> Option<String> {
    let mut case = None;
    each(attributes, row, |key, input| {
        if key == "rename_all" {
            case = renamed(input)?.or_else(|| case.take());
        }
        Ok(())
    });
    case
}

/// How a field is serialized, in a struct with this case. What serde cannot read, its own derive reports.
pub(super) fn serialized(
    field: &Ident,
    attributes: &[Attribute],
    case: Option<&str>,
    row: &Ident,
) -> Serialized {
    let (mut name, mut other) = (None, None);
    each(attributes, row, |key, input| {
        match key.to_string().as_str() {
            "rename" => name = renamed(input)?.or_else(|| name.take()),
            "flatten" => other = Some(Serialized::Flattened),
            "skip" | "skip_serializing" => other = Some(Serialized::Skipped),
            _ => {}
        }
        Ok(())
    });
    let field = field.unraw().to_string();
    let name = name.unwrap_or_else(|| match case {
        Some(case) => in_case(&field, case),
        None => field,
    });
    other.unwrap_or(Serialized::As(name))
}

fn each(
    attributes: &[Attribute],
    row: &Ident,
    mut item: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // serde's derive reports what is wrong.
        let _ = items(attribute, row, &mut item);
    }
}

/// `= "name"`, or the name in `(serialize = "name", deserialize = "…")`.
fn renamed(input: ParseStream<'_>) -> syn::Result<Option<String>> {
    if input.peek(Token![=]) {
        let _: Token![=] = input.parse()?;
        return Ok(Some(input.parse::<LitStr>()?.value()));
    }
    let content;
    parenthesized!(content in input);
    let mut name = None;
    while !content.is_empty() {
        let key = content.call(Ident::parse_any)?;
        let _: Token![=] = content.parse()?;
        let value: LitStr = content.parse()?;
        if key == "serialize" {
            name = Some(value.value());
        }
        let _: Option<Token![,]> = content.parse()?;
    }
    Ok(name)
}

/// A field's name in a case, by serde's rules: the name is in snake case.
fn in_case(field: &str, case: &str) -> String {
    let pascal = || -> String { field.split('_').map(capitalized).collect() };
    match case {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            let mut characters = pascal.chars();
            let first = characters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        // `lowercase` and `snake_case` leave it as it is.
        _ => field.to_owned(),
    }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use quote::format_ident;
    use syn::parse_quote;

    use super::*;

    fn of(attributes: &[Attribute], case: Option<&str>) -> Serialized {
        serialized(&format_ident!("contract_value"), attributes, case, &format_ident!("Account"))
    }

    #[test]
    fn a_field_has_the_name_that_serde_gives_it() {
        let as_name = |name: &str| Serialized::As(name.to_owned());
        let cases = [
            (None, "contract_value"),
            (Some("lowercase"), "contract_value"),
            (Some("UPPERCASE"), "CONTRACT_VALUE"),
            (Some("PascalCase"), "ContractValue"),
            (Some("camelCase"), "contractValue"),
            (Some("snake_case"), "contract_value"),
            (Some("SCREAMING_SNAKE_CASE"), "CONTRACT_VALUE"),
            (Some("kebab-case"), "contract-value"),
            (Some("SCREAMING-KEBAB-CASE"), "CONTRACT-VALUE"),
        ];
        for (case, name) in cases {
            assert!(of(&[], case) == as_name(name), "{case:?}");
        }
        let value = as_name("value");
        assert!(of(&[parse_quote!(#[serde(rename = "value")])], Some("camelCase")) == value);
        assert!(
            of(&[parse_quote!(#[serde(default, rename(deserialize = "x", serialize = "value"))])], None)
                == value
        );
        let read = of(&[parse_quote!(#[serde(rename(deserialize = "x"))])], Some("camelCase"));
        assert!(read == as_name("contractValue"));
        assert!(
            of(&[parse_quote!(#[serde(skip_serializing_if = "Option::is_none")])], None)
                == as_name("contract_value")
        );
        assert!(of(&[parse_quote!(#[serde(flatten)])], None) == Serialized::Flattened);
        assert!(of(&[parse_quote!(#[serde(skip)])], None) == Serialized::Skipped);
        assert!(of(&[parse_quote!(#[serde(skip_serializing)])], None) == Serialized::Skipped);
    }
}

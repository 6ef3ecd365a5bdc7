//! The route attributes below ours, and the path parameters that their patterns have.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta};

/// The route attributes on a handler.
pub(crate) struct Route {
    patterns: Vec<Pattern>,
}

/// The methods and the pattern of one route attribute.
pub(crate) struct Pattern {
    pub(crate) methods: Vec<String>,
    pub(crate) text: String,
    parameters: Vec<String>,
}

impl Route {
    /// None where no route attribute is to be seen: the handler is registered in another way, or
    /// the route attribute stands above ours.
    pub(crate) fn of(attributes: &[Attribute]) -> Option<Self> {
        let mut marked = false;
        let mut patterns = Vec::new();
        for attribute in attributes {
            let Some(name) = attribute.path().segments.last() else {
                continue;
            };
            if name.ident == "routes" && matches!(attribute.meta, Meta::Path(_)) {
                marked = true;
            } else if let Some(route) = ROUTE_ATTRIBUTES.iter().find(|route| name.ident == *route) {
                patterns.extend(pattern(route, attribute));
            }
        }
        (marked || !patterns.is_empty()).then_some(Self { patterns })
    }

    /// The routes, one for each route attribute.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The path parameters that all patterns have in common; None without a visible pattern.
    pub(crate) fn parameters(&self) -> Option<Vec<&str>> {
        let (first, others) = self.patterns.split_first()?;
        let parameters = first
            .parameters
            .iter()
            .filter(|name| others.iter().all(|pattern| pattern.parameters.contains(name)))
            .map(String::as_str)
            .collect();
        Some(parameters)
    }

    /// How a message names the route: by its pattern where it has one.
    pub(crate) fn description(&self) -> String {
        match self.patterns.as_slice() {
            [only] => format!("the route `{}`", only.text),
            _ => "every route of this handler".to_owned(),
        }
    }
}

const ROUTE_ATTRIBUTES: [&str; 10] =
    ["get", "post", "put", "delete", "head", "connect", "options", "trace", "patch", "route"];

fn pattern(route: &str, attribute: &Attribute) -> Option<Pattern> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    let first = |input: ParseStream<'_>| {
        let literal: LitStr = input.parse()?;
        let rest: TokenStream = input.parse()?;
        Ok((literal, rest))
    };
    let (text, rest) = first.parse2(list.tokens.clone()).ok()?;
    let text = text.value();
    let methods = if route == "route" { methods(rest) } else { vec![route.to_uppercase()] };
    let parameters = parameters(&text);
    Some(Pattern { methods, text, parameters })
}

/// Those of `#[route("/", method = "GET", method = "HEAD")]`, of which only what follows the pattern is left.
fn methods(arguments: TokenStream) -> Vec<String> {
    let mut tokens = arguments.into_iter().peekable();
    let mut methods = Vec::new();
    while let Some(token) = tokens.next() {
        let is_key = matches!(&token, TokenTree::Ident(key) if key == "method");
        let is_pair = matches!(tokens.peek(), Some(TokenTree::Punct(equals)) if equals.as_char() == '=');
        if is_key && is_pair {
            let value = tokens.nth(1).and_then(|value| syn::parse2::<LitStr>(value.into()).ok());
            methods.extend(value.map(|method| method.value()));
        }
    }
    methods
}

/// The names in `{name}`, `{name:regex}` and `{name}*`. A regex may itself hold braces. What
/// follows an unclosed brace is left out: actix-web refuses such a pattern when it starts.
fn parameters(pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = pattern;
    while let Some((_, opened)) = rest.split_once('{') {
        let Some((inside, after)) = split_at_closing_brace(opened) else {
            break;
        };
        let name = inside.split_once(':').map_or(inside, |(name, _)| name);
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = after;
    }
    names
}

fn split_at_closing_brace(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    for (position, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            let (inside, brace_and_after) = text.split_at_checked(position)?;
            return Some((inside, brace_and_after.strip_prefix('}')?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn finds_the_parameters_of_a_pattern() {
        let cases: [(&str, &[&str]); 11] = [
            ("", &[]),
            ("/sensors", &[]),
            ("/sensors/{sensor_id}", &["sensor_id"]),
            ("/a/{a}/b/{b}", &["a", "b"]),
            ("/{year}-{month}", &["year", "month"]),
            (r"/{id:\d{1,3}}/x/{other}", &["id", "other"]),
            ("/{tail}*", &["tail"]),
            ("/{tail:.*}", &["tail"]),
            ("/{}/{x}", &["x"]),
            ("/{open", &[]),
            ("/}{ü}", &["ü"]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(parameters(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn recognises_route_attributes() {
        let none: [Vec<Attribute>; 4] = [
            vec![],
            vec![parse_quote!(#[get])],
            vec![parse_quote!(#[get(path)])],
            vec![parse_quote!(#[derive("x")])],
        ];
        for attributes in none {
            assert!(Route::of(&attributes).is_none());
        }
        let route = Route::of(&[parse_quote!(#[actix_web::route("/{a}", method = "GET")])]).unwrap();
        assert_eq!(route.parameters().unwrap(), ["a"]);
        assert_eq!(route.patterns()[0].methods, ["GET"]);
    }

    #[test]
    fn finds_the_methods_of_a_route() {
        let cases: [(Attribute, &[&str]); 5] = [
            (parse_quote!(#[delete("/")]), &["DELETE"]),
            (parse_quote!(#[route("/", method = "GET", name = "method", method = "HEAD")]), &["GET", "HEAD"]),
            (parse_quote!(#[route("/", method = "PROPFIND", guard = "method")]), &["PROPFIND"]),
            (parse_quote!(#[route("/", method)]), &[]),
            (parse_quote!(#[route("/")]), &[]),
        ];
        for (attribute, expected) in cases {
            assert_eq!(Route::of(&[attribute]).unwrap().patterns()[0].methods, expected);
        }
    }

    #[test]
    fn several_patterns_have_what_each_has() {
        let route = Route::of(&[
            parse_quote!(#[routes]),
            parse_quote!(#[get("/a/{x}/{y}")]),
            parse_quote!(#[post("/b/{y}/{z}")]),
        ])
        .unwrap();
        assert_eq!(route.parameters().unwrap(), ["y"]);
        assert_eq!(route.description(), "every route of this handler");
    }
}

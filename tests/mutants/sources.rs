//! Where the attributes are: found in the tokens of the sources, so that those in the body of a macro are found as well.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const OURS: [&str; 12] = [
    "auth_required",
    "auth_token_required",
    "http_auth_required",
    "anonymous_user_required",
    "roles_required",
    "roles_accepted",
    "account_roles_required",
    "account_roles_accepted",
    "permissions_required",
    "permissions_accepted",
    "permission_required_for_context",
    "public",
];

const ROUTES: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/// A file of the service.
pub(crate) struct Source {
    /// Below the folder of the sources.
    pub(crate) path: PathBuf,
    /// As `module_path!` writes it.
    pub(crate) module: String,
    pub(crate) text: String,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) invocations: Vec<Invocation>,
}

/// A function with at least one of our attributes.
pub(crate) struct Handler {
    pub(crate) name: String,
    /// Whether it is in the body of a macro, and so in several modules below.
    pub(crate) in_macro: bool,
    pub(crate) attributes: Vec<Attribute>,
    /// The parameters of its path.
    pub(crate) parameters: Vec<String>,
    pub(crate) arguments: Vec<Argument>,
    /// Where its body begins.
    pub(crate) body: usize,
}

pub(crate) struct Attribute {
    pub(crate) name: String,
    /// With `#` and brackets.
    pub(crate) range: Range<usize>,
    pub(crate) items: Vec<Item>,
}

/// The tokens between two commas of an attribute.
pub(crate) struct Item {
    pub(crate) range: Range<usize>,
    pub(crate) key: Option<String>,
    /// Behind the key.
    pub(crate) value: Range<usize>,
}

/// An argument of a handler that is a name and a type.
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    pub(crate) kind: Range<usize>,
}

/// `permissions!(sensor: Sensor, …)`: makes a module with handlers.
pub(crate) struct Invocation {
    pub(crate) module: String,
    pub(crate) context: Range<usize>,
}

impl Source {
    /// All files below this folder but the program itself.
    pub(crate) fn all(folder: &Path) -> Vec<Self> {
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.sort();
        files.iter().map(|file| Self::read(folder, file)).collect()
    }

    fn read(folder: &Path, file: &Path) -> Self {
        let path = file.strip_prefix(folder).unwrap().to_owned();
        let text = fs::read_to_string(file).unwrap();
        let parts = path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let mut parts: Vec<String> = parts;
        if matches!(parts.last().unwrap().as_str(), "mod" | "lib") {
            parts.pop();
        }
        parts.insert(0, "energy_service".to_owned());
        let mut source =
            Self { path, module: parts.join("::"), text, handlers: Vec::new(), invocations: Vec::new() };
        let tokens: TokenStream = source.text.parse().unwrap();
        source.visit(tokens, false);
        source
    }

    pub(crate) fn at(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn visit(&mut self, stream: TokenStream, in_macro: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut next = 0;
        while next < tokens.len() {
            let mut attributes = Vec::new();
            while let Some(attribute) = attribute(&tokens[next..]) {
                attributes.push(attribute);
                next += 2;
            }
            if !attributes.is_empty() {
                let handler = handler(&attributes, &tokens[next..], in_macro);
                self.handlers.extend(handler);
                continue;
            }
            if let TokenTree::Group(group) = &tokens[next] {
                let is_defined = next >= 3 && is_ident(&tokens[next - 3], "macro_rules");
                if next >= 2 && is_ident(&tokens[next - 2], "permissions") {
                    self.invocation(group);
                }
                self.visit(group.stream(), in_macro || is_defined);
            }
            next += 1;
        }
    }

    fn invocation(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        if let [TokenTree::Ident(module), _, context @ TokenTree::Ident(_), ..] = tokens.as_slice() {
            self.invocations
                .push(Invocation { module: module.to_string(), context: context.span().byte_range() });
        }
    }
}

fn handler(attributes: &[(Range<usize>, Group)], behind: &[TokenTree], in_macro: bool) -> Option<Handler> {
    let function = behind.iter().position(|token| is_ident(token, "fn"))?;
    let is_before_a_function = behind[..function].iter().all(|token| match token {
        TokenTree::Ident(ident) => ["pub", "async"].iter().any(|word| ident == word),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    });
    let TokenTree::Ident(name) = behind.get(function + 1)? else { return None };
    let arguments = behind.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.span().byte_range().start > name.span().byte_range().start => {
            Some(group)
        }
        _ => None,
    })?;
    let (mut ours, mut parameters) = (Vec::new(), Vec::new());
    for (range, group) in attributes {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let name = tokens.iter().rev().find_map(|token| match token {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        });
        let inside = tokens.iter().find_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        let Some(name) = name else { continue };
        if OURS.contains(&name.as_str()) {
            let items = inside.map(split).unwrap_or_default();
            ours.push(Attribute {
                name,
                range: range.clone(),
                items: items.iter().map(|tokens| item(tokens)).collect(),
            });
        } else if ROUTES.contains(&name.as_str()) {
            let pattern = inside.map(|inside| inside.to_string()).unwrap_or_default();
            parameters.extend(
                pattern
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split(['}', ':']).next().map(str::to_owned)),
            );
        }
    }
    let arguments = split(arguments.stream()).iter().filter_map(|tokens| argument(tokens)).collect();
    let is_handler = is_before_a_function && !ours.is_empty();
    let body = behind.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            Some(group.span_open().byte_range().end)
        }
        _ => None,
    })?;
    let name = name.to_string();
    is_handler.then_some(Handler { name, in_macro, attributes: ours, parameters, arguments, body })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "main.rs")
        {
            files.push(path);
        }
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

/// An attribute at the beginning of these tokens.
fn attribute(tokens: &[TokenTree]) -> Option<(Range<usize>, Group)> {
    match tokens {
        [TokenTree::Punct(hash), TokenTree::Group(group), ..]
            if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            Some((hash.span().byte_range().start..group.span().byte_range().end, group.clone()))
        }
        _ => None,
    }
}

/// The tokens between commas; those within angle brackets are none.
fn split(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let (mut parts, mut depth) = (vec![Vec::new()], 0);
    for token in stream {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            TokenTree::Punct(punct) if punct.as_char() == ',' && depth == 0 => {
                parts.push(Vec::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(token);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn range(tokens: &[TokenTree]) -> Range<usize> {
    tokens[0].span().byte_range().start..tokens[tokens.len() - 1].span().byte_range().end
}

fn item(tokens: &[TokenTree]) -> Item {
    match tokens {
        [TokenTree::Ident(key), TokenTree::Punct(equals), value @ ..]
            if equals.as_char() == '=' && !value.is_empty() =>
        {
            Item { range: range(tokens), key: Some(key.to_string()), value: range(value) }
        }
        _ => Item { range: range(tokens), key: None, value: range(tokens) },
    }
}

fn argument(tokens: &[TokenTree]) -> Option<Argument> {
    match tokens {
        [TokenTree::Ident(name), TokenTree::Punct(colon), kind @ ..]
            if colon.as_char() == ':' && !kind.is_empty() =>
        {
            Some(Argument { name: name.to_string(), range: range(tokens), kind: range(kind) })
        }
        _ => None,
    }
}

//! The folders of `auth-core` are its layers, and each knows only those below; no module of `auth-macros` is part of a
//! circle; no file is longer than one reads at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, ItemMod};

/// From the bottom. `lib.rs`, `attributes.rs`, `derives.rs` and `__private.rs` say what applications and the macros see of them.
const LAYERS: [&str; 12] = [
    "vocabulary",
    "acl",
    "context",
    "error",
    "event",
    "policy",
    "mechanism",
    "http",
    "guard",
    "report",
    "protected",
    "test",
];

/// One reads no more at once.
const LONGEST: usize = 450;

/// Files that are longer: tables of data, and what is still to be divided.
const LONGER: &[&str] = &[
    // A table: every message, with what it is the answer to.
    "auth-macros/src/tests/messages.rs",
];

#[test]
fn each_layer_knows_only_those_below() {
    let root = workspace().join("auth-core/src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let module = module_of(&root, &file);
        let Some(own) = module.first().and_then(|first| rank(first)) else {
            let name = module.first().map_or("lib", String::as_str);
            assert!(
                ["lib", "attributes", "derives", "__private"].contains(&name),
                "{name} is no layer; give it its place in LAYERS of {}",
                file!()
            );
            continue;
        };
        for Import { path, line } in imports(&file, &module) {
            let place = format!("{}:{line}: `crate::{path}`", shown(&file));
            match rank(&path) {
                Some(layer) if layer <= own => {}
                Some(layer) => wrong.push(format!(
                    "{place}: `{}` is below `{}` and may not know it; move one of the two, or pass in what is needed",
                    LAYERS[own], LAYERS[layer]
                )),
                None => wrong.push(format!("{place}: name the layer that it is from, not what `lib.rs` shows of it")),
            }
        }
    }
    assert!(wrong.is_empty(), "the layers are {}\n{}", LAYERS.join(" < "), wrong.join("\n"));
}

#[test]
fn no_modules_of_the_macros_are_a_circle() {
    let root = workspace().join("auth-macros/src");
    let mut graph: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for file in sources(&root) {
        let module = module_of(&root, &file);
        let Some(own) = module.first().filter(|first| *first != "tests") else { continue };
        for Import { path, line } in imports(&file, &module) {
            if path != *own {
                let place = format!("{}:{line}", shown(&file));
                graph.entry(own.clone()).or_default().entry(path).or_insert(place);
            }
        }
    }
    assert!(graph.len() > 8, "only {} modules import others", graph.len());
    // What imports nothing of what is left cannot be part of a circle.
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        for imported in graph.values_mut() {
            imported.retain(|module, _| left.contains(module));
        }
        graph.retain(|_, imported| !imported.is_empty());
        if graph.len() == left.len() {
            break;
        }
    }
    let circle: Vec<String> = graph
        .iter()
        .flat_map(|(module, imported)| {
            imported.iter().map(move |(other, place)| format!("{place}: `{module}` imports `{other}`"))
        })
        .collect();
    assert!(
        circle.is_empty(),
        "these modules lead to each other; move what both need into one below\n{}",
        circle.join("\n")
    );
}

#[test]
fn no_file_is_longer_than_one_reads_at_once() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for folder in ["auth-core", "auth-macros", "benches", "examples", "fuzz", "tests"] {
        for file in sources(&workspace().join(folder)) {
            let name = shown(&file);
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            found += 1;
            if lines > LONGEST && !LONGER.contains(&name.as_str()) {
                wrong.push(format!(
                    "{name}:{LONGEST}: the file has {lines} lines; divide it at one of its seams"
                ));
            }
        }
    }
    for name in LONGER {
        let lines = fs::read_to_string(workspace().join(name)).map_or(0, |text| text.lines().count());
        if lines <= LONGEST {
            wrong.push(format!("{name}:1: the file has {lines} lines; remove it from LONGER of {}", file!()));
        }
    }
    assert!(found > 300, "only {found} files were found");
    assert!(wrong.is_empty(), "no file has more than {LONGEST} lines\n{}", wrong.join("\n"));
}

#[test]
fn an_import_is_found_wherever_it_stands() {
    let source = r#"
        //! Not in `crate::comment`.
        use crate::{first::A, second, third::{self, B}};
        use super::super::fourth::C;
        use super::neighbour::D;
        use self::own::E;
        use serde::crate_of_others;
        macro_rules! of_users { () => { $crate::not_here() } }
        #[cfg(test)]
        use crate::test_alone::F;
        /// Nor in [`crate::comment::G`].
        fn f(x: crate::fifth::G) -> u8 {
            let text = "crate::text";
            tracing::debug!("{}", crate::sixth::H);
            crate::seventh()
        }
        mod inline { use super::super::super::eighth; }
        mod glob { use super::super::super::*; }
        #[cfg(test)]
        mod tests { use crate::test_alone; }
        #[cfg(feature = "test")]
        use crate::ninth;
    "#;
    let file: syn::File = syn::parse_str(source).unwrap();
    let mut found = Vec::new();
    collect(file.items, 2, &mut found);
    let found: Vec<&str> = found.iter().map(|import| import.path.as_str()).collect();
    assert_eq!(
        found,
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "*", "ninth"]
    );
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn shown(file: &Path) -> String {
    file.strip_prefix(workspace()).unwrap().display().to_string()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// All below, in the order of their names.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() && entry.file_name().is_some_and(|name| name != "target") {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

/// The path of the module that a file is.
fn module_of(root: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root).unwrap().with_extension("");
    let mut module: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// A path from the root of the crate: its first part, and where it stands.
struct Import {
    path: String,
    line: usize,
}

/// What a file imports, but for its tests: those may stand above everything.
fn imports(file: &Path, module: &[String]) -> Vec<Import> {
    let mut found = Vec::new();
    if module.last().is_some_and(|last| last == "tests") {
        return found;
    }
    let text = fs::read_to_string(file).unwrap();
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", shown(file)));
    collect(parsed.items, module.len(), &mut found);
    found
}

fn collect(items: Vec<Item>, depth: usize, found: &mut Vec<Import>) {
    for item in items {
        match item {
            item if is_for_tests(&item) => {}
            Item::Mod(ItemMod { content: Some((_, items)), .. }) => collect(items, depth + 1, found),
            item => scan(item.to_token_stream(), depth, found),
        }
    }
}

fn is_for_tests(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

/// Finds paths among tokens, so also in what macros are called with. Comments are texts there, and no paths.
fn scan(tokens: TokenStream, depth: usize, found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            // `$crate` is a path of whoever calls the macro.
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => at += 1,
            TokenTree::Group(group) => scan(group.stream(), depth, found),
            TokenTree::Ident(first) => {
                let starts = at < 2 || !is_separator(&tokens, at - 2);
                let mut next = at;
                let mut up = 0;
                while up < depth && is_ident(&tokens, next, "super") && is_separator(&tokens, next + 1) {
                    up += 1;
                    next += 3;
                }
                if is_ident(&tokens, at, "crate") && is_separator(&tokens, at + 1) {
                    next = at + 3;
                    up = depth;
                }
                if starts && up == depth && depth > 0 && next > at {
                    name(tokens.get(next), first.span(), found);
                    at = next;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// What stands after `crate::`: a name, or several in braces.
fn name(token: Option<&TokenTree>, start: Span, found: &mut Vec<Import>) {
    match token {
        Some(TokenTree::Ident(ident)) => {
            found.push(Import { path: ident.to_string(), line: start.start().line });
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            let parts =
                tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','));
            for part in parts {
                let start = part.first().map_or(start, TokenTree::span);
                name(part.first(), start, found);
            }
        }
        // It may be of any layer.
        Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
            found.push(Import { path: "*".to_owned(), line: start.start().line });
        }
        _ => {}
    }
}

fn is_ident(tokens: &[TokenTree], at: usize, name: &str) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == name)
}

/// Whether `::` stands there.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

//! What holds for all chapters: their examples are compiled, their links lead somewhere, the book has them all, and the
//! messages of the compiler are those that it prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of this folder whose names end so, and those of the folders in it.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn chapters() -> Vec<PathBuf> {
    let chapters = files(&workspace().join("docs"), ".md");
    assert!(chapters.len() > 10, "only {} chapters", chapters.len());
    chapters
}

/// Every file with links that a reader follows.
fn documents() -> Vec<PathBuf> {
    let root = workspace();
    let mut found = chapters();
    found.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)));
    found.extend(files(&root.join("examples"), "/README.md"));
    found.extend(files(&root.join("tests/conformance"), ".md"));
    found
}

/// The blocks in this language, without the space at the beginning of their lines.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(trimmed).collect()
}

fn trimmed(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn every_example_is_compiled() {
    let here = workspace().join("tests/guide");
    let mut examples = 0;
    let mut missing = Vec::new();
    for document in chapters().into_iter().chain([workspace().join("README.md")]) {
        let blocks = blocks(&read(&document), "rust");
        if blocks.is_empty() {
            continue;
        }
        examples += blocks.len();
        let name = document.file_stem().unwrap().to_string_lossy().to_lowercase().replace('-', "_");
        let compiled = compiled(&here, &name);
        let absent = blocks.into_iter().filter(|block| !compiled.contains(block.as_str()));
        missing.extend(absent.map(|block| format!("tests/guide/{name}.rs:\n{block}\n")));
    }
    assert!(examples > 50, "only {examples} examples");
    assert!(missing.is_empty(), "not in {}", missing.join("\nnor in "));
}

/// The file of a chapter, and those whose names go on from it, as that of a part of the chapter.
fn compiled(here: &Path, name: &str) -> String {
    let of_chapter = |file: &PathBuf| {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    files(here, ".rs").iter().filter(|file| of_chapter(file)).map(|file| trimmed(&read(file))).collect()
}

/// Of a document: without blocks of code and what stands in backticks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !is_fence && !inside
    });
    // Every other part is code, of one backtick or of two.
    lines.collect::<Vec<_>>().join("\n").split('`').step_by(2).collect::<Vec<_>>().join("code")
}

/// The targets of links, without the addresses of others.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let defined = prose.lines().filter_map(|line| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        (!label.contains(']')).then_some(target)
    });
    let all = inline.chain(defined).map(|target| target.trim_matches(['<', '>']).to_owned());
    all.filter(|target| !target.starts_with("https://") && !target.starts_with("http://")).collect()
}

/// The anchors of headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut seen = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        inside ^= line.starts_with("```");
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
        else {
            continue;
        };
        if inside {
            continue;
        }
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|kept| kept.is_alphanumeric() || [' ', '-', '_'].contains(kept));
        let anchor: String = kept.map(|kept| if kept == ' ' { '-' } else { kept }).collect();
        let times = seen.entry(anchor.clone()).or_insert(0);
        anchors.insert(if *times == 0 { anchor } else { format!("{anchor}-{times}") });
        *times += 1;
    }
    anchors
}

#[test]
fn every_link_leads_somewhere() {
    let (mut followed, mut broken) = (0, Vec::new());
    for document in documents() {
        for link in links(&read(&document)) {
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let leads_there =
                target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !leads_there {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(followed > 100, "only {followed} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// mdBook makes `.html` of the end of every link to a file in Markdown, also of one that is no chapter.
#[test]
fn no_chapter_links_to_a_document_that_is_no_chapter() {
    let docs = workspace().join("docs");
    for chapter in chapters() {
        for link in links(&read(&chapter)) {
            let file = link.split('#').next().unwrap();
            if Path::new(file).extension().is_some_and(|end| end == "md") {
                // Another test finds links that lead nowhere.
                let target = chapter.parent().unwrap().join(file).canonicalize();
                let is_chapter = target.map_or(true, |target| target.starts_with(&docs));
                assert!(is_chapter, "{}: {link}", chapter.display());
            }
        }
    }
}

#[test]
fn the_book_has_every_chapter_once() {
    let docs = workspace().join("docs");
    let summary = docs.join("SUMMARY.md");
    let mut listed: Vec<_> = links(&read(&summary)).into_iter().map(|link| docs.join(link)).collect();
    listed.sort();
    let chapters: Vec<_> = chapters().into_iter().filter(|chapter| *chapter != summary).collect();
    assert_eq!(listed, chapters);
}

#[test]
fn messages_are_those_of_the_compiler() {
    let printed: String =
        files(&workspace().join("tests/ui/fail"), ".stderr").iter().map(|file| read(file)).collect();
    let shown = blocks(&read(&workspace().join("docs/guards.md")), "text").concat();
    assert!(shown.contains("error: "), "{shown}");
    for line in shown.lines() {
        assert!(printed.contains(line), "{line}");
    }
}

#[test]
fn the_chapter_about_guards_has_every_attribute_and_every_key() {
    let macros = workspace().join("auth-macros/src");
    let chapter = read(&workspace().join("docs/guards.md"));
    let kinds = read(&macros.join("model/kind.rs"));
    let (_, kinds) = kinds.split_once("\nattributes! {").unwrap();
    let attributes = kinds.split("\n}").next().unwrap().lines().filter_map(|row| row.split_once(": \""));
    let attributes: Vec<_> = attributes.map(|(_, rest)| rest.split('"').next().unwrap()).collect();
    assert_eq!(attributes.len(), 12);
    for attribute in attributes {
        assert!(chapter.contains(&format!("| `#[{attribute}")), "{attribute}");
    }
    let keys = ["args/context.rs", "args/authentication.rs"].map(|file| read(&macros.join(file))).concat();
    let keys = keys.replace("name: \"", "key(\"");
    let keys = keys.split("key(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let keys: BTreeSet<_> = keys.chain(["on_denied", "crate"]).collect();
    assert!(keys.len() > 8, "{keys:?}");
    for key in keys {
        assert!(chapter.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn a_broken_link_is_found() {
    let text = "# A `b`: c\n## A\n## A\n[x](y.md#z) `[no](no.md)` [`code`](a/b) [w](https://example.com)\n```\n[n](n)\n```\n[d]: e\n";
    assert_eq!(links(text), ["y.md#z", "a/b", "e"]);
    assert_eq!(anchors(text), ["a", "a-1", "a-b-c"].map(String::from).into());
}

//! The remedy for a name that is unknown: the nearest known one, or a list of all.

use std::fmt::Display;

use proc_macro2::Ident;

/// The error for an unknown name; `noun` says what it should name.
pub(crate) fn unknown(noun: &str, name: &Ident, remedy: impl Display) -> syn::Error {
    syn::Error::new(name.span(), format_args!("unknown {noun} `{name}`; {remedy}"))
}

/// The remedy for an unknown name: a suggestion, or all the known names.
pub(crate) fn remedy<S: AsRef<str>>(written: &str, known: &[S]) -> String {
    suggestion(written, known).unwrap_or_else(|| format!("expected {}", one_of(known)))
}

/// `` did you mean `name`? ``, if a known name is near to what is written.
pub(crate) fn suggestion<S: AsRef<str>>(written: &str, known: &[S]) -> Option<String> {
    suggestion_as(written, known, str::to_owned)
}

/// A suggestion that shows the known name as one writes it at this place.
pub(crate) fn suggestion_as<S: AsRef<str>>(
    written: &str,
    known: &[S],
    shown: impl FnOnce(&str) -> String,
) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{}`?", shown(name)))
}

/// The name that `written` was probably meant to be: at most a third of its characters (and at
/// least one) are inserted, deleted, replaced or swapped. Upper and lower case, `-` and `_` are
/// the same. Of several, the nearest, then the first.
fn nearest<'a, S: AsRef<str>>(written: &str, known: &'a [S]) -> Option<&'a str> {
    let written = comparable(written)?;
    let limit = (written.len() / 3).max(1);
    known
        .iter()
        .map(AsRef::as_ref)
        .filter_map(|name| {
            let distance = distance(&written, &comparable(name)?);
            (distance <= limit).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `` `a`, `b` or `c` ``
pub(crate) fn one_of<S: AsRef<str>>(names: &[S]) -> String {
    list(names, "or")
}

/// `` `a`, `b` and `c` ``
pub(crate) fn all_of<S: AsRef<str>>(names: &[S]) -> String {
    list(names, "and")
}

fn list<S: AsRef<str>>(names: &[S], conjunction: &str) -> String {
    let quoted = |name: &S| format!("`{}`", name.as_ref());
    match names {
        [] => String::new(),
        [only] => quoted(only),
        [before @ .., last] => format!(
            "{} {conjunction} {}",
            before.iter().map(quoted).collect::<Vec<_>>().join(", "),
            quoted(last)
        ),
    }
}

/// None for a name that is too long to be a typo worth the time to compare.
fn comparable(name: &str) -> Option<Vec<char>> {
    const LONGEST: usize = 64;
    let characters: Vec<char> = name
        .chars()
        .take(LONGEST + 1)
        .flat_map(char::to_lowercase)
        .map(|character| if character == '_' { '-' } else { character })
        .collect();
    (characters.len() <= LONGEST).then_some(characters)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut before_a = None;
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut left = row + 1;
        let mut before_b = None;
        for (column, b) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let mut cost =
                (at(&last, column) + usize::from(a != b)).min(at(&last, column + 1) + 1).min(left + 1);
            if column > 0 && before_a == Some(b) && before_b == Some(a) {
                cost = cost.min(at(&before_last, column - 1).saturating_add(1));
            }
            current.push(cost);
            left = cost;
            before_b = Some(b);
        }
        before_last = last;
        last = current;
        before_a = Some(a);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERMISSIONS: [&str; 4] = ["create-children", "read", "update", "delete"];

    fn between(from: &str, to: &str) -> usize {
        distance(&from.chars().collect::<Vec<_>>(), &to.chars().collect::<Vec<_>>())
    }

    #[test]
    fn counts_edits() {
        assert_eq!(between("", ""), 0);
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("abc", ""), 3);
        assert_eq!(between("read", "read"), 0);
        assert_eq!(between("raed", "read"), 1);
        assert_eq!(between("reed", "read"), 1);
        assert_eq!(between("rad", "read"), 1);
        assert_eq!(between("kitten", "sitting"), 3);
    }

    #[test]
    fn finds_the_name_that_was_meant() {
        assert_eq!(nearest("raed", &PERMISSIONS), Some("read"));
        assert_eq!(nearest("READ", &PERMISSIONS), Some("read"));
        assert_eq!(nearest("create_children", &PERMISSIONS), Some("create-children"));
        assert_eq!(nearest("create-child", &PERMISSIONS), Some("create-children"));
        assert_eq!(nearest("write", &PERMISSIONS), None);
        assert_eq!(nearest("", &PERMISSIONS), None);
        assert_eq!(nearest(&"read".repeat(1000), &PERMISSIONS), None);
        assert_eq!(nearest::<&str>("read", &[]), None);
    }

    #[test]
    fn lists_names() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b"]), "`a` or `b`");
        assert_eq!(all_of(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}

//! Files that people review: how they are read, compared and rewritten.

use std::{
    env, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The environment variable with which files are rewritten.
const UPDATE: &str = "UPDATE_REVIEWED";

/// The reason why a comparison failed: the difference between the found and the reviewed text, or why the two cannot be
/// compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// There is no file.
    #[error(
        "there is no `{}`: run the test once with {UPDATE}=1, and review the file that it writes",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot read or write `{}`: {source}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`{}`, {reason}", path.display())]
    Malformed {
        /// Where it is.
        path: PathBuf,
        /// The fault.
        reason: Malformed,
    },
    /// A part of the observation failed, so there is nothing to compare.
    #[error("not everything could be observed:\n{failed}")]
    NotObserved {
        /// The failures, a line each.
        failed: String,
    },
    /// The found text differs from the reviewed one.
    #[error(
        "this is not what was reviewed in `{}`:\n{differences}\
         If it is right, run the test with {UPDATE}=1, and review the change of the file.",
        path.display()
    )]
    Differs {
        /// Where the file is.
        path: PathBuf,
        /// The differences.
        differences: String,
    },
}

/// Why a text has the wrong form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct Malformed {
    line: usize,
    reason: String,
}

impl Malformed {
    /// In this line, counted from 1.
    pub(super) fn new(line: usize, reason: &str) -> Self {
        Self { line, reason: reason.to_owned() }
    }
}

/// Whether the files are to be rewritten.
pub(super) fn is_updated() -> bool {
    env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// A reviewed file.
pub(super) struct Reviewed<'a>(&'a Path);

impl<'a> Reviewed<'a> {
    pub(super) fn at(path: &'a Path) -> Self {
        Self(path)
    }

    pub(super) fn read(&self) -> Result<String, ReviewError> {
        fs::read_to_string(self.0).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ReviewError::Missing { path: self.0.to_owned() },
            _ => self.failed(source),
        })
    }

    pub(super) fn write(&self, text: &str) -> Result<(), ReviewError> {
        fs::write(self.0, text).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ReviewError {
        ReviewError::File { path: self.0.to_owned(), source }
    }

    pub(super) fn malformed(&self, reason: &Malformed) -> ReviewError {
        ReviewError::Malformed { path: self.0.to_owned(), reason: reason.clone() }
    }

    pub(super) fn differs(&self, differences: &str) -> ReviewError {
        ReviewError::Differs { path: self.0.to_owned(), differences: differences.to_owned() }
    }
}

/// A table in Markdown.
pub(super) struct Table {
    /// The line of the header, counted from 1.
    pub(super) line: usize,
    pub(super) header: Vec<String>,
    /// Each with its line.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

/// The tables of a text.
pub(super) fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(text.lines()) {
        let Some(cells) = cells(text) else {
            inside = false;
            continue;
        };
        match tables.last_mut().filter(|_| inside) {
            None => tables.push(Table { line, header: cells, rows: Vec::new() }),
            Some(_)
                if cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-:".contains(c))) => {}
            Some(table) => table.rows.push((line, cells)),
        }
        inside = true;
    }
    tables
}

/// The cells of a line with bars in it, as texts.
fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim().strip_prefix('|')?;
    let mut cells = Vec::new();
    let (mut begin, mut escaped) = (0, false);
    for (index, character) in line.char_indices() {
        if character == '|' && !escaped {
            cells.push(text(line.get(begin..index).unwrap_or_default()));
            begin = index + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    // Where the last bar is left out.
    let last = line.get(begin..).unwrap_or_default();
    if !last.is_empty() {
        cells.push(text(last));
    }
    Some(cells)
}

/// The content of a cell. In code, only a bar is escaped.
fn text(cell: &str) -> String {
    let cell = cell.trim();
    if let Some(code) = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) {
        return code.replace("\\|", "|");
    }
    let mut text = String::with_capacity(cell.len());
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    text
}

/// The rows that only one of two tables has: `-` before those that were expected, `+` before those that were found.
pub(super) fn rows_that_differ(expected: &str, found: &str) -> String {
    let rows = |text: &str| -> Vec<Vec<String>> {
        let table = |table: Table| {
            std::iter::once(table.header)
                .chain(table.rows.into_iter().map(|(_, row)| row))
                .collect::<Vec<_>>()
        };
        tables(text).into_iter().flat_map(table).collect()
    };
    let (expected, found) = (rows(expected), rows(found));
    let only = |sign: &str, of: &[Vec<String>], others: &[Vec<String>]| {
        let rows = of.iter().filter(|row| !others.contains(row));
        let lines = rows.flat_map(|row| [sign.to_owned(), row.join(" | "), "\n".to_owned()]);
        lines.collect::<String>()
    };
    let differ = only("- ", &expected, &found) + &only("+ ", &found, &expected);
    if differ.is_empty() && expected != found { "the order of the rows\n".to_owned() } else { differ }
}

//! A matrix as a file: Markdown for people, and JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{AccessMatrix, Cell, Place, Row};
use crate::{
    report::table::{escape, markdown},
    test::reviewed::{Malformed, tables},
};

const NOTES: &str = "# Access matrix

Who gets in where: `yes`, the status of the denial, or `not reached` where the guard could not decide. Observed by requests, and reviewed: read each change of this file.
Run the test with `UPDATE_REVIEWED=1` to rewrite it; what stands above the tables stays.
";

/// The columns in front of the subjects.
const PLACE: [&str; 3] = ["method", "path", "object"];

impl AccessMatrix {
    /// As Markdown: a table for each kind of object, whose columns are aligned.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let header: Vec<String> = PLACE.into_iter().chain(self.subjects()).map(escape).collect();
        let mut text = NOTES.to_owned();
        for (title, rows) in self.groups() {
            let rows = rows.into_iter().map(|Row { place, cells }| {
                let place = [escape(&place.method), code(&place.path), escape(&place.object)];
                place.into_iter().chain(cells.iter().map(|cell| escape(&cell.text))).collect()
            });
            let table: Vec<Vec<String>> = std::iter::once(header.clone()).chain(rows).collect();
            // A `String` takes all that is written to it.
            let _ = write!(text, "\n## {}\n\n{}", code(title), markdown(&table));
        }
        text
    }

    /// Reads the output of [`to_markdown`](Self::to_markdown), also after people edited it: notes between the tables,
    /// other tables, columns that are not aligned.
    ///
    /// # Errors
    ///
    /// When there is no such table, when two have different subjects, or when a row is there twice or has too few cells.
    pub fn from_markdown(text: &str) -> Result<Self, Malformed> {
        let mut subjects: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        for table in tables(text) {
            let Some(names) = table.header.strip_prefix(PLACE.map(str::to_owned).as_slice()) else {
                continue;
            };
            match &subjects {
                None => subjects = Some(names.to_vec()),
                Some(known) if known == names => {}
                Some(_) => {
                    return Err(Malformed::new(table.line, "this table has other subjects than the first"));
                }
            }
            for (line, row) in table.rows {
                let [method, path, object, cells @ ..] = row.as_slice() else {
                    return Err(Malformed::new(line, "there are too few cells in this row"));
                };
                if cells.len() != names.len() {
                    return Err(Malformed::new(line, "this row has not one cell for each subject"));
                }
                let place = Place { method: method.clone(), path: path.clone(), object: object.clone() };
                if rows.iter().any(|row: &Row| row.place == place) {
                    return Err(Malformed::new(line, "this row is there twice"));
                }
                rows.push(Row { place, cells: cells.iter().map(|cell| Cell::reviewed(cell)).collect() });
            }
        }
        let subjects = subjects.ok_or_else(|| Malformed::new(1, "there is no table of a matrix in it"))?;
        Ok(Self { subjects, rows })
    }

    /// As JSON: the subjects, and for each row the answer to each of them.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it can fail: there are texts, lists and objects of them.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads the output of [`to_json`](Self::to_json).
    ///
    /// # Errors
    ///
    /// If the text is no such JSON.
    pub fn from_json(text: &str) -> Result<Self, Malformed> {
        serde_json::from_str(text).map_err(|error| Malformed::new(error.line(), &error.to_string()))
    }

    /// The rows, grouped by the common part of their paths: those below one kind of object, or else those in one folder.
    fn groups(&self) -> BTreeMap<&str, Vec<&Row>> {
        let above =
            |path: &'_ str| path.find('{').map(|end| path.split_at(end).0.trim_end_matches('/').len());
        let kinds: BTreeSet<&str> = self
            .rows
            .iter()
            .filter_map(|row| above(&row.place.path).and_then(|end| row.place.path.get(..end)))
            .collect();
        let is_in = |path: &str, kind: &str| {
            path.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            let path = row.place.path.as_str();
            let kind = kinds.iter().filter(|kind| is_in(path, kind)).max_by_key(|kind| kind.len());
            let folder = || path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let title = kind.copied().unwrap_or_else(folder);
            groups.entry(if title.is_empty() { "/" } else { title }).or_default().push(row);
        }
        groups
    }
}

impl Cell {
    fn reviewed(text: &str) -> Self {
        Self { text: text.to_owned(), failed: false }
    }
}

/// A path has braces and underscores, which are easier to read as they are.
fn code(path: &str) -> String {
    if path.contains('`') { escape(path) } else { format!("`{}`", path.replace('|', "\\|")) }
}

/// The new tables, below the text that stands above the old ones.
pub(super) fn with_notes_of(old: &str, new: &str) -> String {
    match (old.split_once("\n## "), new.split_once("\n## ")) {
        (Some((notes, _)), Some((_, tables))) => format!("{notes}\n## {tables}"),
        _ => new.to_owned(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    subjects: Vec<String>,
    rows: Vec<DocumentRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentRow {
    method: String,
    path: String,
    object: String,
    access: BTreeMap<String, String>,
}

/// The subjects, and for each row with an object the answers to the subjects.
impl Serialize for AccessMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter().map(|Row { place, cells }| {
            let cells = cells.iter().map(|cell| cell.text.clone());
            let Place { method, path, object } = place.clone();
            DocumentRow { method, path, object, access: self.subjects.iter().cloned().zip(cells).collect() }
        });
        Document { subjects: self.subjects.clone(), rows: rows.collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AccessMatrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Document { subjects, rows } = Document::deserialize(deserializer)?;
        let rows = rows.into_iter().map(|DocumentRow { method, path, object, access }| {
            let place = Place { method, path, object };
            let cells = subjects.iter().map(|subject| access.get(subject).map(|cell| Cell::reviewed(cell)));
            match cells.collect() {
                Some(cells) if access.len() == subjects.len() => Ok(Row { place, cells }),
                _ => Err(de::Error::custom(format_args!("{place} has not one answer for each subject"))),
            }
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()?, subjects })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> AccessMatrix {
        let row = |method: &str, path: &str, object: &str, cells: [&str; 2]| Row {
            place: Place { method: method.to_owned(), path: path.to_owned(), object: object.to_owned() },
            cells: cells.map(|text| Cell { text: text.to_owned(), failed: false }).into(),
        };
        AccessMatrix {
            subjects: vec!["nobody".to_owned(), "a_b|c".to_owned()],
            rows: vec![
                row("GET", "/", "", ["yes", "yes"]),
                row("GET", "/api/notes", "", ["401", "yes"]),
                row("GET", "/api/notes/{id:a|b}", "own, *new*", ["401/yes", "404"]),
                row("GET", "/api/status", "", ["401", "yes"]),
                row("GET", "/health", "", ["yes", "yes"]),
            ],
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let matrix = matrix();
        let markdown = matrix.to_markdown();
        let tables = "
## `/`

| method | path      | object | nobody | a\\_b\\|c |
| ------ | --------- | ------ | ------ | ------- |
| GET    | `/`       |        | yes    | yes     |
| GET    | `/health` |        | yes    | yes     |

## `/api`

| method | path          | object | nobody | a\\_b\\|c |
| ------ | ------------- | ------ | ------ | ------- |
| GET    | `/api/status` |        | 401    | yes     |

## `/api/notes`

| method | path                   | object       | nobody  | a\\_b\\|c |
| ------ | ---------------------- | ------------ | ------- | ------- |
| GET    | `/api/notes`           |              | 401     | yes     |
| GET    | `/api/notes/{id:a\\|b}` | own, \\*new\\* | 401/yes | 404     |
";
        assert!(markdown.ends_with(&tables), "{markdown}");
        assert_eq!(matrix.differences(&AccessMatrix::from_markdown(&markdown).unwrap()), []);
        assert_eq!(AccessMatrix::from_json(&matrix.to_json()).unwrap(), matrix);
    }

    #[test]
    fn notes_stay_and_other_tables_are_left_alone() {
        let old = "# Ours\n\n| who | is |\n| --- | --- |\n| nobody | not logged in |\n\n## /\n\nold";
        let new = with_notes_of(old, &matrix().to_markdown());
        assert!(new.starts_with("# Ours\n\n| who |") && !new.contains("old"), "{new}");
        assert_eq!(new.matches("## `/`\n").count(), 1);
        assert_eq!(matrix().differences(&AccessMatrix::from_markdown(&new).unwrap()), []);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let header = "| method | path | object | nobody |\n|---|---|---|---|\n";
        for (text, line) in [
            (String::new(), 1),
            ("| who | is |\n|---|---|\n| a | b |\n".to_owned(), 1),
            (format!("{header}| GET | `/` |\n"), 3),
            (format!("{header}| GET | `/` | | yes | yes |\n"), 3),
            (format!("{header}| GET | `/` | | yes |\n| GET | / | | 401 |\n"), 4),
            (format!("{header}\n| method | path | object | somebody |\n|---|---|---|---|\n"), 4),
        ] {
            let error = AccessMatrix::from_markdown(&text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("line {line}: ")), "{error}\n{text}");
        }
        assert!(AccessMatrix::from_json(r#"{"subjects": [], "rows": [], "more": 1}"#).is_err());
        let without =
            r#"{"subjects": ["a"], "rows": [{"method": "GET", "path": "/", "object": "", "access": {}}]}"#;
        assert!(AccessMatrix::from_json(without).is_err());
    }

    #[test]
    fn every_difference_is_listed() {
        let reviewed = matrix();
        let mut observed = matrix();
        observed.subjects = vec!["nobody".to_owned(), "new".to_owned()];
        observed.rows.remove(4);
        observed.rows[0].cells[0].text = "401".to_owned();
        observed.rows[3].place.path = "/api/state".to_owned();
        let listed = super::super::difference::listed(&observed.differences(&reviewed));
        for line in [
            "GET /\n    as nobody: reviewed yes, observed 401\n    as a_b|c: reviewed yes, observed nothing\n",
            "    as new: reviewed nothing, observed yes\n",
            "GET /api/state\n    as nobody: reviewed nothing, observed 401\n",
            "GET /api/status\n    as nobody: reviewed 401, observed nothing\n",
            "GET /health\n    as nobody: reviewed yes, observed nothing\n",
            "GET /api/notes/{id:a|b} (own, *new*)\n    as a_b|c: reviewed 404, observed nothing\n",
        ] {
            assert!(listed.contains(line), "{line}\n{listed}");
        }
    }
}

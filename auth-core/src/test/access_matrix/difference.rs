//! Two matrices, cell by cell.

use std::fmt::{self, Write as _};

use super::{AccessMatrix, Cell, Place, Row};

/// A cell that two matrices do not have in common.
///
/// [`Display`](fmt::Display) shows it in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    place: Place,
    subject: String,
    reviewed: Option<String>,
    observed: Option<String>,
}

impl Difference {
    /// The method of the route.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.place.method
    }

    /// The path of the route, with its parameters.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.place.path
    }

    /// The objects that the path and the request name; empty where they name none.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.place.object
    }

    /// The subject of the requests.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The reviewed cell; `None` where the row or the subject is new.
    #[must_use]
    pub fn reviewed(&self) -> Option<&str> {
        self.reviewed.as_deref()
    }

    /// The observed cell; `None` where the row or the subject is gone.
    #[must_use]
    pub fn observed(&self) -> Option<&str> {
        self.observed.as_deref()
    }

    fn write_cell(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "nothing".to_owned());
        let (reviewed, observed) = (text(&self.reviewed), text(&self.observed));
        write!(f, "as {}: reviewed {reviewed}, observed {observed}", self.subject)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        self.write_cell(f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if self.object.is_empty() { Ok(()) } else { write!(f, " ({})", self.object) }
    }
}

/// Row by row in the order of the observed matrix, and then the rows that are gone.
pub(super) fn differences(observed: &AccessMatrix, reviewed: &AccessMatrix) -> Vec<Difference> {
    let gone = |row: &&Row| observed.row(&row.place).is_none();
    let places = observed.rows.iter().chain(reviewed.rows.iter().filter(gone)).map(|row| &row.place);
    let new = reviewed.subjects().chain(observed.subjects().filter(|name| reviewed.column(name).is_none()));
    let subjects: Vec<&str> = new.collect();
    let cells = places.flat_map(|place| {
        let (observed_row, reviewed_row) = (observed.row(place), reviewed.row(place));
        subjects.iter().filter_map(move |subject| {
            let (observed, reviewed) =
                (observed.cell(observed_row, subject), reviewed.cell(reviewed_row, subject));
            let failed = observed.is_some_and(|cell| cell.failed);
            let text = |cell: Option<&Cell>| cell.map(|cell| cell.text.clone());
            let (observed, reviewed) = (text(observed), text(reviewed));
            (failed || observed != reviewed).then(|| Difference {
                place: place.clone(),
                subject: (*subject).to_owned(),
                reviewed,
                observed,
            })
        })
    });
    cells.collect()
}

/// For a person: each row once, with its differing cells.
pub(super) fn listed(differences: &[Difference]) -> String {
    let mut text = String::new();
    let mut last = None;
    for difference in differences {
        // A `String` takes all that is written to it.
        if last.replace(&difference.place) != Some(&difference.place) {
            let _ = writeln!(text, "{}", difference.place);
        }
        text.push_str("    ");
        let _ = difference.write_cell(&mut text);
        text.push('\n');
    }
    text
}

impl AccessMatrix {
    fn row(&self, place: &Place) -> Option<&Row> {
        self.rows.iter().find(|row| row.place == *place)
    }

    fn column(&self, subject: &str) -> Option<usize> {
        self.subjects.iter().position(|name| name == subject)
    }

    fn cell<'a>(&self, row: Option<&'a Row>, subject: &str) -> Option<&'a Cell> {
        row?.cells.get(self.column(subject)?)
    }
}

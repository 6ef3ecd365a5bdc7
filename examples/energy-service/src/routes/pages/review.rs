//! Pages for reviewers of the service: the guard report, and the access matrix as it was reviewed.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{CurrentUser, ProtectedConfig, roles_accepted};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    PageQuery,
    layout::{Page, Section, ok, scrolling},
    lists::filter_form,
};
use crate::{
    Service,
    auth::{ADMIN_READER, LoggedIn},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(guards).service(access_matrix);
}

/// The rows that a reviewer looks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    filter: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Option<&str> {
        self.filter.as_deref().filter(|filter| !filter.is_empty())
    }

    fn fits(&self, text: &str) -> bool {
        let contains = |filter: &str| text.to_lowercase().contains(&filter.to_lowercase());
        self.filter().is_none_or(contains)
    }

    /// The number of rows that fit, of all.
    fn count(&self, path: &str, what: &str, fitting: usize, all: usize) -> Markup {
        html! {
            p.count {
                @match self.filter() {
                    Some(_) => { (fitting) " of " (all) " " (what) ". " a href=(path) { "Show all" } },
                    None => { (all) " " (what) "." },
                }
            }
        }
    }
}

/// Every route with its guards and policies, from the attributes of the handlers that are running.
#[roles_accepted(ADMIN_READER)]
#[get("/guards")]
async fn guards(
    PageQuery(wanted): PageQuery<Wanted>,
    current_user: CurrentUser<LoggedIn>,
    service: Data<Service>,
) -> HttpResponse {
    let registered = service.guards().await;
    let entries = registered.report().entries();
    let missing = registered.to_string();
    let routes: Vec<_> = entries
        .iter()
        .map(|entry| Route {
            name: format!("{} {}", entry.methods().join(", "), entry.path()),
            part: part_of(entry.path()),
            guards: entry.guards().collect(),
            policies: entry.handler().policies().collect(),
        })
        .filter(|route| wanted.fits(&route.text()))
        .collect();
    ok(&Page::new(&current_user, Section::Guards, "Guards").with(&html! {
        p {
            "Each route, with all that has to hold before its handler runs, and with the rules of the \
             policies. "
            a href="/access-matrix" { "What that means for whom" }
        }
        @if !missing.is_empty() {
            div role="alert" {
                @for line in missing.lines() { p { (line) } }
            }
        }
        (filter_form("/guards", "Route, guard or rule contains", wanted.filter()))
        (wanted.count("/guards", "routes", routes.len(), entries.len()))
        @for routes in routes.chunk_by(|one, other| one.part == other.part) {
            section {
                h2.staying { @if let [first, ..] = routes { (first.part) } }
                ul.routes {
                    @for route in routes {
                        li {
                            strong { (route.name) }
                            (lines(&route.guards))
                            (lines(&route.policies))
                        }
                    }
                }
            }
        }
    }))
}

/// A route, as the page shows it.
struct Route {
    name: String,
    part: String,
    guards: Vec<String>,
    policies: Vec<String>,
}

impl Route {
    fn text(&self) -> String {
        let lines = self.guards.iter().chain(&self.policies);
        lines.fold(self.name.clone(), |text, line| text + "\n" + line)
    }
}

/// The part of the service that a path is in: its first word, and for programs the kind of object.
fn part_of(path: &str) -> String {
    let words = if path.starts_with("/api/v") { 3 } else { 1 };
    let first: Vec<_> =
        path.split('/').skip(1).take(words).take_while(|word| !word.starts_with('{')).collect();
    format!("/{}", first.join("/"))
}

/// The answers to requests of several subjects for several objects, as the tests compare them.
#[roles_accepted(ADMIN_READER)]
#[get("/access-matrix")]
async fn access_matrix(
    PageQuery(wanted): PageQuery<Wanted>,
    current_user: CurrentUser<LoggedIn>,
) -> HttpResponse {
    let page = Page::new(&current_user, Section::AccessMatrix, "Access matrix").wide();
    let tables: Vec<_> = tables(MATRIX).into_iter().filter_map(Table::of).collect();
    let rows_of = |table: &Table| table.rows.iter().filter(|row| wanted.fits(&row.name)).count();
    // The subjects are no routes, and stay.
    let of_routes = || tables.iter().filter(|table| table.is_about_routes);
    let all: usize = of_routes().map(|table| table.rows.len()).sum();
    let fitting: usize = of_routes().map(rows_of).sum();
    ok(&page.with(&html! {
        p {
            "Who gets in where in the demo world, as it was reviewed: "
            "\u{201c}yes\u{201d} for every answer that is no denial, or else the status of the denial. "
            a href="/guards" { "What the guards require" }
        }
        (filter_form("/access-matrix", "Method, path or object contains", wanted.filter()))
        (wanted.count("/access-matrix", "rows", fitting, all))
        @for (number, table) in tables.iter().enumerate() {
            @if !table.is_about_routes || rows_of(table) > 0 {
                (table.show(number, &wanted))
            }
        }
    }))
}

/// A table of the reviewed file.
struct Table {
    heading: String,
    is_about_routes: bool,
    columns: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    cells: Vec<String>,
}

impl Table {
    fn of((heading, rows): (&str, Vec<Vec<String>>)) -> Option<Self> {
        let mut rows = rows.into_iter();
        let header = rows.next()?;
        // Method, path and object head the row.
        let is_about_routes = header.first().is_some_and(|first| first == "method");
        let about = if is_about_routes { 3 } else { 1 };
        let name =
            if is_about_routes { "route and object" } else { header.first().map_or("", String::as_str) };
        let columns = [name.to_owned()].into_iter().chain(header.iter().skip(about).cloned()).collect();
        let row = |mut cells: Vec<String>| {
            let rest = cells.split_off(about.min(cells.len()));
            Row { name: cells.join(" ").trim_end().to_owned(), cells: rest }
        };
        Some(Self { heading: heading.to_owned(), is_about_routes, columns, rows: rows.map(row).collect() })
    }

    fn show(&self, number: usize, wanted: &Wanted) -> Markup {
        let id = format!("matrix-{number}");
        let fits = |row: &&Row| !self.is_about_routes || wanted.fits(&row.name);
        scrolling(
            &id,
            &html! {
                table.matrix {
                    caption id=(id) { (self.heading) }
                    thead {
                        tr {
                            @for column in &self.columns { th scope="col" { (column) } }
                        }
                    }
                    tbody {
                        @for row in self.rows.iter().filter(fits) {
                            tr {
                                th scope="row" { (row.name) }
                                @for cell in &row.cells {
                                    td class=[self.is_about_routes.then(|| kind(cell))] { (cell) }
                                }
                            }
                        }
                    }
                }
            },
        )
    }
}

/// How an answer is set off: by a sign before it, too.
fn kind(cell: &str) -> &'static str {
    match cell {
        "yes" => "yes",
        // The handler decides itself, or the request did not get to a decision.
        cell if cell.contains('/') => "partly",
        _ => "no",
    }
}

/// The reviewed file.
const MATRIX: &str = include_str!("../../../access-matrix.md");

fn lines(lines: &[String]) -> Markup {
    html! {
        @for line in lines { div { code { (line) } } }
    }
}

/// The tables of a text in Markdown, each as its rows, with the heading above it.
fn tables(markdown: &str) -> Vec<(&str, Vec<Vec<String>>)> {
    let mut heading = "Subjects";
    let mut tables: Vec<(&str, Vec<Vec<String>>)> = Vec::new();
    let mut in_table = false;
    for line in markdown.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = text.trim_matches('`');
        }
        let Some(row) = line.strip_prefix('|') else {
            in_table = false;
            continue;
        };
        if !in_table {
            tables.push((heading, Vec::new()));
            in_table = true;
        }
        let is_rule = row.bytes().all(|byte| b"|-: ".contains(&byte));
        if let Some((_, rows)) = tables.last_mut().filter(|_| !is_rule) {
            rows.push(cells(row));
        }
    }
    tables
}

/// The cells of a row, behind its first bar. A backslash takes the meaning from the next character.
fn cells(row: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut characters = row.chars();
    while let Some(character) = characters.next() {
        match character {
            '|' => cells.push(std::mem::take(&mut cell).trim().trim_matches('`').to_owned()),
            '\\' => cell.extend(characters.next()),
            other => cell.push(other),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::{MATRIX, tables};

    #[test]
    fn tables_are_read() {
        let text =
            "# A\n\ntext | text\n\n| a | b |\n| - | -: |\n| `c` | d\\|\\_ |\n\n## `/x`\n\n| e |\n|---|\n";
        let found = tables(text);
        let rows = |rows: &[&[&str]]| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
        };
        assert_eq!(found, [("Subjects", rows(&[&["a", "b"], &["c", "d|_"]])), ("/x", rows(&[&["e"]]))]);
    }

    #[test]
    fn every_row_of_the_matrix_has_all_cells() {
        let tables = tables(MATRIX);
        assert!(tables.len() > 2);
        for (heading, rows) in tables {
            assert!(rows.len() > 1 && rows.iter().all(|row| row.len() == rows[0].len()), "{heading}");
        }
    }
}

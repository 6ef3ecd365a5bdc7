//! Pages for reviewers of the service: the guard report, and the access matrix as it was reviewed.

use actix_web::{HttpResponse, get, web::Data};
use auth_core::{CurrentUser, ProtectedConfig, roles_accepted};
use maud::{Markup, html};

use super::layout::{Page, Section, ok, scrolling};
use crate::{
    Service,
    auth::{ADMIN_READER, LoggedIn},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(guards).service(access_matrix);
}

/// Every route with its guards and policies, from the attributes of the handlers that are running.
#[roles_accepted(ADMIN_READER)]
#[get("/guards")]
async fn guards(current_user: CurrentUser<LoggedIn>, service: Data<Service>) -> HttpResponse {
    let registered = service.guards().await;
    let entries = registered.report().entries();
    let missing = registered.to_string();
    ok(&Page::new(&current_user, Section::Guards, "Guards").with(&html! {
        p {
            "Each route, with what is asked before its handler runs, all of which has to hold, and with the rules of the \
             policies. "
            a href="/access-matrix" { "What that means for whom" }
        }
        @if !missing.is_empty() {
            div role="alert" {
                @for line in missing.lines() { p { (line) } }
            }
        }
        p.count { (entries.len()) " routes" }
        ul.routes {
            @for entry in entries {
                li {
                    strong { (entry.methods().join(", ")) " " (entry.path()) }
                    (lines(entry.guards()))
                    (lines(entry.handler().policies()))
                }
            }
        }
    }))
}

/// The answers to requests of several subjects for several objects, as the tests compare them.
#[roles_accepted(ADMIN_READER)]
#[get("/access-matrix")]
async fn access_matrix(current_user: CurrentUser<LoggedIn>) -> HttpResponse {
    let page = Page::new(&current_user, Section::AccessMatrix, "Access matrix").wide();
    ok(&page.with(&html! {
        p {
            "Who gets in where in the demo world, as it was reviewed: "
            "\u{201c}yes\u{201d} for every answer that is no denial, or else the status of the denial. "
            a href="/guards" { "What the guards ask" }
        }
        @for (number, (heading, rows)) in tables(MATRIX).into_iter().enumerate() {
            @let id = format!("matrix-{number}");
            @if let [header, rows @ ..] = rows.as_slice() {
                // Method, path and object head the row.
                @let (about, name) = match header.first().map_or("", String::as_str) {
                    "method" => (3, "route and object"),
                    other => (1, other),
                };
                (scrolling(&id, &html! {
                    table.matrix {
                        caption id=(id) { (heading) }
                        thead {
                            tr {
                                th scope="col" { (name) }
                                @for cell in header.iter().skip(about) { th scope="col" { (cell) } }
                            }
                        }
                        tbody {
                            @for row in rows {
                                tr {
                                    th scope="row" { (row.iter().take(about).cloned().collect::<Vec<_>>().join(" ").trim_end()) }
                                    @for cell in row.iter().skip(about) {
                                        td class=[(cell == "yes").then_some("yes")] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }))
}

/// The reviewed file.
const MATRIX: &str = include_str!("../../../access-matrix.md");

fn lines(lines: impl Iterator<Item = String>) -> Markup {
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

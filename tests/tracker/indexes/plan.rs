//! The plans of statements, as each server explains them.

#[cfg(feature = "mysql")]
use diesel::sql_types::Nullable;
use diesel::{connection::SimpleConnection as _, prelude::*, sql_types::Text};

use crate::database::AnyConnection;

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[cfg(feature = "postgres")]
#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[cfg(feature = "mysql")]
#[derive(QueryableByName)]
struct MysqlTable {
    #[diesel(sql_type = Nullable<Text>)]
    table: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "type")]
    access: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
}

/// The tables, or their names within the statement, of which the plan reads every row; and the plan. The text is that of a
/// log, with the values behind it.
pub(super) fn read_as_a_whole(connection: &mut AnyConnection, logged: &str) -> (Vec<String>, String) {
    let explained = |explain: &str| diesel::sql_query(format!("{explain} {}", with_values(logged)));
    match connection {
        AnyConnection::Sqlite(connection) => {
            let steps: Vec<SqliteStep> = explained("EXPLAIN QUERY PLAN").load(connection).unwrap();
            let lines: Vec<String> = steps.into_iter().map(|step| step.detail).collect();
            (lines.iter().filter_map(|line| read_by_sqlite(line)).collect(), lines.join("\n"))
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(connection) => {
            let lines: Vec<PostgresLine> = explained("EXPLAIN").load(connection).unwrap();
            let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
            let next = lines.iter().skip(1).map(String::as_str).chain([""]);
            let read = lines.iter().zip(next).filter_map(|(line, next)| read_by_postgres(line, next));
            (read.collect(), lines.join("\n"))
        }
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(connection) => {
            let tables: Vec<MysqlTable> = explained("EXPLAIN").load(connection).unwrap();
            let lines = tables
                .iter()
                .map(|MysqlTable { table, access, key }| format!("{table:?} {access:?} {key:?}"));
            let lines: Vec<String> = lines.collect();
            (tables.into_iter().filter_map(read_by_mysql).collect(), lines.join("\n"))
        }
    }
}

/// `SCAN projects`, `SEARCH projects USING AUTOMATIC …` and `BLOOM FILTER ON projects …`: for the latter two it makes an index or
/// a filter of all rows. A walk is no table.
fn read_by_sqlite(line: &str) -> Option<String> {
    let (["SCAN", name, ..]
    | ["SEARCH", name, "USING", "AUTOMATIC", ..]
    | ["BLOOM", "FILTER", "ON", name, ..]) = *line.split(' ').collect::<Vec<_>>()
    else {
        return None;
    };
    let is_walk = ["__auth_up_", "__auth_down_", "__auth_reach_"].iter().any(|walk| name.starts_with(walk));
    (!is_walk).then(|| name.to_owned())
}

/// `Seq Scan on projects`, and an index that is read from its beginning to its end.
#[cfg(feature = "postgres")]
fn read_by_postgres(line: &str, next: &str) -> Option<String> {
    let line = line.trim_start_matches([' ', '-', '>']);
    let is_index = line.contains("Index Scan") || line.contains("Index Only Scan");
    let is_whole = line.contains("Seq Scan") || is_index && !next.contains("Index Cond");
    let name = line.split(" on ").nth(1).filter(|_| is_whole)?;
    name.split(' ').next().map(str::to_owned)
}

/// What is in `<…>` is no table, but what the statement itself has made.
#[cfg(feature = "mysql")]
fn read_by_mysql(MysqlTable { table, access, .. }: MysqlTable) -> Option<String> {
    let is_whole = access.is_some_and(|access| access == "ALL" || access == "index");
    table.filter(|table| is_whole && !table.starts_with('<'))
}

/// A statement with its values in it: explained, it takes none.
fn with_values(logged: &str) -> String {
    let (text, values) = logged.rsplit_once(" -- binds: ").unwrap();
    let values: Vec<serde_json::Value> = serde_json::from_str(values).unwrap();
    let written = values.iter().map(|value| match value {
        serde_json::Value::String(text) => format!("'{text}'"),
        value => value.to_string(),
    });
    let written: Vec<String> = written.collect();
    if text.contains("$1") {
        let numbered = written.iter().enumerate().rev();
        return numbered
            .fold(text.to_owned(), |text, (index, value)| text.replace(&format!("${}", index + 1), value));
    }
    let mut parts = text.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    assert_eq!(parts.clone().count(), written.len(), "{logged}");
    written.iter().zip(parts).fold(first, |text, (value, part)| text + value + part)
}

/// Has the server look at the rows, so that its plans are those for as many.
pub(super) fn update_statistics(connection: &mut AnyConnection) {
    let statement = match connection {
        AnyConnection::Sqlite(_) => "ANALYZE",
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => "ANALYZE",
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => {
            "ANALYZE TABLE organisations, memberships, projects, shares, teams, team_members, folders, tasks"
        }
    };
    connection.batch_execute(statement).unwrap();
}

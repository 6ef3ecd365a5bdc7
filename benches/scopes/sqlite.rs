//! SQLite.

use diesel::sql_types::{Integer, Text};

use crate::Asked;

#[path = "abilities.rs"]
pub(super) mod abilities;
#[path = "lists.rs"]
pub(super) mod lists;
#[path = "measured.rs"]
mod measured;
#[path = "tenants.rs"]
pub(super) mod tenants;

pub(super) type Connection = diesel::SqliteConnection;
type Database = diesel::sqlite::Sqlite;

const TIME: &str = "TEXT";
const PLACEHOLDER: &str = "?";
const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
type PlanColumns = (Integer, Integer, Integer, Text);
type PlanRow = (i32, i32, i32, String);

fn line((_, _, _, line): PlanRow) -> String {
    line
}

/// A scan by the primary key ends with the page, unless the page is sorted afterwards.
fn reads_all(plan: &[String], asked: Asked) -> bool {
    let says = |what: &str| plan.iter().any(|line| line.starts_with(what));
    says("SCAN sensors") && (asked == Asked::Row || says("USE TEMP B-TREE FOR ORDER BY"))
}

//! PostgreSQL.

use std::env;

use auth_benches::Error;
use diesel::{Connection as _, connection::SimpleConnection, sql_types::Text};

use crate::Asked;

#[path = "abilities.rs"]
pub(super) mod abilities;
#[path = "lists.rs"]
pub(super) mod lists;
#[path = "measured.rs"]
mod measured;
#[path = "tenants.rs"]
pub(super) mod tenants;

pub(super) type Connection = diesel::PgConnection;
type Database = diesel::pg::Pg;

const TIME: &str = "timestamp";
const PLACEHOLDER: &str = "$1";
const EXPLAIN: &str = "EXPLAIN ";
type PlanColumns = Text;
type PlanRow = String;

fn line(line: PlanRow) -> String {
    line
}

fn reads_all(plan: &[String], _: Asked) -> bool {
    plan.iter().any(|line| line.contains("Seq Scan on sensors"))
}

pub(super) fn in_schema(measure: impl FnOnce(&mut Connection) -> Result<(), Error>) -> Result<(), Error> {
    let url =
        env::var("AUTH_TEST_POSTGRES_URL").unwrap_or_else(|_| "postgres://127.0.0.1/postgres".to_owned());
    let connection = &mut Connection::establish(&url)?;
    connection.batch_execute(
        "DROP SCHEMA IF EXISTS auth_benches CASCADE; CREATE SCHEMA auth_benches; SET search_path = auth_benches",
    )?;
    let result = measure(connection);
    connection.batch_execute("DROP SCHEMA auth_benches CASCADE")?;
    result
}

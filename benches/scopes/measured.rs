//! Two statements in turn, and their plans, on one database: that of the module around.

use std::time::{Duration, Instant};

use diesel::{
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

use super::{Connection, Database, EXPLAIN, PlanColumns, PlanRow, line};

const PAIRS: usize = 1_000;
const WARM_UP: usize = 10;
/// Of a statement that takes long.
const FEWEST: usize = WARM_UP + 15;
const LONGEST: Duration = Duration::from_secs(20);

/// The beginning of a statement that inserts a row for each number.
pub(super) fn numbers(most: usize) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})")
}

type Work<'a> = dyn Fn(&mut Connection, i32) + 'a;

/// Calls both in turn, so that a machine whose speed drifts is fair to both, and gives the median of each. Each is the
/// first as often as the other: the first one finds the row in no cache.
pub(super) fn in_turn(
    connection: &mut Connection,
    all: i32,
    ours: impl Fn(&mut Connection, i32),
    theirs: impl Fn(&mut Connection, i32),
) -> [Duration; 2] {
    let mut measured = [Vec::with_capacity(PAIRS), Vec::with_capacity(PAIRS)];
    let begun = Instant::now();
    // The first calls prepare the statements, and PostgreSQL chooses a plan for good after five.
    let ids = (0..).step_by(487).map(|id: i32| 1 + id % all);
    for (pair, id) in ids.take(PAIRS + WARM_UP).enumerate() {
        if pair > FEWEST && begun.elapsed() > LONGEST {
            break;
        }
        let [our_times, their_times] = &mut measured;
        let mut both: [(&Work<'_>, _); 2] = [(&ours, our_times), (&theirs, their_times)];
        if pair % 2 == 1 {
            both.reverse();
        }
        for (work, times) in both {
            let start = Instant::now();
            work(connection, id);
            if pair >= WARM_UP {
                times.push(start.elapsed());
            }
        }
    }
    measured.map(|mut times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    })
}

pub(super) fn row(what: &str, ours: Duration, theirs: Duration) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("| {what} | {:.0} | {:.0} | {ratio:.2} |", micros(ours), micros(theirs));
}

/// A statement whose plan is printed.
struct Explain<Q>(Q);

impl<Q> Query for Explain<Q> {
    type SqlType = PlanColumns;
}

impl<Q> QueryId for Explain<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Database>> QueryFragment<Database> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Database>) -> QueryResult<()> {
        out.push_sql(EXPLAIN);
        self.0.walk_ast(out.reborrow())
    }
}

impl<Q> RunQueryDsl<Connection> for Explain<Q> {}

pub(super) fn plan<Q: QueryFragment<Database>>(
    query: Q,
    connection: &mut Connection,
) -> QueryResult<Vec<String>> {
    let plan: Vec<PlanRow> = Explain(query).load(connection)?;
    Ok(plan.into_iter().map(line).collect())
}

//! Filters that an application adds to a query, as raw SQL over the columns `n` and `touched`, which every table has.

use diesel::{
    dsl::sql,
    expression::{SqlLiteral, UncheckedBind},
    helper_types::AsExprOf,
    sql_types::{Bool, Integer},
};
use proptest::{
    prelude::any,
    prop_oneof,
    sample::select,
    strategy::{Just, Strategy},
};

/// A filter that is whole, and the text behind it.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    written: String,
    bound: i32,
    behind: &'static str,
}

/// The text behind a filter: nothing, comments, and text that breaks it.
const BEHIND: [&str; 13] =
    [" -- so", " --", " #", " /*", " /* ) */", ")", "))", ") -- ", ")) -- ", "(", "'", ";", " OR"];

pub(crate) fn added() -> impl Strategy<Value = Added> {
    let atom = prop_oneof![
        6 => (0..7_i32).prop_map(|n| format!("n = {n}")),
        2 => (0..7_i32).prop_map(|n| format!("n <> {n}")),
        1 => Just("n IN (0, 1, 2)".to_owned()),
        1 => Just("n IS NULL".to_owned()),
        2 => Just("touched = 0".to_owned()),
        2 => Just("1 = 1".to_owned()),
        1 => Just("1 = 0".to_owned()),
        1 => Just("EXISTS (SELECT 1)".to_owned()),
    ];
    // No more parentheses than are drawn: precedence is that of the database.
    let filter = atom.prop_recursive(4, 8, 2, |inner| {
        prop_oneof![
            5 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} OR {b}")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            2 => inner.clone().prop_map(|a| format!("NOT {a}")),
            2 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("/* ) OR ( */ {a}")),
            1 => inner.clone().prop_map(|a| format!("-- ) OR (\n{a}")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("CASE WHEN {a} THEN {b} ELSE 1 = 1 END")),
        ]
    });
    let behind = prop_oneof![Just(""), select(&BEHIND[..])];
    (filter, any::<bool>(), 0..7_i32, behind).prop_map(|(filter, or, bound, behind)| Added {
        written: format!("{filter} {} n = ", if or { "OR" } else { "AND" }),
        bound,
        behind,
    })
}

impl Added {
    pub(crate) fn predicate(
        &self,
    ) -> SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<i32, Integer>>> {
        sql::<Bool>(&self.written).bind::<Integer, _>(self.bound).sql(self.behind)
    }

    /// A query of its own for the rows for which it is true.
    pub(crate) fn query(&self, table: &str) -> String {
        let Self { written, bound, .. } = self;
        format!("SELECT n FROM {table} WHERE {written}{bound}")
    }

    /// Whether the text behind it does not break it.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.behind, "" | " /* ) */")
    }
}

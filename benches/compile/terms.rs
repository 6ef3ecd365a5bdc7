//! What each term of a policy costs.

use std::{error::Error, path::Path};

use crate::Crate;

/// With the number of terms that it is. The first one is the measure of the others.
const TERMS: [(&str, f64); 5] = [
    ("user(owner_id)", 1.0),
    ("permission(\"notes\")", 1.0),
    ("is(state, \"published\")", 1.0),
    ("until(ends_at)", 1.0),
    ("any(parts: user(owner_id) & until(ends_at))", 3.0),
];

/// What a term may cost, as a part of what the first one does.
const BUDGET: f64 = 1.1;

const MODELS: u16 = 50;
const FEW: usize = 2;
const MANY: usize = 10;
const ADDED: f64 = 8.0;

const DEPENDENCIES: &str = r#"
auth-core = { path = "AUTH_CORE", default-features = false, features = ["diesel"] }
diesel = { version = "2", default-features = false, features = ["sqlite", "time"] }
time = { version = "0.3", default-features = false }
"#;

const HEAD: &str = r"#![allow(unused)]
use auth_core::AuthModel;
use diesel::{prelude::*, sqlite::Sqlite};
use time::PrimitiveDateTime;

diesel::table! {
    notes (id) {
        id -> Integer,
        owner_id -> Nullable<Integer>,
        state -> Text,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    parts (id) {
        id -> Integer,
        note_id -> Integer,
        owner_id -> Nullable<Integer>,
        ends_at -> Nullable<Timestamp>,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = parts, check_for_backend(Sqlite))]
#[acl()]
pub struct Part {
    id: i32,
    note_id: i32,
    owner_id: Option<i32>,
    ends_at: Option<PrimitiveDateTime>,
}
";

pub(crate) fn measure(workspace: &Path) -> Result<(), Box<dyn Error>> {
    let krate = Crate::new(workspace, "terms", DEPENDENCIES)?;
    krate.check("")?;
    let mut first = None;
    for (term, terms) in TERMS {
        let mut counts = [0.0; 2];
        for (times, instructions) in [FEW, MANY].into_iter().zip(&mut counts) {
            let rule = vec![term; times].join(" | ");
            let mut source = HEAD.to_owned();
            source.extend((0..MODELS).map(|number| model(number, &rule)));
            *instructions = krate.count(&source)?.instructions;
        }
        let [few, many] = counts;
        let added = f64::from(MODELS) * terms * ADDED;
        let each = (many - few) / added;
        let of_first = each / *first.get_or_insert(each);
        println!(
            "`{term}`: {each:.3} million instructions for each term, {of_first:.2} × those of the first"
        );
        if of_first > BUDGET {
            return Err(format!("`{term}` costs the compiler too much (budget: {BUDGET} ×)").into());
        }
    }
    Ok(())
}

fn model(number: u16, rule: &str) -> String {
    format!(
        "
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[auth(has_many(parts: Part, note_id))]
#[acl(read = {rule})]
pub struct Note{number} {{
    id: i32,
    owner_id: Option<i32>,
    state: String,
    ends_at: Option<PrimitiveDateTime>,
}}
"
    )
}

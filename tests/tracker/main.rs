//! A usual application with tenants: people in several organisations with a level in each, projects that are shared with
//! outsiders until a date, folders, locked tasks. Its rules are policies alone, and each decides, lists, changes and explains.

mod database;
mod guards;
mod indexes;
#[allow(dead_code, reason = "most fields are there for policies")]
mod models;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod races;
mod rules;

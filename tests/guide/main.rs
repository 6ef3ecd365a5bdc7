//! The book. Every Rust example of a chapter `docs/NAME.md` stands word for word in the file of that name here, and so
//! compiles; the tests of that file hold what the chapter says. `book` has what holds for all chapters.

mod audit;
mod book;
mod callers;
mod changes;
mod deploying;
mod from_casbin;
mod from_flexmeasures;
mod from_flexmeasures_columns;
mod from_grants;
mod guards;
mod layers;
mod policies;
// The program of the README, formatted as it is there.
#[rustfmt::skip]
mod readme;
mod recipes;
mod reviewing;
mod security;
mod statements;
mod statements_of_changes;
mod testing;

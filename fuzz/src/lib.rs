//! Properties that hold for every input: one function for each kind of input. It panics where a property does not hold,
//! and returns whether the input was let in.
//!
//! `cargo fuzz` looks for inputs, and the test `corpus` gives those that were found before to the same functions, with a
//! stable compiler alone.

mod cookies;
mod expansion;
mod ids;
mod member;
mod principals;
mod service;
mod tokens;

/// A crate of macros cannot be linked, so its modules are compiled into this one.
#[path = "../../auth-macros/src"]
mod macros {
    pub(crate) mod acl;
    pub(crate) mod args;
    pub(crate) mod attribute;
    pub(crate) mod auth_model;
    pub(crate) mod errors;
    pub(crate) mod expand;
    pub(crate) mod handler;
    pub(crate) mod load_context;
    pub(crate) mod model;
    pub(crate) mod nearest;
    pub(crate) mod route;
    pub(crate) mod row;
    pub(crate) mod runtime;
    pub(crate) mod types;
    pub(crate) mod validate;
}
// The place where these modules look for each other.
use macros::{
    acl, args, attribute, auth_model, errors, expand, handler, load_context, model, nearest, route, row,
    runtime, types, validate,
};

pub use self::{cookies::cookies, expansion::expansion, ids::ids, principals::principals, tokens::tokens};

/// The program of a target: the entry of `cargo fuzz`, and without it a program that takes files.
#[macro_export]
macro_rules! target {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            let _ = $crate::$target(input);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for file in std::env::args_os().skip(1) {
                let outcome = if $crate::$target(&std::fs::read(&file)?) { "let in" } else { "refused" };
                println!("{}: {outcome}", file.display());
            }
            Ok(())
        }
    };
}

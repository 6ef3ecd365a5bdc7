//! The measured code: one rule, written in several ways, as a decision, in a handler, and in front of a body.
//!
//! Each file beside this folder is a benchmark, and says how it is run. `docs/results.md` has their results.

pub mod bodies;
pub mod client;
pub mod counting;
pub mod database;
pub mod decision;
#[cfg(feature = "peers")]
pub mod peers;
pub mod requests;
pub mod rule;
pub mod work;

/// Every error ends a benchmark.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

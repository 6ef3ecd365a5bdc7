//! The work of a benchmark in a process of its own, where it is counted.

use crate::{Error, bodies, decision, requests};

/// Does the work of this name as often, and nothing else.
///
/// # Errors
///
/// If there is no such work, or it fails.
pub fn repeat(name: &str, times: u32) -> Result<(), Error> {
    match name.split_once('/') {
        Some(("decision", work)) => decision::repeat(work, times),
        Some(("requests", work)) => requests::repeat(work, times),
        Some(("bodies", work)) => bodies::repeat(work, times),
        _ => Err(format!("no work is called `{name}`").into()),
    }
}

/// Whether no thread waits for another in this work.
pub(crate) fn is_of_one_thread(name: &str) -> bool {
    name.starts_with("decision/")
}

//! The behaviour of the service when a part around it fails: the database, its pool, the sessions' Redis, a mechanism,
//! clients.
//!
//! All but the mechanism is tried on the program itself, in a process of its own, whose memory, threads and open files
//! the tests read from outside. Every answer has to be the right one, or a 503; no caller is let in wrongly; and
//! afterwards everything is as before, without a restart. Each test prints its observations.
//!
//! And its behaviour as it is deployed, with nginx in front of it.
//!
//! The servers that are started here are those of the tests, each on a port of its own. Where their programs are not
//! installed, a test is left out, with a line that says so, unless `CI` is set.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

mod clients;
#[cfg(feature = "postgres")]
mod database;
mod deployed;
mod load;
mod mechanism;
mod nginx;
mod pool;
mod servers;
#[cfg(feature = "redis")]
mod sessions;

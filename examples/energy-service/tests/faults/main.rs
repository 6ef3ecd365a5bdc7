//! What the service does when what is around it fails: the database, its pool, the sessions' Redis, a mechanism, clients.
//!
//! All but the mechanism is tried on the program itself, in a process of its own, whose memory, threads and open files are
//! looked at from outside. Every answer has to be the right one, or say that there is none at the moment; nobody is let in
//! who may not; and afterwards everything is as before, without a restart. Each test prints what it saw.
//!
//! And what it does as it is deployed, with nginx in front of it.
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
mod folder;
mod load;
mod mechanism;
mod nginx;
mod pool;
mod process;
mod servers;
#[cfg(feature = "redis")]
mod sessions;

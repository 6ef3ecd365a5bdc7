//! What a client sees: guarded services, real connections, a real database.

mod attributes;
mod basic;
mod client;
mod contexts;
mod energy;
mod failures;
mod fixture;
mod log;
mod mechanisms;
mod phases;
mod redis;
mod session;

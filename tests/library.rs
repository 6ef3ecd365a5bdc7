//! What the library promises by itself: decisions, contexts, what the testing kit finds.

mod allocations;
mod asynchronous;
mod conformance;
mod kit;

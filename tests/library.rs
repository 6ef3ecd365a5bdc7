//! What the library promises by itself: decisions, contexts, what the guides show, what the testing kit finds.

mod allocations;
mod asynchronous;
mod conformance;
mod guide;
mod kit;

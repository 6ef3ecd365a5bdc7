//! The energy service as a whole: what its access matrix notices, what two instances answer while everything changes,
//! what its pages are in a browser. Each has a short form, for every change, and a long one, for a release.

mod browser;
mod mutants;
mod soak;

//! HTTP besides the guards: the registered `Auth`, extractors and denials.

mod again;
pub(crate) mod auth;
pub(crate) mod catch_panic;
pub mod denial;
mod deny;
mod extractors;
#[cfg(feature = "test")]
mod log;

#[cfg(feature = "diesel")]
pub use self::extractors::Accessible;
pub use self::{
    auth::{Auth, AuthBuilder, AuthConfigError},
    denial::Denial,
    deny::{Decider, OwnRule},
    extractors::{CurrentUser, MaybeUser},
};

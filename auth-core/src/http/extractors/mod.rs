//! Extractors for a handler's arguments: its caller, and the rows that the caller may see or change.

#[cfg(feature = "diesel")]
mod accessible;
mod current_user;

#[cfg(feature = "diesel")]
pub use self::accessible::Accessible;
pub use self::current_user::{CurrentUser, MaybeUser};

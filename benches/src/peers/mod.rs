//! The rule in other libraries.

pub mod casbin;
pub mod cedar;
pub mod grants;

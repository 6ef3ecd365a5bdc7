//! The words of every decision: a subject, a permission, the principals of a rule, and the decision itself. Nothing here
//! depends on actix-web or diesel.

mod condition;
mod decision;
pub(crate) mod id;
pub mod permission;
mod principal;
mod subject;

#[cfg(feature = "diesel")]
pub(crate) use self::decision::above_lists;
pub(crate) use self::{
    condition::Condition,
    decision::{decide, is_admin},
    permission::PermissionMarker,
    subject::{OwnId, Rank},
};
pub use self::{
    decision::{AllowReason, Decision, DenyReason},
    id::{Id, IdRef},
    permission::Permission,
    principal::{ParsePrincipalError, Principal},
    subject::{AdminRoles, Subject, User},
};

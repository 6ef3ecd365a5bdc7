//! The objects that requests are about: each with its row, and with its policy, which decides about single rows, lists
//! and changes alike. The policies are those of FlexMeasures, with shares, parts and assigned consultants beside them, which give
//! nobody anything unless somebody says so.
//!
//! The rows have only the columns that the service shows; not the hash of a password, for example.

mod account;
mod asset;
mod audit_log;
mod duration;
mod flex_model;
mod measurement;
pub(crate) mod role;
mod sensor;
mod share;
mod user;

pub(crate) use self::flex_model::referenced;
pub use self::{
    account::{Account, AssignedConsultant, Platform, PublicAssets},
    asset::{Asset, AssetOfAccount},
    audit_log::{AccountAuditLog, AssetAuditLog, AuditLog, UserAuditLog},
    duration::{IsoDuration, Minutes},
    flex_model::{FlexModel, SensorsToShow},
    measurement::Measurement,
    sensor::Sensor,
    share::AssetShare,
    user::User,
};

//! The objects that requests are about: each with its row, the way it is loaded as a context and its
//! access-control list. The lists are those of FlexMeasures.
//!
//! Only what the service shows is in the rows; the hash of a password, for one, is not.

use auth_core::{Expr, Rule, account, role};

use crate::auth::CONSULTANT;

mod account;
mod asset;
mod audit_log;
mod flex_model;
mod measurement;
mod sensor;
mod user;

pub use self::{
    account::{Account, Platform, PublicAssets},
    asset::{Asset, AssetOfAccount, AssetRow},
    audit_log::{AccountAuditLog, AssetAuditLog, AuditLog, UserAuditLog},
    flex_model::FlexModel,
    measurement::Measurement,
    sensor::{Sensor, SensorRow},
    user::{User, UserRow},
};

/// The consultants of an account: who has the role and belongs to the account that is its consultancy, if it
/// has one.
///
/// A consultancy is not passed on: the consultancy of an account's consultancy has nothing to do with the
/// account.
fn consultant_of(consultancy_account_id: Option<i32>) -> Expr<impl Rule> {
    role(CONSULTANT) & consultancy_account_id.map(account)
}

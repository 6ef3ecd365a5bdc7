//! Writes the audit log: each change, with its author and its object. An entry about a change is written in the
//! transaction of the change that it describes, so there is neither a change without an entry nor an entry without a
//! change. The exceptions: measurements, log-ins and log-outs are not in it. Denials of users are stored a little later,
//! and in bounded numbers. For reading there are the [models](crate::models) of the log.

mod bounds;
mod denials;

use auth_core::CurrentUser;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use crate::{
    auth::{LoggedIn, confirm},
    database::{Connection, Instant},
    error::ServiceError,
    schema::{asset_audit_log, audit_log, users},
};

pub use self::denials::AuditConfig;
pub(crate) use self::denials::store_denials;

/// The object of a change. `None` is an object that the same transaction deletes: its entry stays.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Affected {
    Account(Option<i32>),
    /// A user, of this account.
    User(Option<i32>, i32),
    /// An asset, or a sensor of it.
    Asset(Option<i32>),
}

/// Writes an entry about an action of `active`.
///
/// # Errors
///
/// As [`confirm`]: a user who was deactivated since the request began, or lost a role, makes no change.
pub(crate) fn record(
    active: &CurrentUser<LoggedIn>,
    affected: Affected,
    event: &str,
    connection: &mut Connection,
) -> Result<(), ServiceError> {
    confirm(active, connection)?;
    let name: String = users::table.find(active.id).select(users::username).first(connection)?;
    let now = Instant::now();
    let (user, account) = match affected {
        Affected::Account(account) => (None, account),
        Affected::User(user, account) => (user, Some(account)),
        Affected::Asset(asset) => {
            diesel::insert_into(asset_audit_log::table)
                .values((
                    asset_audit_log::event_datetime.eq(now),
                    asset_audit_log::event.eq(event),
                    asset_audit_log::active_user_id.eq(active.id),
                    asset_audit_log::active_user_name.eq(name),
                    asset_audit_log::affected_asset_id.eq(asset),
                ))
                .execute(connection)?;
            return Ok(());
        }
    };
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::event_datetime.eq(now),
            audit_log::event.eq(event),
            audit_log::active_user_id.eq(active.id),
            audit_log::active_user_name.eq(name),
            audit_log::affected_user_id.eq(user),
            audit_log::affected_account_id.eq(account),
        ))
        .execute(connection)?;
    Ok(())
}

/// `name, active` of the fields of a change that are there; `None` of a change that changes nothing.
pub(crate) fn changed_fields(fields: &[(&str, bool)]) -> Option<String> {
    let changed: Vec<_> = fields.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect();
    (!changed.is_empty()).then(|| changed.join(", "))
}

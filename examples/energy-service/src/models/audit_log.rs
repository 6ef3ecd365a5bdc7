//! The audit log: single entries, and the logs of one account and of one user, which have rules of their own.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::{
    auth::{ACCOUNT_ADMIN, CONSULT},
    database::{Backend, Connection, Instant},
    schema::{accounts, asset_audit_log, audit_log, users},
};

/// An entry about an account or about a user. Entries are read as the log of an account or of a user; each by itself is
/// for admins alone, so its policy names no subject.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = audit_log, check_for_backend(Backend))]
#[auth(connection = Connection)]
#[acl(read = nobody)]
pub struct AuditLog {
    /// The key. A later entry has a greater one.
    pub id: i32,
    /// When it happened, in UTC; the last time, where it happened several times. A denial is stored a little later.
    #[schema(value_type = String, format = DateTime)]
    pub event_datetime: Instant,
    /// The event, in English.
    pub event: String,
    /// The user who did it, or was denied it. None: the user is no more.
    pub active_user_id: Option<i32>,
    /// Under which name.
    pub active_user_name: Option<String>,
    /// The user that it happened to, if there is one, and still is; of a denial, the denied user.
    pub affected_user_id: Option<i32>,
    /// The account that it happened to, or to whose user, if it still is.
    pub affected_account_id: Option<i32>,
}

/// An entry about an asset, or about a sensor of it. For admins alone, too.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = asset_audit_log, check_for_backend(Backend))]
#[auth(connection = Connection)]
#[acl(read = nobody)]
pub struct AssetAuditLog {
    /// The key. A later entry has a greater one.
    pub id: i32,
    /// When it happened, in UTC.
    #[schema(value_type = String, format = DateTime)]
    pub event_datetime: Instant,
    /// The event, in English.
    pub event: String,
    /// The user who did it. None: the user is no more.
    pub active_user_id: Option<i32>,
    /// Under which name.
    pub active_user_name: Option<String>,
    /// The asset that it happened to, or to whose sensor, if it still is.
    pub affected_asset_id: Option<i32>,
}

/// The log of one account, as a context: the account's row once more, but with rules for the entries that are about the
/// account and its users. The account's admins and its consultants read it; only the service itself writes it.
#[derive(AuthModel, Clone, Copy, Debug, LoadContext, Queryable, Selectable)]
#[diesel(table_name = accounts, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(account: Account, id))]
#[acl(read = account(id) & role(ACCOUNT_ADMIN) | account.CONSULT)]
pub struct AccountAuditLog {
    /// The account.
    #[diesel(column_name = id)]
    pub account_id: i32,
}

/// The log of one user, as a context. The user, the account's admins and its consultants read it.
#[derive(AuthModel, Clone, Copy, Debug, LoadContext, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(account: Account, account_id))]
#[acl(read = user(id) | account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT)]
pub struct UserAuditLog {
    /// The user.
    #[diesel(column_name = id)]
    pub user_id: i32,
}

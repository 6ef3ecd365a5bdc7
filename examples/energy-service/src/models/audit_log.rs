//! The audit log: single entries, and the logs of one account and of one user, which have rules of their own.

use auth_core::{Acl, AuthModel, LoadContext, LoadError, Permission, account, allow, nobody, role, user};
use diesel::{ExpressionMethods, Identifiable, QueryDsl, Queryable, RunQueryDsl, Selectable};
use serde::{Serialize, Serializer};

use super::consultant_of;
use crate::{
    auth::ACCOUNT_ADMIN,
    database::{Backend, Connection, Instant},
    schema::{accounts, asset_audit_log, audit_log, users},
};

/// An entry about an account or about a user.
#[derive(Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize)]
#[diesel(table_name = audit_log, check_for_backend(Backend))]
#[auth(connection = Connection)]
pub struct AuditLog {
    /// The key. A later entry has a greater one.
    pub id: i32,
    /// When it happened, in UTC.
    #[serde(serialize_with = "utc")]
    pub event_datetime: Instant,
    /// What happened, in English.
    pub event: String,
    /// Who did it. Nobody: the user is no more.
    pub active_user_id: Option<i32>,
    /// Under which name.
    pub active_user_name: Option<String>,
    /// The user that it happened to, if there is one, and still is.
    pub affected_user_id: Option<i32>,
    /// The account that it happened to, or to whose user, if it still is.
    pub affected_account_id: Option<i32>,
}

/// Entries are read as the log of an account or of a user. Each by itself is for admins alone.
impl AuthModel for AuditLog {
    fn acl(&self) -> impl Acl {
        nothing_but_admins()
    }
}

/// An entry about an asset, or about a sensor of it.
#[derive(Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize)]
#[diesel(table_name = asset_audit_log, check_for_backend(Backend))]
#[auth(connection = Connection)]
pub struct AssetAuditLog {
    /// The key. A later entry has a greater one.
    pub id: i32,
    /// When it happened, in UTC.
    #[serde(serialize_with = "utc")]
    pub event_datetime: Instant,
    /// What happened, in English.
    pub event: String,
    /// Who did it. Nobody: the user is no more.
    pub active_user_id: Option<i32>,
    /// Under which name.
    pub active_user_name: Option<String>,
    /// The asset that it happened to, or to whose sensor, if it still is.
    pub affected_asset_id: Option<i32>,
}

impl AuthModel for AssetAuditLog {
    fn acl(&self) -> impl Acl {
        nothing_but_admins()
    }
}

/// The log of one account, as a context: no row of its own, but rules for the entries that are about the
/// account and its users. It is there when the account is.
#[derive(Clone, Copy, Debug)]
pub struct AccountAuditLog {
    /// The account.
    pub account_id: i32,
    /// Its consultancy.
    pub consultancy_account_id: Option<i32>,
}

impl LoadContext for AccountAuditLog {
    type Id = i32;
    type Connection = Connection;

    fn load(account_id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let consultancy_account_id =
            accounts::table.find(account_id).select(accounts::consultancy_account_id).first(connection)?;
        Ok(Self { account_id, consultancy_account_id })
    }
}

/// Read by who runs the account and its consultants. Nobody writes it but the service itself.
impl AuthModel for AccountAuditLog {
    fn acl(&self) -> impl Acl {
        allow(
            Permission::READ,
            account(self.account_id) & role(ACCOUNT_ADMIN) | consultant_of(self.consultancy_account_id),
        )
    }
}

/// The log of one user, as a context. It is there when the user is.
#[derive(Clone, Copy, Debug)]
pub struct UserAuditLog {
    /// The user.
    pub user_id: i32,
    /// The user's account.
    pub account_id: i32,
    /// The consultancy of that account.
    pub consultancy_account_id: Option<i32>,
}

impl LoadContext for UserAuditLog {
    type Id = i32;
    type Connection = Connection;

    fn load(user_id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let (account_id, consultancy_account_id) = users::table
            .inner_join(accounts::table)
            .filter(users::id.eq(user_id))
            .select((users::account_id, accounts::consultancy_account_id))
            .first(connection)?;
        Ok(Self { user_id, account_id, consultancy_account_id })
    }
}

/// Read by the user, who runs the account, and its consultants.
impl AuthModel for UserAuditLog {
    fn acl(&self) -> impl Acl {
        allow(
            Permission::READ,
            user(self.user_id)
                | account(self.account_id) & role(ACCOUNT_ADMIN)
                | consultant_of(self.consultancy_account_id),
        )
    }
}

/// A list without a rule, so that the admin roles decide alone.
fn nothing_but_admins() -> impl Acl {
    allow(Permission::READ, nobody())
}

fn utc<S: Serializer>(Instant(instant): &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    instant.and_utc().serialize(serializer)
}

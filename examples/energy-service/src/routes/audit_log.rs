//! The audit log: of an account, of a user, and by single entries.

use actix_web::{
    get,
    web::{Data, Json, Query},
};
use auth_core::{ProtectedConfig, permission_required_for_context};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SelectableHelper};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::{
    bounds::{self, ENTRIES},
    input::within,
    openapi::InvalidQuery,
};
use crate::{
    database::{Backend, Database},
    error::ServiceError,
    models::{AccountAuditLog, AssetAuditLog, AuditLog, UserAuditLog},
    schema::audit_log,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(of_account).service(of_user).service(view).service(view_of_asset);
}

#[derive(OpenApi)]
#[openapi(paths(of_account, of_user, view, view_of_asset))]
pub(super) struct Api;

/// A part of a log, or of another list of which the latest comes first. The next page is `before` the last entry of this one.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Only entries with a smaller id, which are older.
    pub(super) before: Option<i32>,
    /// The number of entries.
    #[param(schema_with = bounds::entries)]
    pub(super) limit: Option<i64>,
}

impl Page {
    /// The id before which the entries are, and their number.
    pub(super) fn bounds(&self) -> Result<(i32, i64), ServiceError> {
        let limit = self.limit.unwrap_or(*ENTRIES.end());
        within("limit", limit, &ENTRIES)?;
        Ok((self.before.unwrap_or(i32::MAX), limit))
    }
}

/// The events of an account and of its users, the latest first.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account."), Page),
    responses((status = 200, description = "The entries.", body = Vec<AuditLog>), InvalidQuery),
)]
#[permission_required_for_context("read", ctx_arg = "log", id = "account_id")]
#[get("/accounts/{account_id}/audit-log")]
async fn of_account(
    log: AccountAuditLog,
    Query(page): Query<Page>,
    database: Data<Database>,
) -> Result<Json<Vec<AuditLog>>, ServiceError> {
    Ok(Json(latest_of_account(log, &page, &database).await?))
}

pub(super) async fn latest_of_account(
    log: AccountAuditLog,
    page: &Page,
    database: &Database,
) -> Result<Vec<AuditLog>, ServiceError> {
    let entries = audit_log::table.filter(audit_log::affected_account_id.eq(log.account_id));
    latest(entries.into_boxed(), page, database).await
}

/// The events of a user, the latest first.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user."), Page),
    responses((status = 200, description = "The entries.", body = Vec<AuditLog>), InvalidQuery),
)]
#[permission_required_for_context("read", ctx_arg = "log", id = "user_id")]
#[get("/users/{user_id}/audit-log")]
async fn of_user(
    log: UserAuditLog,
    Query(page): Query<Page>,
    database: Data<Database>,
) -> Result<Json<Vec<AuditLog>>, ServiceError> {
    Ok(Json(latest_of_user(log, &page, &database).await?))
}

pub(super) async fn latest_of_user(
    log: UserAuditLog,
    page: &Page,
    database: &Database,
) -> Result<Vec<AuditLog>, ServiceError> {
    let entries = audit_log::table.filter(audit_log::affected_user_id.eq(log.user_id));
    latest(entries.into_boxed(), page, database).await
}

/// A page of these entries, the latest first. The caller checks the policy of the log, which stands for all of its entries:
/// an entry by itself is for admins alone.
async fn latest(
    entries: audit_log::BoxedQuery<'static, Backend>,
    page: &Page,
    database: &Database,
) -> Result<Vec<AuditLog>, ServiceError> {
    let (before, limit) = page.bounds()?;
    let entries = entries.filter(audit_log::id.lt(before)).order(audit_log::id.desc()).limit(limit);
    database.run(move |connection| Ok(entries.select(AuditLog::as_select()).load(connection)?)).await
}

/// Shows an entry about an account or a user.
#[utoipa::path(
    params(("audit_log_id" = i32, Path, description = "The entry.")),
    responses((status = 200, description = "The entry.", body = AuditLog)),
)]
#[permission_required_for_context("read", ctx_arg = "audit_log")]
#[get("/audit-log/{audit_log_id}")]
async fn view(audit_log: AuditLog) -> Json<AuditLog> {
    Json(audit_log)
}

/// Shows an entry about an asset.
#[utoipa::path(
    params(("asset_audit_log_id" = i32, Path, description = "The entry.")),
    responses((status = 200, description = "The entry.", body = AssetAuditLog)),
)]
#[permission_required_for_context("read", ctx_arg = "asset_audit_log")]
#[get("/asset-audit-log/{asset_audit_log_id}")]
async fn view_of_asset(asset_audit_log: AssetAuditLog) -> Json<AssetAuditLog> {
    Json(asset_audit_log)
}

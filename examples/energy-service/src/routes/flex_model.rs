//! The flex-model of an asset: a document that refers to sensors, which need not be the asset's own.

use actix_web::{
    get, put,
    web::{Data, Json},
};
use auth_core::{CurrentUser, Permission, ProtectedConfig, Stored, permission_required_for_context};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use utoipa::OpenApi;

use super::{
    input::{Valid, Validate},
    openapi::InvalidBody,
};
use crate::{
    audit::{self, Affected},
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::{Asset, FlexModel},
    schema::assets,
};

/// The longest document, in bytes as it is stored.
const MAX_DOCUMENT: usize = 60_000;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(replace);
}

#[derive(OpenApi)]
#[openapi(paths(view, replace))]
pub(super) struct Api;

impl Validate for FlexModel {
    fn validate(&self) -> Result<(), ServiceError> {
        // First, to bound the search for references: it keeps the event loop from other requests.
        stored(self)?;
        self.references().map(drop)
    }
}

/// The text of a document, if it is not too long to be stored.
pub(super) fn stored(document: &impl Serialize) -> Result<String, ServiceError> {
    let text = serde_json::to_string(document).map_err(ServiceError::internal)?;
    if text.len() > MAX_DOCUMENT {
        return Err(ServiceError::invalid(format!("the document is longer than {MAX_DOCUMENT} bytes")));
    }
    Ok(text)
}

/// Shows the flex-model of an asset.
// A part of the asset. It names sensors by their ids alone, also some that its reader may not read.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    responses((status = 200, description = "The document.", body = FlexModel)),
)]
#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}/flex-model")]
async fn view(asset: Asset) -> Result<Json<FlexModel>, ServiceError> {
    let document = asset.flex_model.ok_or(ServiceError::NotFound)?;
    Ok(Json(serde_json::from_str(&document).map_err(ServiceError::internal)?))
}

/// Stores the document, if the caller may change the asset and read every sensor that the document refers to. It may
/// refer to none.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = FlexModel,
    responses((status = 200, description = "The document.", body = FlexModel), InvalidBody),
)]
#[permission_required_for_context("update", ctx_arg = "asset")]
#[permission_required_for_context("read", ctx_loader = FlexModel::sensors(document, connection), allow_empty = true)]
#[put("/assets/{asset_id}/flex-model")]
async fn replace(
    asset: Asset,
    Valid(document): Valid<FlexModel>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<FlexModel>, ServiceError> {
    let text = stored(&document)?;
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let id = asset.id;
                Asset::authorize_for_update(connection, &current_user, id, Permission::UPDATE)?;
                diesel::update(assets::table.find(id))
                    .set(assets::flex_model.eq(&text))
                    .execute(connection)?;
                let event = format!("changed the asset {id}: flex-model");
                audit::record(&current_user, Affected::Asset(Some(id)), &event, connection)
            })
        })
        .await?;
    Ok(Json(document))
}

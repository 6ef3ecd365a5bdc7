//! The types of assets: those with which FlexMeasures begins. The service makes nothing of them.

use actix_web::{
    get,
    web::{Json, Query},
};
use auth_core::{ProtectedConfig, auth_required};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{input::NoParameters, openapi::InvalidQuery};
use crate::error::ServiceError;

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list);
}

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Api;

/// A type of assets.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(super) struct AssetType {
    id: i32,
    name: &'static str,
    description: &'static str,
}

const TYPES: [AssetType; 8] = [
    AssetType { id: 1, name: "solar", description: "solar panel(s)" },
    AssetType { id: 2, name: "wind", description: "wind turbine" },
    AssetType {
        id: 3,
        name: "one-way_evse",
        description: "uni-directional Electric Vehicle Supply Equipment",
    },
    AssetType {
        id: 4,
        name: "two-way_evse",
        description: "bi-directional Electric Vehicle Supply Equipment",
    },
    AssetType { id: 5, name: "battery", description: "stationary battery" },
    AssetType { id: 6, name: "building", description: "building" },
    AssetType { id: 7, name: "process", description: "process" },
    AssetType { id: 8, name: "weather station", description: "a set of weather sensors" },
];

/// The types that an asset may have.
#[utoipa::path(responses((status = 200, description = "The types.", body = Vec<AssetType>), InvalidQuery))]
#[auth_required]
#[get("/assets/types")]
async fn list(_: Query<NoParameters>) -> Json<[AssetType; TYPES.len()]> {
    Json(TYPES)
}

/// An asset has one of these types.
pub(super) fn valid(id: i32) -> Result<(), ServiceError> {
    if TYPES.iter().any(|known| known.id == id) {
        Ok(())
    } else {
        Err(ServiceError::invalid_field("generic_asset_type_id", "is not the id of a type of assets"))
    }
}

//! Sensors: one series of measurements each, at an asset.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Asset;
use crate::{
    database::{Backend, Connection},
    schema::sensors,
};

/// A sensor, as it is stored and shown.
///
/// Who reads the asset reads its sensors, and who may add to it records measurements, which are a sensor's children. The
/// sensor itself is changed and deleted by who may delete the asset.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = sensors, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(asset: Asset, asset_id))]
#[acl(
    create_children = asset.create_children,
    read = asset.read,
    update = asset.delete,
    delete = asset.delete,
)]
pub struct Sensor {
    /// The key.
    pub id: i32,
    /// The asset that it measures.
    pub asset_id: i32,
    /// What it measures.
    pub name: String,
    /// The unit of its values, such as `kW`; empty for plain numbers.
    pub unit: String,
    /// How long one measured event lasts, in minutes.
    pub event_resolution_minutes: i32,
}

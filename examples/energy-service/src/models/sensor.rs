//! Sensors: one series of measurements each, at an asset.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asset, Minutes};
use crate::{
    database::{Backend, Connection},
    schema::sensors,
};

/// A sensor, as it is stored and shown.
///
/// Readers of the asset read its sensors, and subjects who may add to the asset record measurements, which are a sensor's
/// children. A permission to delete the asset covers changing and deleting the sensor itself.
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
    /// The asset once more, by the name that clients of FlexMeasures know.
    #[diesel(column_name = asset_id)]
    pub generic_asset_id: i32,
    /// The quantity that it measures.
    pub name: String,
    /// The unit of its values, such as `kW`; empty for plain numbers.
    pub unit: String,
    /// How long one measured event lasts, in minutes.
    pub event_resolution_minutes: i32,
    /// The same as a duration of ISO 8601, such as `PT15M`.
    #[diesel(column_name = event_resolution_minutes, deserialize_as = i32)]
    #[schema(value_type = String)]
    pub event_resolution: Minutes,
    /// The text of a JSON object, of which the service makes nothing.
    pub attributes: String,
    /// The name of a time zone, of which the service makes nothing: its instants have an offset.
    pub timezone: String,
}

//! Sensors, by their id and as a list; they are created at an asset.

use actix_web::{
    HttpResponse, delete, get, patch,
    web::{Data, Json, Query},
};
use auth_core::{
    Accessible, AuthChangeset, Authorized, CurrentUser, LoadContext, Permission, ProtectedConfig, Scoped,
    Stored, Visible, auth_required,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{EscapeExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, TextExpressionMethods};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    bounds,
    input::{NoParameters, Valid, Validate, some, valid_name, valid_unit},
    openapi::{InvalidBody, InvalidQuery},
    page::{Buttons, ESCAPE, ListQuery, Listed, Never, Shown, lower, pattern},
};
use crate::{
    audit::{self, Affected, changed_fields},
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::Sensor,
    schema::sensors,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(view).service(change).service(remove);
}

#[derive(OpenApi)]
#[openapi(paths(list, view, change, remove))]
pub(super) struct Api;

/// Shows a sensor.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    responses((status = 200, description = "The sensor.", body = Shown<Sensor>)),
)]
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Visible<Sensor, Buttons>) -> Json<Shown<Sensor>> {
    Json(sensor)
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Column {
    Id,
    Name,
}

/// The sensors that the caller may read, by id, unless the client chooses another order.
#[utoipa::path(
    params(ListQuery<Column, Never, i32>),
    responses(
        (status = 200, description = "A page of the sensors.", body = Listed<Shown<Sensor>>),
        InvalidQuery,
    ),
)]
#[auth_required]
#[get("/sensors")]
async fn list(
    Query(page): Query<ListQuery<Column, Never, i32>>,
    readable: Accessible<Sensor, Read>,
    database: Data<Database>,
) -> Result<Json<Listed<Shown<Sensor>>>, ServiceError> {
    let listed = page
        .read(
            readable,
            |page, mut query| {
                if let Some(text) = page.filter() {
                    query = query.filter(lower(sensors::name).like(lower(pattern(text))).escape(ESCAPE));
                }
                if let Some(id) = page.asset_id() {
                    query = query.filter(sensors::asset_id.eq(id));
                }
                query
            },
            |page, query| match page.sort_by().unwrap_or(Column::Id) {
                Column::Id => page.sorted(query, sensors::id),
                Column::Name => page.sorted(query, sensors::name).then_order_by(sensors::id),
            },
            &database,
        )
        .await?;
    Ok(Json(listed))
}

// Neither the asset nor the resolution, in which the measurements were recorded.
#[derive(AuthChangeset, Deserialize, ToSchema)]
#[diesel(table_name = sensors)]
#[serde(deny_unknown_fields)]
pub(super) struct SensorChanges {
    #[schema(schema_with = bounds::name)]
    #[serde(default, deserialize_with = "some")]
    pub(super) name: Option<String>,
    #[schema(schema_with = bounds::unit)]
    #[serde(default, deserialize_with = "some")]
    pub(super) unit: Option<String>,
}

impl Validate for SensorChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.name.as_deref().map_or(Ok(()), |name| valid_name("name", name))?;
        self.unit.as_deref().map_or(Ok(()), valid_unit)
    }
}

/// Changes a sensor.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = SensorChanges,
    responses((status = 200, description = "The sensor.", body = Sensor), InvalidBody),
)]
#[permission_required_for_context("update", ctx_arg = "sensor")]
#[patch("/sensors/{sensor_id}")]
async fn change(
    sensor: Sensor,
    Valid(changes): Valid<SensorChanges>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Sensor>, ServiceError> {
    Ok(Json(update(sensor, changes, current_user, &database).await?))
}

/// Changes a sensor under the condition of its policy.
pub(super) async fn update(
    sensor: Sensor,
    changes: SensorChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Sensor, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let fields = [("name", changes.name.is_some()), ("unit", changes.unit.is_some())];
                let id = sensor.id;
                Sensor::change(connection, &current_user, id, &changes)?;
                if let Some(fields) = changed_fields(&fields) {
                    let event = format!("changed the sensor {id}: {fields}");
                    let affected = Affected::Asset(Some(sensor.asset_id));
                    audit::record(&current_user, affected, &event, connection)?;
                }
                Ok(Sensor::load(id, connection)?)
            })
        })
        .await
}

/// Deletes a sensor with its measurements.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    responses((status = 204, description = "Done."), InvalidQuery),
)]
#[permission_required_for_context("delete", ctx_arg = "sensor")]
#[delete("/sensors/{sensor_id}")]
async fn remove(
    sensor: Authorized<Sensor, Delete>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    delete(sensor, current_user, &database).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a sensor with its measurements, under the condition of its policy.
pub(super) async fn delete(
    sensor: Authorized<Sensor, Delete>,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<(), ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit =
                    diesel::delete(Sensor::changeable_by(&current_user, Permission::DELETE).find(sensor.id))
                        .execute(connection)?;
                Sensor::changed(hit, connection, &current_user, sensor.id, Permission::DELETE)?;
                let event = format!("deleted the sensor {}, {:?}", sensor.id, sensor.name);
                audit::record(&current_user, Affected::Asset(Some(sensor.asset_id)), &event, connection)
            })
        })
        .await
}

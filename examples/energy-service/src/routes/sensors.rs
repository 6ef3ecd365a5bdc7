//! Sensors, by their id and as a list; they are created at the asset of a body, or at that [of a path](super::assets).

use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{Data, Json, Query},
};
use auth_core::{
    Accessible, AuthChangeset, Authorized, CurrentUser, LoadContext, Permission, ProtectedConfig, Scoped,
    Stored, Visible, auth_required,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{
    EscapeExpressionMethods, ExpressionMethods, Insertable, QueryDsl, RunQueryDsl, TextExpressionMethods,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};

use super::{
    asset_bodies::document,
    assets::NewSensor,
    bounds, created,
    flex_model::stored,
    input::{NoParameters, Valid, Validate, some, valid_name, valid_timezone, valid_unit},
    no_content,
    openapi::{InvalidBody, InvalidQuery, Refused},
    page::{Buttons, ESCAPE, ListQuery, Never, Rows, Shown, lower, pattern},
};
use crate::{
    audit::{self, Affected, changed_fields},
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::{Asset, IsoDuration, Sensor},
    schema::sensors,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(create).service(view).service(change).service(remove);
}

#[derive(OpenApi)]
#[openapi(paths(list, create, view, change, remove))]
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
        (status = 200, description = "The sensors.", body = Rows<Shown<Sensor>>),
        InvalidQuery,
    ),
)]
#[auth_required]
#[get("/sensors")]
async fn list(
    Query(page): Query<ListQuery<Column, Never, i32>>,
    readable: Accessible<Sensor, Read>,
    database: Data<Database>,
) -> Result<Json<Rows<Shown<Sensor>>>, ServiceError> {
    let is_page = page.is_page();
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
    Ok(Json(Rows::of(listed, is_page)))
}

/// A new sensor, as clients of FlexMeasures write it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SensorBody {
    #[schema(schema_with = bounds::name)]
    name: String,
    #[schema(schema_with = bounds::unit)]
    unit: String,
    /// How long one event lasts, in ISO 8601, such as `PT15M`: whole minutes.
    #[schema(value_type = String)]
    event_resolution: IsoDuration,
    /// The asset that it measures.
    generic_asset_id: i32,
    /// The name of a time zone.
    #[schema(schema_with = bounds::timezone)]
    timezone: Option<String>,
    #[schema(schema_with = bounds::document)]
    #[serde(default, deserialize_with = "document")]
    attributes: Option<Map<String, Value>>,
}

impl Validate for SensorBody {
    fn validate(&self) -> Result<(), ServiceError> {
        self.plain()?.validate()?;
        self.timezone.as_deref().map_or(Ok(()), valid_timezone)?;
        self.attributes.as_ref().map_or(Ok(()), |attributes| stored(attributes).map(drop))
    }
}

impl SensorBody {
    fn plain(&self) -> Result<NewSensor, ServiceError> {
        let seconds = self.event_resolution.0.num_seconds();
        let minutes = (seconds % 60 == 0).then(|| i32::try_from(seconds / 60).ok()).flatten();
        let event_resolution_minutes =
            minutes.filter(|minutes| bounds::RESOLUTION.contains(minutes)).ok_or_else(|| {
                ServiceError::invalid_field(
                    "event_resolution",
                    "is not between PT1M and P366D, in whole minutes",
                )
            })?;
        Ok(NewSensor { name: self.name.clone(), unit: self.unit.clone(), event_resolution_minutes })
    }
}

/// Creates a sensor at the asset that the body names.
#[utoipa::path(
    request_body = SensorBody,
    responses(
        (status = 201, description = "The sensor.", body = Sensor, headers(("Location" = String))),
        InvalidBody,
        Refused,
    ),
)]
#[auth_required]
#[post("/sensors")]
async fn create(
    Valid(body): Valid<SensorBody>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let details = Details {
        attributes: body.attributes.as_ref().map(stored).transpose()?,
        timezone: body.timezone.clone(),
    };
    let row = insert(body.generic_asset_id, body.plain()?, details, current_user, &database).await?;
    Ok(created(&format!("/sensors/{}", row.id), row))
}

/// The columns that only programs write.
#[derive(AuthChangeset, Default, Insertable)]
#[diesel(table_name = sensors)]
pub(super) struct Details {
    attributes: Option<String>,
    timezone: Option<String>,
}

/// Adds a sensor to an asset, if the caller may.
pub(super) async fn insert(
    asset_id: i32,
    sensor: NewSensor,
    details: Details,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Sensor, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = Permission::CREATE_CHILDREN;
                Asset::authorize_for_update(connection, &current_user, asset_id, permission)?;
                let values = (
                    sensors::asset_id.eq(asset_id),
                    sensors::name.eq(&sensor.name),
                    sensors::unit.eq(&sensor.unit),
                    sensors::event_resolution_minutes.eq(sensor.event_resolution_minutes),
                );
                diesel::insert_into(sensors::table).values((values, &details)).execute(connection)?;
                let id = connection.last_id()?;
                let event = format!("created the sensor {id}, {:?}", sensor.name);
                audit::record(&current_user, Affected::Asset(Some(asset_id)), &event, connection)?;
                Ok(Sensor::load(id, connection)?)
            })
        })
        .await
}

// Neither the asset nor the resolution, in which the measurements were recorded.
#[derive(AuthChangeset)]
#[diesel(table_name = sensors)]
pub(super) struct SensorChanges {
    pub(super) name: Option<String>,
    pub(super) unit: Option<String>,
}

impl Validate for SensorChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.name.as_deref().map_or(Ok(()), |name| valid_name("name", name))?;
        self.unit.as_deref().map_or(Ok(()), valid_unit)
    }
}

/// A change of a sensor, as programs write it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SensorPatch {
    #[schema(schema_with = bounds::name)]
    #[serde(default, deserialize_with = "some")]
    name: Option<String>,
    #[schema(schema_with = bounds::unit)]
    #[serde(default, deserialize_with = "some")]
    unit: Option<String>,
    #[schema(schema_with = bounds::timezone)]
    #[serde(default, deserialize_with = "some")]
    timezone: Option<String>,
    #[schema(schema_with = bounds::document)]
    #[serde(default, deserialize_with = "document")]
    attributes: Option<Map<String, Value>>,
}

impl Validate for SensorPatch {
    fn validate(&self) -> Result<(), ServiceError> {
        SensorChanges { name: self.name.clone(), unit: self.unit.clone() }.validate()?;
        self.timezone.as_deref().map_or(Ok(()), valid_timezone)?;
        self.attributes.as_ref().map_or(Ok(()), |attributes| stored(attributes).map(drop))
    }
}

/// Changes a sensor.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = SensorPatch,
    responses((status = 200, description = "The sensor.", body = Sensor), InvalidBody),
)]
#[permission_required_for_context("update", ctx_arg = "sensor")]
#[patch("/sensors/{sensor_id}")]
async fn change(
    sensor: Sensor,
    Valid(SensorPatch { name, unit, timezone, attributes }): Valid<SensorPatch>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Sensor>, ServiceError> {
    let details = Details { attributes: attributes.as_ref().map(stored).transpose()?, timezone };
    let changes = SensorChanges { name, unit };
    Ok(Json(update_all(sensor, changes, details, current_user, &database).await?))
}

/// Changes a sensor under the condition of its policy.
pub(super) async fn update(
    sensor: Sensor,
    changes: SensorChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Sensor, ServiceError> {
    update_all(sensor, changes, Details::default(), current_user, database).await
}

async fn update_all(
    sensor: Sensor,
    changes: SensorChanges,
    details: Details,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Sensor, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let fields = [
                    ("name", changes.name.is_some()),
                    ("unit", changes.unit.is_some()),
                    ("attributes", details.attributes.is_some()),
                    ("time zone", details.timezone.is_some()),
                ];
                let id = sensor.id;
                Sensor::change(connection, &current_user, id, &changes)?;
                Sensor::change(connection, &current_user, id, &details)?;
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
    Ok(no_content())
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

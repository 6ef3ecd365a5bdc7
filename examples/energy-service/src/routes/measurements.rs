//! The measurements of a sensor: recorded and read.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Json, Query},
};
use auth_core::{CurrentUser, Permission, ProtectedConfig, Stored, permission_required_for_context};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, OpenApi, PartialSchema, ToSchema,
    openapi::{ArrayBuilder, Ref, RefOr, Schema},
};

use super::{
    bounds::EVENTS,
    created,
    input::{Valid, Validate},
    openapi::{Conflict, InvalidBody, InvalidQuery},
};
use crate::{
    auth::LoggedIn,
    database::{Connection, Database, Instant},
    error::ServiceError,
    live::Live,
    models::{Measurement, Sensor},
    schema::measurements,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(record).service(read);
}

#[derive(OpenApi)]
#[openapi(paths(record, read))]
pub(super) struct Api;

/// One measurement, as clients read it.
#[derive(Serialize, ToSchema)]
pub(super) struct Event {
    event_start: DateTime<Utc>,
    event_value: f64,
}

impl Event {
    fn new((event_start, event_value): (Instant, f64)) -> Self {
        Self { event_start: event_start.0.and_utc(), event_value }
    }

    fn all_of(rows: &[Measurement]) -> Vec<Self> {
        rows.iter().map(|row| Self::new((row.event_start, row.event_value))).collect()
    }
}

/// From `start` on, until before `end`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Range {
    /// Inclusive, with its offset from UTC.
    #[param(value_type = String, format = DateTime)]
    start: Instant,
    /// Exclusive, with its offset from UTC.
    #[param(value_type = String, format = DateTime)]
    end: Instant,
}

/// The measurements that begin within the range, by time.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor."), Range),
    responses((status = 200, description = "The measurements.", body = Vec<Event>), InvalidQuery),
)]
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/measurements")]
async fn read(
    sensor: Sensor,
    Query(Range { start, end }): Query<Range>,
    database: Data<Database>,
) -> Result<Json<Vec<Event>>, ServiceError> {
    if end < start {
        return Err(ServiceError::invalid("`end` is before `start`"));
    }
    let most = *EVENTS.end();
    let found =
        database.run(move |connection| Ok(between(sensor.id, start, end, most + 1, connection)?)).await?;
    if found.len() > most {
        return Err(ServiceError::invalid(format!(
            "there are more than {most} measurements from `start` to `end`; ask for a shorter time"
        )));
    }
    Ok(Json(found.into_iter().map(Event::new).collect()))
}

/// The measurements that begin from `start` until before `end`, by time: the first so many of them. They have no policy of
/// their own: the caller checks that of the sensor.
pub(super) fn between(
    sensor_id: i32,
    start: Instant,
    end: Instant,
    most: usize,
    connection: &mut Connection,
) -> QueryResult<Vec<(Instant, f64)>> {
    measurements::table
        .filter(measurements::sensor_id.eq(sensor_id))
        .filter(measurements::event_start.ge(start))
        .filter(measurements::event_start.lt(end))
        .order(measurements::event_start)
        .select((measurements::event_start, measurements::event_value))
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .load(connection)
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEvent {
    /// With its offset from UTC.
    #[schema(value_type = String, format = DateTime)]
    pub(super) event_start: Instant,
    pub(super) event_value: f64,
}

#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct NewEvents(pub(super) Vec<NewEvent>);

impl PartialSchema for NewEvents {
    fn schema() -> RefOr<Schema> {
        let (min, max) = EVENTS.into_inner();
        let event = Ref::from_schema_name(NewEvent::name());
        ArrayBuilder::new().items(event).min_items(Some(min)).max_items(Some(max)).into()
    }
}

impl ToSchema for NewEvents {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewEvent::name().into(), NewEvent::schema()));
        NewEvent::schemas(schemas);
    }
}

impl Validate for NewEvents {
    fn validate(&self) -> Result<(), ServiceError> {
        let (min, max) = EVENTS.into_inner();
        match self.0.len() {
            few if few < min => Err(ServiceError::invalid("there are no measurements")),
            many if many > max => {
                Err(ServiceError::invalid(format!("there are more than {max} measurements")))
            }
            _ => Ok(()),
        }
    }
}

/// Records measurements, all or none. Earlier records are not replaced: that would be no creation.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = NewEvents,
    responses(
        (status = 201, description = "The measurements.", body = Vec<Event>, headers(("Location" = String))),
        InvalidBody,
        Conflict,
    ),
)]
#[permission_required_for_context("create-children", ctx_arg = "sensor")]
#[post("/sensors/{sensor_id}/measurements")]
async fn record(
    sensor: Sensor,
    Valid(events): Valid<NewEvents>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
    live: Data<Live>,
) -> Result<HttpResponse, ServiceError> {
    let rows = store(sensor.id, move |_| Ok(events.clone()), current_user, &database, &live).await?;
    let resolution = TimeDelta::minutes(sensor.event_resolution_minutes.into());
    let location = match rows.as_slice() {
        [first, .., last] => range_url(sensor.id, first.event_start, last.event_start, resolution),
        [only] => range_url(sensor.id, only.event_start, only.event_start, resolution),
        [] => String::new(),
    };
    Ok(created(&location, Event::all_of(&rows)))
}

/// Stores measurements if the user may record them now, all or none, and shows them to the live sockets. By time.
///
/// # Errors
///
/// 401 if the log-in does not count any more; 403 without `create-children` on the sensor, 404 if it is gone, 409 if one of the
/// measurements is there already.
pub(super) async fn store(
    sensor_id: i32,
    events: impl Fn(&Sensor) -> Result<NewEvents, ServiceError> + Send + 'static,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
    live: &Live,
) -> Result<Vec<Measurement>, ServiceError> {
    let live = live.clone();
    database
        .run(move |connection| {
            let rows = connection.immediate_transaction(|connection| {
                // The body may come long after the guard, and a socket stays open.
                let user = current_user.again(connection)?;
                let permission = Permission::CREATE_CHILDREN;
                let sensor = Sensor::authorize_for_update(connection, &user, sensor_id, permission)?;
                let NewEvents(events) = events(&sensor)?;
                let mut rows: Vec<_> = events
                    .into_iter()
                    .map(|NewEvent { event_start, event_value }| Measurement {
                        sensor_id,
                        event_start,
                        event_value,
                    })
                    .collect();
                rows.sort_by_key(|row| row.event_start);
                Measurement::insert(&rows, connection).map_err(|error| {
                    ServiceError::or_duplicate(
                        error,
                        "there is a measurement of one of these instants already",
                    )
                })?;
                Ok::<_, ServiceError>(rows)
            })?;
            // Here, so that it takes place also when the client has gone.
            live.publish(sensor_id, || Event::all_of(&rows));
            Ok(rows)
        })
        .await
}

/// Where the measurements from `first` to `last` are read, as a path below the base. In UTC, with `Z`: a `+` would
/// have to be encoded.
fn range_url(
    sensor_id: i32,
    Instant(first): Instant,
    Instant(last): Instant,
    resolution: TimeDelta,
) -> String {
    format!(
        "/sensors/{sensor_id}/measurements?start={}&end={}",
        first.format("%Y-%m-%dT%H:%M:%S%.fZ"),
        (last + resolution).format("%Y-%m-%dT%H:%M:%S%.fZ")
    )
}

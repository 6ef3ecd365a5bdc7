//! The data of a sensor as clients of FlexMeasures have it: a series of values from one instant on, one for each event. The
//! same measurements as those of [`measurements`](super::measurements).
//!
//! The service keeps one value of each event, and not when it became known: what is there is not overwritten, `prior` of a
//! new series is not kept, and no request may read as of a `prior`.

use actix_web::{
    HttpResponse, delete, get, post,
    web::{Data, Json, Query},
};
use auth_core::{
    Authorized, CurrentUser, Permission, ProtectedConfig, Stored, permission::Delete,
    permission_required_for_context,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    bounds,
    input::{NoParameters, Valid, Validate, some, storable, valid_unit},
    measurements::{self as records, NewEvent, NewEvents},
    no_content,
    openapi::{Conflict, InvalidBody, InvalidQuery},
};
use crate::{
    audit::{self, Affected},
    auth::LoggedIn,
    database::{Database, Instant},
    error::ServiceError,
    live::Live,
    models::{IsoDuration, Sensor},
    schema::measurements,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(read).service(record).service(remove);
}

#[derive(OpenApi)]
#[openapi(paths(read, record, remove))]
pub(super) struct Api;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Inclusive, with its offset from UTC.
    #[param(value_type = String, format = DateTime)]
    start: Instant,
    /// In ISO 8601, such as `PT6H`: a multiple of the resolution.
    #[param(value_type = String)]
    duration: IsoDuration,
    /// The unit of the values, if not the sensor's.
    unit: Option<String>,
    /// How long each value lasts, if not as long as an event of the sensor: a multiple of that. A value is the mean then.
    #[param(value_type = Option<String>)]
    resolution: Option<IsoDuration>,
}

/// A series of values, one after the other.
#[derive(Serialize, ToSchema)]
struct Series {
    /// `null` where there is no measurement.
    values: Vec<Option<f64>>,
    start: DateTime<Utc>,
    #[schema(value_type = String)]
    duration: IsoDuration,
    unit: String,
}

/// The values from `start` on, for this duration.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor."), Wanted),
    responses((status = 200, description = "The values.", body = Series), InvalidQuery, Conflict),
)]
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}/data")]
async fn read(
    sensor: Sensor,
    Query(Wanted { start, duration, unit, resolution }): Query<Wanted>,
    database: Data<Database>,
) -> Result<Json<Series>, ServiceError> {
    let event = resolution_of(&sensor).0;
    let resolution = resolution.map_or(event, |resolution| resolution.0);
    let unit = unit.unwrap_or_else(|| sensor.unit.clone());
    let factor = factor(&sensor.unit, &unit).ok_or(OTHER_UNIT)?;
    times(resolution, event)
        .ok_or(ServiceError::Conflict("`resolution` is not a multiple of the sensor's"))?;
    let steps = times(duration.0, resolution)
        .ok_or_else(|| ServiceError::invalid_field("duration", "is not a multiple of the resolution"))?;
    let most = *bounds::EVENTS.end();
    // The events of a step are as many as are shorter than it, or more, where they do not follow the resolution.
    if times(duration.0, event).is_none_or(|events| events > most) {
        return Err(ServiceError::invalid_field("duration", format!("has more than {most} events")));
    }
    let end = after(start, duration.0)?;
    let found = database
        .run(move |connection| Ok(records::between(sensor.id, start, end, most + 1, connection)?))
        .await?;
    if found.len() > most {
        return Err(ServiceError::invalid_field("duration", format!("has more than {most} measurements")));
    }
    let mut sums = vec![(0.0, 0.0); steps];
    for (instant, value) in found {
        let step = times_begun(instant.0 - start.0, resolution);
        if let Some((sum, count)) = step.and_then(|step| sums.get_mut(step)) {
            *sum += value / SCALE;
            *count += 1.0;
        }
    }
    let mean = |(sum, count): (f64, f64)| (count > 0.0).then(|| sum / count * SCALE * factor);
    let values: Vec<Option<f64>> = sums.into_iter().map(mean).collect();
    if values.iter().flatten().any(|value| !value.is_finite()) {
        return Err(ServiceError::Conflict("a measurement is too large for this unit"));
    }
    Ok(Json(Series { values, start: start.0.and_utc(), duration, unit }))
}

/// A series of values, one after the other, each as long as an event of the sensor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSeries {
    /// With its offset from UTC.
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// Of all of them together, in ISO 8601, such as `PT6H`.
    #[schema(value_type = String)]
    duration: IsoDuration,
    /// `null` where there is no measurement.
    #[schema(schema_with = bounds::values)]
    values: Vec<Option<f64>>,
    #[schema(schema_with = bounds::unit)]
    unit: String,
    /// When they became known, which is not kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(rename = "prior", default)]
    _prior: Option<Instant>,
}

impl Validate for NewSeries {
    fn validate(&self) -> Result<(), ServiceError> {
        let (min, max) = bounds::EVENTS.into_inner();
        if !bounds::EVENTS.contains(&self.values.len()) {
            return Err(ServiceError::invalid_field(
                "values",
                format!("are not between {min} and {max} in number"),
            ));
        }
        valid_unit(&self.unit)?;
        after(self.start, self.duration.0).map(drop)
    }
}

/// The answer of FlexMeasures to new data.
#[derive(Serialize, ToSchema)]
struct Processed {
    status: &'static str,
    message: &'static str,
}

/// Records a series, all of it or nothing. Earlier records are not replaced.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = NewSeries,
    responses((status = 200, description = "Done.", body = Processed), InvalidBody, Conflict),
)]
#[permission_required_for_context("create-children", ctx_arg = "sensor")]
#[post("/sensors/{sensor_id}/data")]
async fn record(
    sensor: Sensor,
    Valid(series): Valid<NewSeries>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
    live: Data<Live>,
) -> Result<Json<Processed>, ServiceError> {
    // By the sensor as it is when they are stored: its unit may have changed since the guard loaded it.
    let events = move |sensor: &Sensor| series.events(sensor);
    records::store(sensor.id, events, current_user, &database, &live).await?;
    Ok(Json(Processed { status: "PROCESSED", message: "Request has been processed." }))
}

impl NewSeries {
    /// In the unit and the resolution of the sensor.
    fn events(&self, sensor: &Sensor) -> Result<NewEvents, ServiceError> {
        let event = resolution_of(sensor).0;
        let factor = factor(&self.unit, &sensor.unit).ok_or(OTHER_UNIT)?;
        if times(self.duration.0, event) != Some(self.values.len()) {
            return Err(ServiceError::Conflict(
                "`duration` does not have as many events of the sensor as there are values",
            ));
        }
        let mut start = self.start.0;
        let mut events = Vec::new();
        for value in &self.values {
            if let Some(value) = value {
                let event_value = value * factor;
                if !event_value.is_finite() {
                    let problem = "have one that is too large for the unit of the sensor";
                    return Err(ServiceError::invalid_field("values", problem));
                }
                events.push(NewEvent { event_start: Instant(start), event_value });
            }
            start += event;
        }
        Ok(NewEvents(events))
    }
}

/// The data to delete; all of it, if this says nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Deleted {
    /// Inclusive, with its offset from UTC.
    #[schema(value_type = String, required = false, format = DateTime)]
    #[serde(default, deserialize_with = "some")]
    start: Option<Instant>,
    /// Exclusive, with its offset from UTC.
    #[schema(value_type = String, required = false, format = DateTime)]
    #[serde(default, deserialize_with = "some")]
    until: Option<Instant>,
}

/// Deletes measurements of a sensor, which stays.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = Deleted,
    responses((status = 204, description = "Done."), InvalidBody),
)]
#[permission_required_for_context("delete", ctx_arg = "sensor")]
#[delete("/sensors/{sensor_id}/data")]
async fn remove(
    sensor: Authorized<Sensor, Delete>,
    _: Query<NoParameters>,
    Json(Deleted { start, until }): Json<Deleted>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    if start.zip(until).is_some_and(|(start, until)| until < start) {
        return Err(ServiceError::invalid_field("until", "is before `start`"));
    }
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let id = sensor.id;
                Sensor::authorize_for_update(connection, &current_user, id, Permission::DELETE)?;
                let of_sensor = measurements::table.filter(measurements::sensor_id.eq(id));
                match (start, until) {
                    (None, None) => diesel::delete(of_sensor).execute(connection),
                    (Some(start), None) => {
                        diesel::delete(of_sensor.filter(measurements::event_start.ge(start)))
                            .execute(connection)
                    }
                    (None, Some(until)) => {
                        diesel::delete(of_sensor.filter(measurements::event_start.lt(until)))
                            .execute(connection)
                    }
                    (Some(start), Some(until)) => {
                        let within = of_sensor.filter(measurements::event_start.ge(start));
                        diesel::delete(within.filter(measurements::event_start.lt(until))).execute(connection)
                    }
                }?;
                let bound = |word, instant: Option<Instant>| {
                    instant.map(|instant| format!(" {word} {}", instant.0.and_utc())).unwrap_or_default()
                };
                let (from, until) = (bound("from", start), bound("until", until));
                let event = format!("deleted measurements of the sensor {id}{from}{until}");
                audit::record(&current_user, Affected::Asset(Some(sensor.asset_id)), &event, connection)
            })
        })
        .await?;
    Ok(no_content())
}

/// Sums are so many times smaller, so that those of large measurements are numbers, too. A power of two, which rounds nothing, and
/// more than the events of one request.
const SCALE: f64 = 16_384.0;

const OTHER_UNIT: ServiceError = ServiceError::Conflict("the sensor does not measure in this unit");

fn resolution_of(sensor: &Sensor) -> IsoDuration {
    IsoDuration(TimeDelta::minutes(sensor.event_resolution_minutes.into()))
}

/// The instant so long after this one, if the databases can store it.
fn after(Instant(start): Instant, duration: TimeDelta) -> Result<Instant, ServiceError> {
    let end = start.checked_add_signed(duration).ok_or("is too long").and_then(storable);
    end.map_err(|problem| {
        ServiceError::invalid_field("duration", format!("ends at an instant that {problem}"))
    })
}

/// How many times the part is in the whole, without a rest, and at least once.
fn times(whole: TimeDelta, part: TimeDelta) -> Option<usize> {
    let (whole, part) = (whole.num_seconds(), part.num_seconds());
    let number =
        whole.checked_div(part).filter(|number| *number > 0 && number.checked_mul(part) == Some(whole))?;
    usize::try_from(number).ok()
}

/// The number of whole parts before this time.
fn times_begun(time: TimeDelta, part: TimeDelta) -> Option<usize> {
    usize::try_from(time.num_seconds().checked_div(part.num_seconds())?).ok()
}

/// By what a number in one unit becomes one in the other; `None` if these measure different quantities.
fn factor(from: &str, to: &str) -> Option<f64> {
    const QUANTITIES: [[(&str, f64); 4]; 2] = [
        [("W", 1.0), ("kW", 1e3), ("MW", 1e6), ("GW", 1e9)],
        [("Wh", 1.0), ("kWh", 1e3), ("MWh", 1e6), ("GWh", 1e9)],
    ];
    if from == to {
        return Some(1.0);
    }
    let size = |units: &[(&str, f64)], name: &str| {
        units.iter().find(|(unit, _)| *unit == name).map(|(_, size)| *size)
    };
    QUANTITIES.iter().find_map(|units| Some(size(units, from)? / size(units, to)?))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{factor, times};

    #[test]
    fn power_and_energy_have_several_units_and_others_one() {
        assert_eq!(factor("kW", "kW"), Some(1.0));
        assert_eq!(factor("°C", "°C"), Some(1.0));
        assert_eq!(factor("MW", "kW"), Some(1e3));
        assert_eq!(factor("W", "kW"), Some(1e-3));
        assert_eq!(factor("kWh", "MWh"), Some(1e-3));
        for (from, to) in [("kW", "kWh"), ("°C", "K"), ("", "kW"), ("mW", "MW")] {
            assert_eq!(factor(from, to), None, "{from} {to}");
        }
    }

    #[test]
    fn a_part_is_in_a_whole_so_many_times_without_a_rest() {
        let minutes = |whole, part| times(TimeDelta::minutes(whole), TimeDelta::minutes(part));
        assert_eq!((minutes(60, 15), minutes(15, 15)), (Some(4), Some(1)));
        for (whole, part) in [(0, 15), (10, 15), (50, 15), (15, 0), (-15, 15)] {
            assert_eq!(minutes(whole, part), None, "{whole} {part}");
        }
    }
}

//! Endpoints for clients of FlexMeasures beside the objects: the version of the API, and those that this service does not have,
//! so that their users read why.

use actix_web::{
    HttpResponse, get, post,
    web::{Json, Query},
};
use auth_core::{ProtectedConfig, auth_required, permission_required_for_context, public};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    input::NoParameters,
    openapi::{InvalidQuery, NotImplemented},
};
use crate::{
    error::ServiceError,
    models::{Asset, IsoDuration, Sensor},
};

/// The version of FlexMeasures whose API this is. Its client compares it with those at which the API changed.
pub(super) const VERSION: &str = "0.33.0";

/// The header of each answer of the API that has it.
pub(super) const VERSION_HEADER: &str = "FlexMeasures-Version";

/// The parts of FlexMeasures that stay out.
const NO_SCHEDULES: ServiceError = ServiceError::NotImplemented(
    "this service does not schedule: it has no scheduler, and keeps no schedules",
);
const NO_FORECASTS: ServiceError = ServiceError::NotImplemented("this service does not forecast");
const NO_REPORTS: ServiceError = ServiceError::NotImplemented("this service computes no reports");
const NO_JOBS: ServiceError =
    ServiceError::NotImplemented("this service has no jobs: it answers when it is done");
const NO_FILES: ServiceError =
    ServiceError::NotImplemented("this service reads no files: send the values as JSON to `/data`");

/// Below the version of the API.
pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .service(trigger_schedule)
        .service(view_schedule)
        .service(trigger_schedule_of_asset)
        .service(trigger_forecast)
        .service(view_forecast)
        .service(trigger_report)
        .service(view_job)
        .service(upload);
}

/// Beside the versions.
pub(super) fn configure_versions(config: &mut ProtectedConfig<'_>) {
    config.service(versions);
}

#[derive(OpenApi)]
#[openapi(paths(
    trigger_schedule,
    view_schedule,
    trigger_schedule_of_asset,
    trigger_forecast,
    view_forecast,
    trigger_report,
    view_job,
    upload
))]
pub(super) struct Api;

#[derive(OpenApi)]
#[openapi(paths(versions))]
pub(super) struct VersionsApi;

#[derive(Serialize, ToSchema)]
struct Supported {
    message: &'static str,
    versions: [&'static str; 1],
    flexmeasures_version: &'static str,
}

/// The versions of the API.
#[utoipa::path(responses((status = 200, description = "The versions.", body = Supported), InvalidQuery))]
#[public(reason = "clients look at it before they log in")]
#[get("/")]
async fn versions(_: Query<NoParameters>) -> Json<Supported> {
    Json(Supported {
        message: "For these API versions a public endpoint is available.",
        versions: ["v3_0"],
        flexmeasures_version: VERSION,
    })
}

/// The parameters of a schedule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSchedule {
    #[serde(rename = "duration")]
    _duration: Option<IsoDuration>,
    #[serde(rename = "unit")]
    _unit: Option<String>,
}

/// Not here: schedules a sensor.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = Object,
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("create-children", ctx = Sensor)]
#[post("/sensors/{sensor_id}/schedules/trigger")]
async fn trigger_schedule(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_SCHEDULES)
}

/// Not here: shows a schedule of a sensor.
#[utoipa::path(
    params(
        ("sensor_id" = i32, Path, description = "The sensor."),
        ("schedule_id" = String, Path, description = "None exists."),
    ),
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("read", ctx = Sensor)]
#[get("/sensors/{sensor_id}/schedules/{schedule_id}")]
async fn view_schedule(_: Query<OfSchedule>) -> Result<HttpResponse, ServiceError> {
    Err(NO_SCHEDULES)
}

/// Not here: schedules an asset.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = Object,
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("create-children", ctx = Asset)]
#[post("/assets/{asset_id}/schedules/trigger")]
async fn trigger_schedule_of_asset(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_SCHEDULES)
}

/// Not here: forecasts a sensor.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = Object,
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("create-children", ctx = Sensor)]
#[post("/sensors/{sensor_id}/forecasts/trigger")]
async fn trigger_forecast(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_FORECASTS)
}

/// Not here: shows a forecast of a sensor.
#[utoipa::path(
    params(
        ("sensor_id" = i32, Path, description = "The sensor."),
        ("forecast_id" = String, Path, description = "None exists."),
    ),
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("read", ctx = Sensor)]
#[get("/sensors/{sensor_id}/forecasts/{forecast_id}")]
async fn view_forecast(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_FORECASTS)
}

/// Not here: computes a report about an asset.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = Object,
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("create-children", ctx = Asset)]
#[post("/assets/{asset_id}/reports/trigger")]
async fn trigger_report(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_REPORTS)
}

/// Not here: reads the data of a sensor from a file.
#[utoipa::path(
    params(("sensor_id" = i32, Path, description = "The sensor.")),
    request_body = Object,
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[permission_required_for_context("create-children", ctx = Sensor)]
#[post("/sensors/{sensor_id}/data/upload")]
async fn upload(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_FILES)
}

/// Not here: shows a job.
#[utoipa::path(
    params(("job_id" = String, Path, description = "None exists.")),
    responses((status = 202, description = "Never."), InvalidQuery, NotImplemented),
)]
#[auth_required]
#[get("/jobs/{job_id}")]
async fn view_job(_: Query<NoParameters>) -> Result<HttpResponse, ServiceError> {
    Err(NO_JOBS)
}

#![allow(unused)]

use actix_web::get;
use auth_core::permission_required_for_context;
use auth_ui::Sensor;

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{number}/of/{account}")]
async fn no_parameter_found(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors")]
async fn no_parameters_at_all(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = "sensro_id")]
#[get("/sensors/{sensor_id}")]
async fn parameter_not_in_route(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = scope("id"))]
#[get("/sensors/{id}")]
async fn scope_parameter_hidden(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = "a")]
#[permission_required_for_context("update", ctx_arg = "sensor", id = "b")]
#[get("/sensors/{a}/{b}")]
async fn two_ids(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = header("x sensor"))]
#[get("/sensors/{sensor_id}")]
async fn header_of_no_name(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = qurey("sensor"))]
#[get("/sensors/{sensor_id}")]
async fn unknown_place(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = sensor_id)]
#[get("/sensors/{sensor_id}")]
async fn without_quotes(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = sensor.id)]
#[get("/sensors/{sensor_id}")]
async fn of_itself(sensor: Sensor) -> &'static str {
    "seen"
}

fn main() {}

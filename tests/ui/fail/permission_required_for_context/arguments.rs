#![allow(unused)]

use actix_web::get;
use auth_core::permission_required_for_context;
use auth_ui::Sensor;

#[permission_required_for_context()]
async fn no_arguments(sensor: Sensor) {}

#[permission_required_for_context(ctx_arg = "sensor")]
async fn no_permission(sensor: Sensor) {}

#[permission_required_for_context("raed", ctx_arg = "sensor")]
async fn misspelt_permission(sensor: Sensor) {}

#[permission_required_for_context("publish", ctx_arg = "sensor")]
async fn unknown_permission(sensor: Sensor) {}

#[permission_required_for_context("read")]
async fn no_context(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = "sensor", ctx = Sensor)]
async fn two_contexts(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = "sensro")]
async fn unknown_argument(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = sensor)]
async fn argument_without_quotes(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = "sensor", context = "sensor")]
async fn unknown_key(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = "sensor", id = "sensor_id", id = "sensor_id")]
async fn key_twice(sensor: Sensor) {}

#[permission_required_for_context("read", ctx_arg = "sensor", allow_empty = true)]
#[get("/sensors/{sensor_id}")]
async fn allow_empty_without_a_list(sensor: Sensor) -> &'static str {
    "seen"
}

fn main() {}

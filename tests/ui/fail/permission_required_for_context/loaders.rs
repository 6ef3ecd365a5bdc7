#![allow(unused)]

use actix_web::post;
use auth_core::permission_required_for_context;
use auth_ui::Sensor;

#[permission_required_for_context("read", ctx_arg = "sensor", ctx_loader = load(bdy))]
async fn unknown_argument(sensor: Sensor, body: String) {}

#[permission_required_for_context("read", ctx_loader = load(body), id = "sensor_id")]
#[post("/sensors/{sensor_id}")]
async fn with_an_id(body: String) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", ctx_loader = load)]
async fn without_parentheses(sensor: Sensor, body: String) {}

fn main() {}

#![allow(unused)]

use actix_web::{get, post};
use auth_core::{LoadError, permission_required_for_context};
use auth_ui::{Sensor, Share};

#[permission_required_for_context("read", ctx_arg = "share", id = "share_id")]
#[get("/accounts/{account_id}/shares/{share_id}")]
async fn key_of_one_part_too_few(share: Share) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = ("account_id", "sensor_id"))]
#[get("/accounts/{account_id}/sensors/{sensor_id}")]
async fn key_of_one_part_too_many(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("sensor"))]
#[get("/sensors")]
async fn list_that_cannot_be_loaded(sensors: Vec<Sensor>) -> &'static str {
    "seen"
}

fn text(_: &str) -> Result<String, LoadError> {
    Ok(String::new())
}

#[permission_required_for_context("read", ctx_loader = text(body))]
#[post("/texts")]
async fn loader_of_no_context(body: String) -> &'static str {
    "seen"
}

fn sensors(_: &str) -> Vec<Sensor> {
    vec![Sensor]
}

#[permission_required_for_context("read", ctx_arg = "sensors", ctx_loader = sensors(body))]
#[post("/sensors")]
async fn loader_that_returns_no_result(sensors: Vec<Sensor>, body: String) -> &'static str {
    "seen"
}

fn main() {}

#![allow(unused)]

use actix_web::{get, post};
use auth_core::{LoadError, permission_required_for_context};
use auth_ui::Sensor;

const ROLE: &str = "read";

#[permission_required_for_context(ROLE, ctx_arg = "sensor")]
#[get("/permissions/{sensor_id}")]
async fn permission(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = name)]
#[get("/ids")]
async fn id(sensor: Sensor, name: String) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = { if name.is_empty() { return Ok((Sensor, name)) } 1 })]
#[get("/returned")]
async fn id_that_returns(sensor: Sensor, name: String) -> &'static str {
    "seen"
}

fn load(_: &str) -> Result<Sensor, LoadError> {
    Ok(Sensor)
}

#[permission_required_for_context("read", ctx_arg = "sensors", ctx_loader = load(body))]
#[post("/loaded")]
async fn loaded(sensors: Vec<Sensor>, body: String) -> &'static str {
    "seen"
}

fn main() {}

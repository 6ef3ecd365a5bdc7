#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::permission_required_for_context;

struct Sensor;

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::{LoadContext, LoadError, NoConnection, permission_required_for_context};

struct Sensor;

impl LoadContext for Sensor {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

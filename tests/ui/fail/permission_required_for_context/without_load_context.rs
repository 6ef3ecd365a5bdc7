#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::{Acl, AuthModel, Permission, allow, every_logged_in_user, permission_required_for_context};

struct Sensor;

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

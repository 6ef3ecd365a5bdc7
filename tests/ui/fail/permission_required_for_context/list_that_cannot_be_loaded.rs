#![allow(unused)]

use actix_web::{HttpResponse, Responder, get, post, web};
use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, allow, every_logged_in_user,
    permission_required_for_context,
};

struct Sensor;

impl LoadContext for Sensor {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("sensor"))]
#[get("/sensors")]
async fn view(sensors: Vec<Sensor>) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

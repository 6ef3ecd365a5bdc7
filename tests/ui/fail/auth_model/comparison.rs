#![allow(unused)]

use actix_web::{Responder, get, web};
use auth_core::{AuthModel, LoadContext, Permission, Scoped, User, permission_required_for_context};
use diesel::{prelude::*, sqlite::Sqlite};

diesel::table! {
    sensors (id) {
        id -> Integer,
        name -> Text,
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[acl(read = name == "power")]
struct Sensor {
    id: i32,
    name: String,
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    sensor.name
}

fn list(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Sensor>> {
    Sensor::accessible_by(user, Permission::READ).load(connection)
}

fn main() {}

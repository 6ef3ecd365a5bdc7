#![allow(unused)]

use actix_web::get;
use auth_core::{AuthModel, LoadContext, Permission, Scoped, User, permission_required_for_context};
use auth_ui::sensors;
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[acl(read = name == "power")]
struct Sensor {
    id: i32,
    name: String,
}

// Nothing else is said of what stands on the refused policy.
#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> String {
    sensor.name
}

fn list(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Sensor>> {
    Sensor::accessible_by(user, Permission::READ).load(connection)
}

fn main() {}

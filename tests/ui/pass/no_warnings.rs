//! What the attributes write is free of warnings, whatever the application denies.
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused,
    nonstandard_style,
    single_use_lifetimes,
    unused_qualifications
)]

use actix_web::{HttpResponse, Responder, dev::HttpServiceFactory, get, web};
use auth_core::{
    Acl, AuthModel, Authorized, Guarded, LoadContext, LoadError, NoConnection, Permission, allow,
    auth_required, every_logged_in_user, permission::Update, permission_required_for_context, public,
    roles_accepted,
};

const CHEF: &str = "chef";

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

/// Above.
#[roles_accepted(CHEF)]
#[permission_required_for_context("update", ctx_arg = "sensor")]
#[permission_required_for_context("read", ctx = Sensor)]
#[get("/sensors/{sensor_id}")]
async fn above(sensor: Authorized<Sensor, Update>, mut name: String) -> impl Responder {
    let _ = sensor.into_inner();
    name.clear();
    HttpResponse::Ok()
}

fn made(_: &str, _: &mut NoConnection) -> Result<Vec<Sensor>, LoadError> {
    Ok(vec![Sensor])
}

async fn made_of_nothing() -> Result<Sensor, LoadError> {
    Ok(Sensor)
}

/// Of functions.
#[permission_required_for_context("read", ctx_arg = "sensors", ctx_loader = made(name, connection), allow_empty = true)]
#[permission_required_for_context("update", ctx_loader = made(name, connection))]
#[permission_required_for_context("read", ctx_loader = made_of_nothing())]
#[get("/made")]
async fn of_functions(sensors: Vec<Sensor>, mut name: String) -> impl Responder {
    name.clear();
    sensors.len().to_string()
}

/// Below.
#[get("/below")]
#[auth_required]
async fn below() -> impl Responder {
    HttpResponse::Ok()
}

/// Open.
#[public]
#[get("/open")]
async fn open() -> impl Responder {
    HttpResponse::Ok()
}

/// Plain.
#[auth_required]
pub async fn plain<T, const N: usize>(data: web::Data<[T; N]>) -> String
where
    T: ToString + 'static,
{
    data.iter().map(ToString::to_string).collect()
}

fn guarded(_: impl HttpServiceFactory + Guarded) {}

/// Uses what is left.
pub fn run() {
    guarded(above);
    guarded(open);
    guarded(of_functions);
    let _ = (below, web::get().to(plain::<i32, 2>));
}

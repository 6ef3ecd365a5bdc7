#![allow(unused)]

use actix_web::get;
use auth_core::{Authorized, Permission, permission::Update, permission_required_for_context};
use auth_ui::Sensor;

const NAMELESS: Permission = Permission::new("");

#[permission_required_for_context(NAMELESS, ctx_arg = "sensor")]
#[get("/nameless/{sensor_id}")]
async fn without_a_name(sensor: Sensor) -> &'static str {
    "seen"
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/proofs/{sensor_id}")]
async fn proof_of_another_permission(sensor: Authorized<Sensor, Update>) -> &'static str {
    "seen"
}

type Proof = Authorized<Sensor, Update>;

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/renamed/{sensor_id}")]
async fn proof_under_another_name(sensor: Proof) -> &'static str {
    "seen"
}

const PUBLISH: Permission = Permission::new("publish");

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[permission_required_for_context(PUBLISH, ctx_arg = "sensor")]
#[get("/several/{sensor_id}")]
async fn proof_of_none_of_several_permissions(sensor: Authorized<Sensor, Update>) -> &'static str {
    "seen"
}

fn main() {}

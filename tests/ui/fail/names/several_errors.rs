#![allow(unused)]

use actix_web::get;
use auth_core::{permission_required_for_context, roles_required};

#[roles_required("")]
#[permission_required_for_context("raed", ctx_arg = "sensro")]
#[get("/{id}")]
async fn view(sensor: String) -> &'static str {
    "seen"
}

fn main() {}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::{permission_required_for_context, roles_required};

#[roles_required("")]
#[permission_required_for_context("raed", ctx_arg = "sensro")]
#[get("/{id}")]
async fn view(sensor: String) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

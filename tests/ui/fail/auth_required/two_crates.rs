#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::{auth_required, roles_required};

#[auth_required(crate = auth_core)]
#[roles_required("operator", crate = ::auth_core)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

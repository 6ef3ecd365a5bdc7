#![allow(unused)]

use actix_web::{HttpResponse, Responder};
use auth_core::auth_required;

#[auth_required]
async fn view(argument: impl actix_web::FromRequest) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

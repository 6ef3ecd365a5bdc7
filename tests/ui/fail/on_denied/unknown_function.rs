#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, Responder, get};
use auth_core::auth_required;

#[auth_required(on_denied = pages::denied)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

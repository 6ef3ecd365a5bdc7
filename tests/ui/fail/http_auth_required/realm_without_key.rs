#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::http_auth_required;

#[http_auth_required("plant")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

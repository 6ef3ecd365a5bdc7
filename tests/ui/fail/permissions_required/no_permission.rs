#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::permissions_required;

#[permissions_required]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

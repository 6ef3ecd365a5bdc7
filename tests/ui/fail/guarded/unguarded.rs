#![allow(unused)]

use actix_web::{HttpResponse, Responder, dev::HttpServiceFactory, get};
use auth_core::Guarded;

#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn register(_: impl HttpServiceFactory + Guarded) {}

fn main() {
    register(view);
}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::public;

#[public("everybody")]
#[get("/")]
async fn without_a_key() -> impl Responder {
    HttpResponse::Ok()
}

#[public(reason = "")]
#[get("/")]
async fn without_a_reason() -> impl Responder {
    HttpResponse::Ok()
}

#[public(reason = "probes have no credentials", on_denied = page)]
#[get("/")]
async fn with_more() -> impl Responder {
    HttpResponse::Ok()
}

#[public(reason = probes)]
#[get("/")]
async fn without_quotes() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

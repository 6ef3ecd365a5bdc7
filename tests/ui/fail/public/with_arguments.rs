#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::public;

#[public("everybody")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

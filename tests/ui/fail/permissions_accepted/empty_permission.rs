#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::permissions_accepted;

#[permissions_accepted("")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

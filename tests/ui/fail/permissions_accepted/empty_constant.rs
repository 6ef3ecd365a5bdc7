#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::permissions_accepted;

const NONE: &str = "";

#[permissions_accepted(NONE)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::permissions_required;

const NONE: &str = "";

#[permissions_required(NONE)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

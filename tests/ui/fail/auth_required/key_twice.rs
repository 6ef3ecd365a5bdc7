#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::auth_required;

#[auth_required(within = "15 min", within = "1 h")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

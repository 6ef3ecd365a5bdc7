#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::auth_token_required;

#[auth_token_required("a")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

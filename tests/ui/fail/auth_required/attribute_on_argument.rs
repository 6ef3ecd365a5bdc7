#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::auth_required;

#[auth_required]
#[get("/")]
async fn view(#[allow(unused)] body: String) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::anonymous_user_required;

#[anonymous_user_required("a")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

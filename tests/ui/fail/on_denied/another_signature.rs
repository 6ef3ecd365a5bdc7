#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, Responder, get};
use auth_core::{AuthError, auth_required};

fn page(error: &AuthError) -> HttpResponse {
    HttpResponse::Forbidden().body(error.to_string())
}

#[auth_required(on_denied = page)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

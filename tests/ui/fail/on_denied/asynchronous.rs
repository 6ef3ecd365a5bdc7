#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, Responder, get};
use auth_core::{AuthError, auth_required};

async fn page(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    HttpResponse::Forbidden().finish()
}

#[auth_required(on_denied = page)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

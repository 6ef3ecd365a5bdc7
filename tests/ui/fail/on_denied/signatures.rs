#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, get};
use auth_core::{AuthError, auth_required};

fn page(error: &AuthError) -> HttpResponse {
    HttpResponse::Forbidden().body(error.to_string())
}

#[auth_required(on_denied = page)]
#[get("/without-the-request")]
async fn without_the_request() -> &'static str {
    "seen"
}

async fn awaited(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    HttpResponse::Forbidden().finish()
}

#[auth_required(on_denied = awaited)]
#[get("/asynchronous")]
async fn asynchronous() -> &'static str {
    "seen"
}

fn main() {}

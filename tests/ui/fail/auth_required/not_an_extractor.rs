#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::auth_required;

struct Unextractable;

#[auth_required]
#[get("/")]
async fn view(argument: Unextractable) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

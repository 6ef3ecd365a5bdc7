#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, Responder, get};
use auth_core::{denial, roles_required};

#[roles_required(on_denied = denial::page_or_problem)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

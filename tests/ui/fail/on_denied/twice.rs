#![allow(unused)]

use actix_web::{HttpRequest, HttpResponse, Responder, get};
use auth_core::{auth_required, denial, roles_required};

#[auth_required(on_denied = denial::page_or_problem)]
#[roles_required("chef", on_denied = denial::page_or_problem)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

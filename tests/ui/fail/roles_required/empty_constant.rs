#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::roles_required;

const NOBODY: &str = "";

#[roles_required(NOBODY)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

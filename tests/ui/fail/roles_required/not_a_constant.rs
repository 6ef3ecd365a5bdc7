#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::roles_required;

const ROLE: u8 = 1;

#[roles_required(ROLE)]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

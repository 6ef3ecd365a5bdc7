#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::roles_required;

#[roles_required("chef", "waiter", "chef")]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

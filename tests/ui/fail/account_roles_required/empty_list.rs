#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::account_roles_required;

#[account_roles_required()]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::account_roles_accepted;

#[account_roles_accepted]
#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

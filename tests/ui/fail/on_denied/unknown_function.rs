#![allow(unused)]

use actix_web::get;
use auth_core::auth_required;

#[auth_required(on_denied = pages::denied)]
#[get("/")]
async fn view() -> &'static str {
    "seen"
}

fn main() {}

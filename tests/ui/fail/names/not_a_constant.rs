#![allow(unused)]

use actix_web::get;
use auth_core::roles_required;

const ROLE: u8 = 1;

#[roles_required(ROLE)]
#[get("/")]
async fn view() -> &'static str {
    "for nobody"
}

fn main() {}

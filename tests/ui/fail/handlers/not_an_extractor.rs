#![allow(unused)]

use actix_web::get;
use auth_core::auth_required;

struct Unextractable;

#[auth_required]
#[get("/")]
async fn view(argument: Unextractable) -> &'static str {
    "seen"
}

fn main() {}

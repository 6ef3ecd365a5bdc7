#![allow(unused)]

use actix_web::get;
use auth_core::{auth_required, denial, roles_required as chefs_alone};

#[auth_required(on_denied = denial::page_or_problem)]
#[chefs_alone("chef", on_denied = denial::problem)]
#[get("/")]
async fn view() -> &'static str {
    "seen"
}

fn main() {}

#![allow(unused)]

use actix_web::get;
use auth_core::{permissions_accepted, permissions_required, roles_required};

const NOBODY: &str = "";

#[roles_required(NOBODY)]
#[get("/role")]
async fn role() -> &'static str {
    "for nobody"
}

#[permissions_required(NOBODY)]
#[get("/permissions")]
async fn permissions() -> &'static str {
    "for nobody"
}

#[permissions_accepted(NOBODY)]
#[get("/permission")]
async fn permission() -> &'static str {
    "for nobody"
}

fn main() {}

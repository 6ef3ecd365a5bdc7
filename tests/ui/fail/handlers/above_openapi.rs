#![allow(unused)]

use actix_web::{post, web::Json};
use auth_core::auth_required;

#[auth_required]
#[utoipa::path(responses((status = 204)))]
#[post("/amounts")]
async fn send(Json(amount): Json<i64>) -> &'static str {
    "sent"
}

fn main() {}

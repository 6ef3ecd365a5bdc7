#![allow(unused)]

use actix_web::{HttpResponse, Responder, get};
use auth_core::{ProtectedScope, auth_required};

#[get("/")]
#[auth_required]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

fn main() {
    let scope = ProtectedScope::new("/api").service(view);
}

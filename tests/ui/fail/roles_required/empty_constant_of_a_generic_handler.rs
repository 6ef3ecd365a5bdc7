#![allow(unused)]

use actix_web::{HttpResponse, Responder, web};
use auth_core::roles_required;

const NOBODY: &str = "";

#[roles_required(NOBODY)]
async fn view<T: 'static>(data: web::Data<T>) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {}

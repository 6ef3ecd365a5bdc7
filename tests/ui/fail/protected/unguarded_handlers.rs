#![allow(unused)]

use actix_web::{HttpResponse, Responder, get, http::Method, web};
use auth_core::{ProtectedApp, ProtectedConfig, ProtectedScope};

#[get("/")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

async fn plain() -> impl Responder {
    HttpResponse::Ok()
}

fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view);
}

fn main() {
    let app = ProtectedApp::new().service(view);
    let scope = ProtectedScope::new("/api").service(view);
    let scope = ProtectedScope::new("/api").service(web::resource("/x").to(plain));
    let scope = ProtectedScope::new("/api").service(web::scope("/y").service(view));
    let scope = ProtectedScope::new("/api").route("/", Method::GET, plain);
}

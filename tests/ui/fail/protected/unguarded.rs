#![allow(unused)]

use actix_web::{dev::HttpServiceFactory, get, http::Method, web};
use auth_core::{Guarded, ProtectedApp, ProtectedConfig, ProtectedScope, auth_required};

#[get("/")]
async fn view() -> &'static str {
    "unguarded"
}

async fn plain() -> &'static str {
    "unguarded"
}

#[get("/")]
#[auth_required]
async fn guarded_below_the_route() -> &'static str {
    "guarded, which its route does not show"
}

fn register(_: impl HttpServiceFactory + Guarded) {}

fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view);
}

fn main() {
    register(view);
    let app = ProtectedApp::new().service(view);
    let scope = ProtectedScope::new("/api").service(view);
    let scope = ProtectedScope::new("/api").service(web::resource("/x").to(plain));
    let scope = ProtectedScope::new("/api").service(web::scope("/y").service(view));
    let scope = ProtectedScope::new("/api").route("/", Method::GET, plain);
    let scope = ProtectedScope::new("/api").service(guarded_below_the_route);
}

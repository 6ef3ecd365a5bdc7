//! A renderer of denials for one handler, wherever the attribute stands and whatever else is there.
#![deny(warnings)]

use actix_web::{HttpRequest, HttpResponse, Responder, get, web};
use auth_core::{
    AuthError, anonymous_user_required, auth_required, auth_token_required, denial, http_auth_required,
    permissions_accepted, roles_required, roles_required as chefs_alone,
};

type Result = ();
type Option = ();

fn page(request: &HttpRequest, _: &AuthError) -> HttpResponse {
    HttpResponse::NotFound().body(request.path().to_owned())
}

fn page_of<T: Default + ToString>(_: &HttpRequest, _: &AuthError) -> HttpResponse {
    HttpResponse::NotFound().body(T::default().to_string())
}

#[roles_required("chef")]
#[auth_required("token", within = "1 h", on_denied = page)]
#[get("/above")]
async fn above() -> impl Responder {
    HttpResponse::Ok()
}

#[get("/below")]
#[auth_token_required(on_denied = self::page)]
async fn below() -> impl Responder {
    HttpResponse::Ok()
}

#[anonymous_user_required(on_denied = denial::page_or_problem)]
#[get("/sign-up")]
async fn sign_up() -> impl Responder {
    HttpResponse::Ok()
}

#[http_auth_required(realm = "Plant", on_denied = page_of::<u8>)]
async fn by_password() -> impl Responder {
    HttpResponse::Ok()
}

#[permissions_accepted("invoices", on_denied = page_of::<T>)]
pub async fn generic<T: Default + ToString + 'static>(data: web::Data<T>) -> String {
    data.to_string()
}

#[auth_required]
#[chefs_alone("chef", on_denied = page)]
#[get("/aliased")]
async fn aliased() -> impl Responder {
    HttpResponse::Ok()
}

#[auth_required(on_denied = page)]
#[chefs_alone("chef")]
async fn aliased_generic<T: 'static>(_: web::Data<T>) -> String {
    String::new()
}

macro_rules! guarded {
    ($name:ident, $render:path) => {
        #[auth_required(on_denied = $render)]
        #[get("/macro")]
        async fn $name() -> impl Responder {
            HttpResponse::Ok()
        }
    };
}

guarded!(from_a_macro, denial::problem);

pub fn run() {
    let _: (Result, Option) = ((), ());
    let _ = (above, below, sign_up, by_password, aliased, from_a_macro);
    let _ = (web::get().to(generic::<i32>), web::get().to(aliased_generic::<i32>));
}

#![allow(unused)]

use actix_web::get;
use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, allow, every_logged_in_user,
    permission_required_for_context,
};

struct Loaded;

impl LoadContext for Loaded {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

#[permission_required_for_context("read", ctx_arg = "loaded", id = "id")]
#[get("/loaded/{id}")]
async fn without_auth_model(loaded: Loaded) -> &'static str {
    "seen"
}

struct Listed;

impl AuthModel for Listed {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx_arg = "listed", id = "id")]
#[get("/listed/{id}")]
async fn without_load_context(listed: Listed) -> &'static str {
    "seen"
}

struct Plain;

#[permission_required_for_context("read", ctx_arg = "plain", id = "id")]
#[get("/plain/{id}")]
async fn without_either(plain: Plain) -> &'static str {
    "seen"
}

fn main() {}

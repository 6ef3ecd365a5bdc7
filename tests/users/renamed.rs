//! A crate that knows auth-core as `authz`, and hands it on as `auth`.
#![deny(warnings)]

pub use authz as auth;

use actix_web::{App, Responder, get, patch, post, web::Json};
use authz::{
    Accessible, Auth, AuthModel, Authorized, CurrentUser, LoadContext, Permission, ProtectedScope, Scoped,
    User, auth_required,
    permission::{Read, Update},
    permission_required_for_context, public, roles_accepted as one_of_roles, roles_required,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::{Deserialize, Serialize};

diesel::table! {
    accounts (id) {
        id -> Integer,
    }
}

diesel::table! {
    resources (id) {
        id -> Integer,
        account_id -> Integer,
        is_public -> Bool,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[auth(crate = authz)]
#[acl(read = account(id))]
struct Account {
    id: i32,
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
#[auth(belongs_to(account: Account, account_id), crate = authz)]
#[acl(read = account.read | is_public, update = account(account_id) & role("editor"))]
struct Resource {
    id: i32,
    account_id: i32,
    is_public: bool,
}

#[derive(Deserialize)]
struct Change {
    resource: i32,
}

#[permission_required_for_context("read", ctx_arg = "resource", crate = authz)]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    Json(resource)
}

#[roles_required("editor")]
#[permission_required_for_context("read", ctx = Account, id = "account_id", crate = ::authz)]
#[permission_required_for_context("update", ctx_arg = "resource")]
#[patch("/accounts/{account_id}/resources/{resource_id}")]
async fn rename(resource: Authorized<Resource, Update>) -> impl Responder {
    resource.id.to_string()
}

#[post("/changes")]
#[permission_required_for_context("update", ctx_arg = "resource", id = change.resource, crate = crate::auth)]
async fn change(change: Json<Change>, resource: Resource) -> impl Responder {
    format!("{} {}", change.resource, resource.id)
}

#[auth_required(crate = authz)]
#[one_of_roles("a", crate = authz)]
#[get("/resources")]
async fn list(user: CurrentUser<User>, resources: Accessible<Resource, Read>) -> impl Responder {
    drop(user);
    drop(resources.query());
    "all"
}

#[public(reason = "all may know that it runs", crate = authz)]
#[get("/health")]
async fn health() -> impl Responder {
    "it runs"
}

pub fn register(auth: Auth, user: &User, connection: &mut SqliteConnection) -> QueryResult<usize> {
    let _ = App::new().app_data(auth).service(change);
    let _ = ProtectedScope::new("/").service(view).service(rename).service(list).service(health);
    diesel::update(resources::table)
        .filter(Resource::scope(user, Permission::UPDATE))
        .set(resources::is_public.eq(true))
        .execute(connection)
}

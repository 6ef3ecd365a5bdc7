//! Rows with fields that diesel computes beside the columns, and rows that are queried by `HasQuery`.
#![deny(warnings)]

use actix_web::{Responder, get, web::Json};
use auth_core::{AuthModel, LoadContext, permission_required_for_context};
use diesel::{
    dsl::{Eq, IsNotNull},
    prelude::*,
    sqlite::Sqlite,
};
use serde::Serialize;

diesel::table! {
    resources (id) {
        id -> Integer,
        account_id -> Integer,
        name -> Text,
        deleted_at -> Nullable<Text>,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
struct Resource {
    id: i32,
    account_id: i32,
    #[diesel(select_expression = resources::name.eq("power"), select_expression_type = Eq<resources::name, &'static str>)]
    is_power: bool,
    #[diesel(select_expression_type = IsNotNull<resources::deleted_at>)]
    #[diesel(select_expression = resources::deleted_at.is_not_null())]
    is_deleted: bool,
}

#[derive(HasQuery, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
#[acl(read = account(account_id) & is_null(deleted_at))]
struct Queried {
    id: i32,
    account_id: i32,
    deleted_at: Option<String>,
}

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    Json(resource)
}

#[permission_required_for_context("read", ctx_arg = "queried")]
#[get("/queried/{queried_id}")]
async fn view_queried(queried: Queried) -> impl Responder {
    Json(queried)
}

fn main() {
    let _ = actix_web::App::new().service(view).service(view_queried);
}

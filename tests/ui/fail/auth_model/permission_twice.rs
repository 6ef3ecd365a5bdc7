use auth_core::{AuthModel, Permission};
use diesel::prelude::*;

const PUBLISH: Permission = Permission::new("publish");
const SHOW: Permission = Permission::new("publish");

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        latitude -> Double,
        name -> Text,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(diesel::sqlite::Sqlite))]
#[acl(PUBLISH = account(account_id), SHOW = role("editor"))]
struct Asset {
    id: i32,
    account_id: Option<i32>,
    latitude: f64,
    name: String,
}

fn main() {}

#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::assets;
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = name)]
struct NoRule {
    id: i32,
    name: String,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = user(latitude))]
struct WithoutIds {
    id: i32,
    latitude: f64,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = is_null(name))]
struct NeverNull {
    id: i32,
    name: String,
}

fn main() {}

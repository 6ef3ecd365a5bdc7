#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::assets;
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = account(acount_id))]
struct Asset {
    id: i32,
    account_id: Option<i32>,
}

fn main() {}

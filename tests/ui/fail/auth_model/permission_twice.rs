#![allow(unused)]

use auth_core::{AuthModel, Permission};
use auth_ui::assets;
use diesel::{prelude::*, sqlite::Sqlite};

const PUBLISH: Permission = Permission::new("publish");
const SHOW: Permission = Permission::new("publish");

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(PUBLISH = account(account_id), SHOW = role("editor"))]
struct Asset {
    id: i32,
    account_id: Option<i32>,
}

fn main() {}

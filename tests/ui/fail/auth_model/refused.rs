#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::{Asset, assets, sensors};
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
struct WithoutPolicy {
    id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(raed = account(account_id))]
struct UnknownPermission {
    id: i32,
    account_id: Option<i32>,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = !account(account_id))]
struct Negation {
    id: i32,
    account_id: Option<i32>,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = aset.read)]
struct UnknownRelation {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = account(asset.account.id))]
struct BeyondTheParent {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = acount(account_id), update = role(""), delete = account(account_id) && role("x"), delete = user(asset.id))]
struct SeveralErrors {
    id: i32,
    account_id: Option<i32>,
}

fn main() {}

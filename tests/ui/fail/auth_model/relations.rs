#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::{Asset, Share, sensors};
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.raed)]
struct MisspeltPermission {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.update)]
struct UnknownPermission {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = account(asset.acount_id))]
struct UnknownColumn {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = account(asset.latitude))]
struct WithoutIds {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = is_null(asset.name))]
struct NeverNull {
    id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, name))]
#[acl(read = asset.read)]
struct ForeignKeyOfAnotherType {
    id: i32,
    name: String,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(share: Share, asset_id))]
#[acl(read = share.read)]
struct KeyOfSeveralColumns {
    id: i32,
    asset_id: i32,
}

fn main() {}

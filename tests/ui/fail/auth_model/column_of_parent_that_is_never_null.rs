use auth_core::AuthModel;
use diesel::prelude::*;

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        latitude -> Double,
        name -> Text,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
        name -> Text,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(diesel::sqlite::Sqlite))]
#[acl(read = account(account_id))]
struct Asset {
    id: i32,
    account_id: Option<i32>,
    latitude: f64,
    name: String,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = is_null(asset.name))]
struct Sensor {
    id: i32,
    asset_id: i32,
    name: String,
}

fn main() {}

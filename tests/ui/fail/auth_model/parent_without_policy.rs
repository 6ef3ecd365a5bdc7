#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::{Sensor as Parent, sensors};
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Parent, asset_id))]
#[acl(read = asset.read)]
struct Sensor {
    id: i32,
    asset_id: i32,
}

fn main() {}

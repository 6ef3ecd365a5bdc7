#![allow(unused)]

use auth_core::{AuthModel, Permission, User, check_access};
use auth_ui::{Asset, sensors};
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.read)]
struct Sensor {
    id: i32,
    asset_id: i32,
}

fn main() {
    // Whether one may read it, only its asset knows.
    let _ = check_access(&User::new(1), &Sensor { id: 1, asset_id: 1 }, Permission::READ);
}

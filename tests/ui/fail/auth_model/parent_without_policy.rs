use auth_core::{Acl, AuthModel, Permission, account, allow};
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
    }
}

struct Asset {
    account_id: i32,
}

impl AuthModel for Asset {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(self.account_id))
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.read)]
struct Sensor {
    id: i32,
    asset_id: i32,
}

fn main() {}

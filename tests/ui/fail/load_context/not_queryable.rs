#![allow(unused)]

use auth_core::{AuthModel, LoadContext};
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        account_id -> Integer,
    }
}

#[derive(Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
#[acl(read = account(account_id))]
struct Sensor {
    id: i32,
    account_id: i32,
}

fn main() {}

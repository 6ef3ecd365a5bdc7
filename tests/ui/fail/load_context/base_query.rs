#![allow(unused)]

use auth_core::LoadContext;
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        is_deleted -> Bool,
    }
}

#[derive(HasQuery, LoadContext)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
#[diesel(base_query = sensors::table.filter(sensors::is_deleted.eq(false)))]
struct Sensor {
    id: i32,
}

fn main() {}

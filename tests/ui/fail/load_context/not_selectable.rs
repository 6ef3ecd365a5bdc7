#![allow(unused)]

use auth_core::LoadContext;
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        name -> Text,
    }
}

#[derive(Queryable, LoadContext)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
struct Sensor {
    id: i32,
    name: String,
}

fn main() {}

#![allow(unused)]

use auth_core::LoadContext;
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        name -> Text,
    }
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
struct Sensor {
    name: String,
}

fn main() {}

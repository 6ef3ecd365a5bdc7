#![allow(unused)]

use auth_core::LoadContext;
use diesel::prelude::*;

diesel::table! {
    sensors (id) {
        id -> Integer,
        name -> Text,
    }
}

#[derive(LoadContext)]
#[diesel(table_name = sensors, check_for_backend(diesel::sqlite::Sqlite))]
enum Sensor {
    One,
}

fn main() {}

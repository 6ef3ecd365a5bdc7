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
#[diesel(table_name = sensors)]
#[auth(conection = diesel::SqliteConnection)]
struct Sensor {
    id: i32,
    name: String,
}

fn main() {}

#![allow(unused)]

use auth_core::LoadContext;
use diesel::prelude::*;

diesel::table! {
    readings (a, b, c, d, e) {
        a -> Integer,
        b -> Integer,
        c -> Integer,
        d -> Integer,
        e -> Integer,
    }
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = readings, primary_key(a, b, c, d, e), check_for_backend(diesel::sqlite::Sqlite))]
struct Reading {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
    e: i32,
}

fn main() {}

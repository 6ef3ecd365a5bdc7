#![allow(unused)]

use auth_core::LoadContext;
use auth_ui::{accounts, readings};
use diesel::{SqliteConnection, prelude::*, sqlite::Sqlite};

#[derive(LoadContext)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
enum Enumeration {
    One,
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = readings, primary_key(a, b, c, d, e), check_for_backend(Sqlite))]
struct KeyOfFiveColumns {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
    e: i32,
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = accounts)]
struct WithoutConnection {
    id: i32,
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
struct WithoutKey {
    name: String,
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = accounts)]
#[auth(conection = SqliteConnection)]
struct UnknownKey {
    id: i32,
}

#[derive(HasQuery, LoadContext)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[diesel(base_query = accounts::table.filter(accounts::name.ne("deleted")))]
struct OtherRows {
    id: i32,
}

fn main() {}

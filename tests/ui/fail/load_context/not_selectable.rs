#![allow(unused)]

use auth_core::LoadContext;
use auth_ui::accounts;
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, LoadContext)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
struct Account {
    id: i32,
    name: String,
}

fn main() {}

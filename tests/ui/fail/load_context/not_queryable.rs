#![allow(unused)]

use auth_core::{AuthModel, LoadContext};
use auth_ui::accounts;
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Selectable, LoadContext, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(read = account(id))]
struct Account {
    id: i32,
    name: String,
}

fn main() {}

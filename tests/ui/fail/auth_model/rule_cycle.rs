#![allow(unused)]

use auth_core::AuthModel;
use auth_ui::{accounts, users};
use diesel::{prelude::*, sqlite::Sqlite};

// Two that refer to each other are no cycle: only a permission that leads back to itself is one.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[auth(belongs_to(owner: User, owner_id))]
#[acl(read = owner.read, update = owner.update)]
struct Account {
    id: i32,
    owner_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
#[auth(belongs_to(account: Account, account_id))]
#[acl(read = user(id), update = user(id) | account.update & role("account-admin"))]
struct User {
    id: i32,
    account_id: i32,
}

fn main() {}

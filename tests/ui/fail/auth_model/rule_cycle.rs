use auth_core::AuthModel;
use diesel::prelude::*;

diesel::table! {
    accounts (id) {
        id -> Integer,
        owner_id -> Integer,
    }
}

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Integer,
    }
}

// Two that refer to each other are no cycle: only a permission that asks for itself is one.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(owner: User, owner_id))]
#[acl(read = owner.read, update = owner.update)]
struct Account {
    id: i32,
    owner_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = users, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(account: Account, account_id))]
#[acl(read = user(id), update = user(id) | account.update & role("account-admin"))]
struct User {
    id: i32,
    account_id: i32,
}

fn main() {}

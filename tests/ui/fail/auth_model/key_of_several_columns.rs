use auth_core::AuthModel;
use diesel::prelude::*;

diesel::table! {
    shares (account_id, asset_id) {
        account_id -> Integer,
        asset_id -> Integer,
    }
}

diesel::table! {
    dividends (id) {
        id -> Integer,
        share_id -> Integer,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares, primary_key(account_id, asset_id), check_for_backend(diesel::sqlite::Sqlite))]
#[acl(read = account(account_id))]
struct Share {
    account_id: i32,
    asset_id: i32,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = dividends, check_for_backend(diesel::sqlite::Sqlite))]
#[auth(belongs_to(share: Share, share_id))]
#[acl(read = share.read)]
struct Dividend {
    id: i32,
    share_id: i32,
}

fn main() {}

//! What the cases of `fail` share: tables, and contexts with a policy.
//!
//! `cargo check`, with which `trybuild` compiles a case, computes no constant of a generic handler. A build does:
//!
//! ```compile_fail
//! # use actix_web::web;
//! # use auth_core::roles_required;
//! const NOBODY: &str = "";
//!
//! #[roles_required(NOBODY)]
//! async fn view<T: 'static>(_: web::Data<T>) -> &'static str {
//!     "for nobody"
//! }
//! # fn main() {
//! web::get().to(view::<i32>);
//! # }
//! ```
//!
//! With another name, the example compiles:
//!
//! ```
//! # use actix_web::web;
//! # use auth_core::roles_required;
//! const CHEF: &str = "chef";
//!
//! #[roles_required(CHEF)]
//! async fn view<T: 'static>(_: web::Data<T>) -> &'static str {
//!     "for the chef"
//! }
//! # fn main() {
//! web::get().to(view::<i32>);
//! # }
//! ```

/// What compiles, without a warning. It is in the library, because nobody is warned of missing documentation in tests.
pub mod pass {
    pub mod auth_model;
    pub mod no_warnings;
    pub mod on_denied;
    pub mod openapi;
}

use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, allow, every_logged_in_user,
};
use diesel::{prelude::*, sqlite::Sqlite};

diesel::table! {
    accounts (id) {
        id -> Integer,
        owner_id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Integer,
    }
}

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
        latitude -> Double,
        name -> Text,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    shares (account_id, asset_id) {
        account_id -> Integer,
        asset_id -> Integer,
    }
}

diesel::table! {
    readings (a, b, c, d, e) {
        a -> Integer,
        b -> Integer,
        c -> Integer,
        d -> Integer,
        e -> Integer,
    }
}

/// A parent, whose rule needs no other table.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
pub struct Asset {
    pub id: i32,
    pub account_id: Option<i32>,
    pub latitude: f64,
    pub name: String,
}

/// A context with a key of two columns.
#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = shares, primary_key(account_id, asset_id), check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
pub struct Share {
    pub account_id: i32,
    pub asset_id: i32,
}

/// A context without a table, with its access-control list by hand.
pub struct Sensor;

impl LoadContext for Sensor {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

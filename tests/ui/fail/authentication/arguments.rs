#![allow(unused)]

use auth_core::{anonymous_user_required, auth_required, auth_token_required, http_auth_required, roles_required};

#[auth_required(crate = "auth_core")]
async fn crate_in_quotes() {}

#[auth_required(crate = auth_core)]
#[roles_required("operator", crate = ::auth_core)]
async fn two_crates() {}

#[auth_required("")]
async fn empty_mechanism() {}

#[auth_required("token", "token")]
async fn mechanism_twice() {}

#[auth_required(within = "15 min", "token")]
async fn name_after_key() {}

#[auth_required(__auth_merged)]
async fn reserved_marker() {}

#[auth_required("token", withn = "15 min")]
async fn unknown_key() {}

#[auth_required(within = "15 min", within = "1 h")]
async fn key_twice() {}

#[auth_required(within = 15)]
async fn duration_without_quotes() {}

#[auth_required(within = "15")]
async fn no_unit() {}

#[auth_required(within = "15 mins")]
async fn unknown_unit() {}

#[auth_required(within = "0 s")]
async fn zero() {}

#[auth_token_required("a")]
async fn token_with_an_argument() {}

#[anonymous_user_required("a")]
async fn anonymous_with_an_argument() {}

#[http_auth_required(realm = "")]
async fn empty_realm() {}

#[http_auth_required(realm = "the \"plant\"")]
async fn quote_in_realm() {}

#[http_auth_required("plant")]
async fn realm_without_key() {}

#[http_auth_required(realm = plant)]
async fn realm_without_quotes() {}

#[http_auth_required(realm)]
async fn realm_without_value() {}

#[http_auth_required(relm = "plant")]
async fn unknown_key_of_basic() {}

fn main() {}

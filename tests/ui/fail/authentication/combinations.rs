#![allow(unused)]

use auth_core::{anonymous_user_required, auth_required, auth_token_required, public, roles_required};

#[anonymous_user_required]
#[roles_required("a")]
async fn anonymous_with_a_role() {}

#[auth_token_required]
#[auth_required("session")]
async fn token_with_a_session() {}

#[public]
#[auth_required]
async fn public_with_a_guard() {}

fn main() {}

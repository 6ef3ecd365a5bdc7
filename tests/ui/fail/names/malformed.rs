#![allow(unused)]

use auth_core::{permissions_required, roles_required};

#[roles_required("chef" "waiter")]
async fn missing_comma() {}

#[roles_required(3, true, "a" | "b")]
async fn not_a_name() {}

#[roles_required("chef", "waiter", "chef")]
async fn role_twice() {}

#[permissions_required("a", "a")]
async fn permission_twice() {}

#[roles_required("chef", mode = "all")]
async fn unknown_key() {}

fn main() {}

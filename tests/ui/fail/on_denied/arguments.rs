#![allow(unused)]

use auth_core::{auth_required, auth_token_required, denial, public, roles_required};

#[roles_required(on_denied = denial::page_or_problem, "chef")]
async fn before_the_roles() {}

#[roles_required("chef", on_denied = "page")]
async fn in_quotes() {}

#[roles_required(on_denied = denial::page_or_problem)]
async fn no_role() {}

#[public(on_denied = denial::page_or_problem)]
async fn of_a_public_handler() {}

#[auth_required(on_denied = denial::page_or_problem)]
#[roles_required("chef", on_denied = denial::page_or_problem)]
async fn twice() {}

#[auth_token_required(on_denied)]
async fn without_value() {}

fn main() {}

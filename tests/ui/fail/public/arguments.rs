#![allow(unused)]

use auth_core::public;

#[public("everybody")]
async fn without_a_key() {}

#[public(reason = "")]
async fn without_a_reason() {}

#[public(reason = "probes have no credentials", on_denied = page)]
async fn with_more() {}

#[public(reason = probes)]
async fn without_quotes() {}

fn main() {}

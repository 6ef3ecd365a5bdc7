#![allow(unused)]

use auth_core::auth_required;

#[auth_required]
struct View;

fn main() {}

#![allow(unused)]

use actix_web::{FromRequest, get};
use auth_core::auth_required;

#[auth_required]
struct NotAFunction;

#[auth_required]
#[get("/")]
fn not_async() -> &'static str {
    "blocks"
}

#[auth_required]
async fn attribute_on_argument(#[allow(unused)] body: String) {}

#[auth_required]
async fn impl_trait_argument(argument: impl FromRequest) {}

struct Views;

impl Views {
    #[auth_required]
    async fn method(&self) {}
}

fn main() {}

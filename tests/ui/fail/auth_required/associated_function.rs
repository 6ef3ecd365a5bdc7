#![allow(unused)]

use actix_web::Responder;
use auth_core::auth_required;

struct Profile;

impl Profile {
    #[auth_required]
    async fn view() -> impl Responder {
        Self::text()
    }

    fn text() -> &'static str {
        "mine"
    }
}

fn main() {}

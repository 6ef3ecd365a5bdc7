#![allow(unused)]

use auth_core::auth_required;

struct Profile;

impl Profile {
    #[auth_required]
    async fn view() -> &'static str {
        Self::text()
    }

    fn text() -> &'static str {
        "mine"
    }
}

fn main() {}

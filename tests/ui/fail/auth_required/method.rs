#![allow(unused)]

use auth_core::auth_required;

struct Views;

impl Views {
    #[auth_required]
    async fn view(&self) -> &'static str {
        "ok"
    }
}

fn main() {}

#![allow(unused)]

use auth_core::{Admitted, auth_required};

#[auth_required]
async fn view(name: String) -> String {
    name
}

async fn call() -> String {
    view(Admitted(("name".to_owned(),))).await
}

fn main() {}

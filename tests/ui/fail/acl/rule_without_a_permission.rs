#![allow(unused)]

use auth_core::{Acl, AuthModel, account};

struct Sensor;

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        account(1)
    }
}

fn main() {}

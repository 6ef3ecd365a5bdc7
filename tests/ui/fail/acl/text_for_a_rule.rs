#![allow(unused)]

use auth_core::{Acl, AuthModel, Permission, allow};

struct Sensor;

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, "role:chef")
    }
}

fn main() {}

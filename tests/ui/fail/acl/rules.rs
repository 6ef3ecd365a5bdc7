#![allow(unused)]

use auth_core::{Acl, AuthModel, Permission, account, allow};

struct WithoutPermission;

impl AuthModel for WithoutPermission {
    fn acl(&self) -> impl Acl {
        account(1)
    }
}

struct Text;

impl AuthModel for Text {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, "role:chef")
    }
}

fn main() {}

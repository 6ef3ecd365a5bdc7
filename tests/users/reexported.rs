//! A crate that has auth-core only through another one, and no name of its own for it.
#![deny(warnings)]

use actix_web::{App, Responder, get};
use renamed::auth::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, allow, every_logged_in_user,
};

struct Planet(u8);

impl LoadContext for Planet {
    type Id = u8;
    type Connection = NoConnection;

    fn load(number: u8, _: &mut NoConnection) -> Result<Self, LoadError> {
        if number < 9 { Ok(Self(number)) } else { Err(LoadError::NotFound) }
    }
}

impl AuthModel for Planet {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[renamed::auth::permission_required_for_context("read", ctx_arg = "planet", crate = renamed::auth)]
#[get("/planets/{planet_id}")]
async fn view(planet: Planet) -> impl Responder {
    planet.0.to_string()
}

fn main() {
    let _ = App::new().service(view);
}

//! Handlers and contexts of every visibility, in a package that takes actix-web as it is.
#![deny(warnings)]
// A function without a route shows its private types in its signature, and a guard cannot hide them.
#![allow(private_interfaces)]

use actix_web::{
    App, HttpResponse, Responder, delete, get, post, routes,
    web::{self, Json},
};
use auth_core::{
    Acl, AuthModel, Authorized, CurrentUser, Guarded, LoadContext, LoadContexts, LoadError, NoConnection,
    Permission, ProtectedScope, allow, anonymous_user_required, auth_required, every_logged_in_user,
    permission::Read, permission_required_for_context, permissions_accepted, public,
    roles_accepted as one_of_roles, roles_required,
};
use serde::Deserialize;

struct Private(i32);
pub(crate) struct Inner(i32);
pub struct Open(i32);

macro_rules! contexts {
    ($($context:ident),*) => {$(
        impl LoadContext for $context {
            type Id = i32;
            type Connection = NoConnection;

            fn load(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
                Ok(Self(id))
            }
        }

        impl LoadContexts for $context {
            fn load_all(ids: &[i32], _: &mut NoConnection) -> Result<Vec<(i32, Self)>, LoadError> {
                Ok(ids.iter().map(|id| (*id, Self(*id))).collect())
            }
        }

        impl AuthModel for $context {
            fn acl(&self) -> impl Acl {
                allow(Permission::READ, every_logged_in_user()).allow(Permission::UPDATE, every_logged_in_user())
            }
        }
    )*};
}

contexts!(Private, Inner, Open);

#[derive(Deserialize)]
struct Form {
    id: i32,
}

fn made(form: &Json<Form>) -> Result<Private, LoadError> {
    Ok(Private(form.id))
}

macro_rules! handlers {
    ($module:ident, $visibility:vis, $context:ident) => {
        pub mod $module {
            use super::*;

            #[permission_required_for_context("read", ctx_arg = "it")]
            #[get("/above/{id}")]
            $visibility async fn above(it: $context) -> impl Responder {
                it.0.to_string()
            }

            #[get("/below/{id}")]
            #[permission_required_for_context("read", ctx_arg = "it")]
            $visibility async fn below(it: $context) -> impl Responder {
                it.0.to_string()
            }

            #[auth_required]
            #[roles_required("a")]
            #[permission_required_for_context("read", ctx_arg = "it")]
            #[permission_required_for_context("update", ctx = Private, id = "other")]
            #[get("/stacked/{id}/{other}")]
            $visibility async fn stacked(user: CurrentUser, it: Authorized<$context, Read>) -> impl Responder {
                drop(user);
                it.0.to_string()
            }

            #[permission_required_for_context("read", ctx = $context)]
            #[delete("/checked/{id}")]
            $visibility async fn checked() -> impl Responder {
                HttpResponse::NoContent()
            }

            #[permission_required_for_context("read", ctx_arg = "them", id = query("id"))]
            #[get("/list")]
            $visibility async fn list(them: Vec<$context>) -> impl Responder {
                them.len().to_string()
            }

            #[permission_required_for_context("read", ctx_arg = "it", id = form.id)]
            #[post("/named")]
            $visibility async fn named(form: Json<Form>, it: $context) -> impl Responder {
                drop(form);
                it.0.to_string()
            }

            #[permission_required_for_context("read", ctx_loader = made(form))]
            #[post("/made")]
            $visibility async fn loaded(form: Json<Form>) -> impl Responder {
                form.id.to_string()
            }

            #[permission_required_for_context("read", ctx_arg = "it", ctx_loader = made(form))]
            #[post("/handed")]
            $visibility async fn handed(form: Json<Form>, it: Private) -> impl Responder {
                drop(form);
                it.0.to_string()
            }

            #[auth_required]
            #[post("/other")]
            $visibility async fn other(form: Json<Form>) -> impl Responder {
                form.id.to_string()
            }

            #[one_of_roles("a", "b")]
            #[permissions_accepted("p")]
            #[post("/alias")]
            $visibility async fn alias(form: Json<Form>) -> impl Responder {
                form.id.to_string()
            }

            #[anonymous_user_required]
            #[post("/nobody")]
            $visibility async fn nobody(form: Json<Form>) -> impl Responder {
                form.id.to_string()
            }

            #[permission_required_for_context("read", ctx_arg = "it")]
            #[routes]
            #[get("/one/{id}")]
            #[get("/two/{id}")]
            $visibility async fn several(it: $context) -> impl Responder {
                it.0.to_string()
            }

            #[public(reason = "open")]
            #[post("/open")]
            $visibility async fn open(form: Json<Form>) -> impl Responder {
                form.id.to_string()
            }

            #[permission_required_for_context("read", ctx_arg = "it")]
            $visibility async fn plain(it: $context) -> impl Responder {
                it.0.to_string()
            }

            #[permission_required_for_context("read", ctx_arg = "it")]
            $visibility async fn generic<T: Into<i32> + serde::de::DeserializeOwned + 'static>(
                it: $context,
                more: Json<T>,
            ) -> impl Responder {
                (it.0 + more.into_inner().into()).to_string()
            }
        }
    };
}

handlers!(inner_over_private, pub(crate), Private);
handlers!(open_over_private, pub, Private);
handlers!(super_over_private, pub(super), Private);
handlers!(inner_over_inner, pub(crate), Inner);
handlers!(open_over_inner, pub, Inner);
handlers!(inner_over_open, pub(crate), Open);
handlers!(open_over_open, pub, Open);

#[permission_required_for_context("read", ctx_arg = "it")]
#[get("/{id}")]
async fn view(it: Private) -> impl Responder {
    it.0.to_string()
}

fn is_guarded(_: impl Guarded) {}

pub fn register() {
    is_guarded(view);
    let _ = ProtectedScope::new("/").service(view);
    macro_rules! register {
        ($($module:ident),*) => {$(
            is_guarded(($module::above, ).0);
            let _ = App::new()
                .service(($module::above, $module::below, $module::stacked, $module::checked, $module::list))
                .service(($module::named, $module::loaded, $module::handed, $module::other, $module::alias))
                .service(($module::nobody, $module::several, $module::open))
                .route("/plain/{id}", web::get().to($module::plain))
                .route("/generic/{id}", web::get().to($module::generic::<i32>));
        )*};
    }
    register!(
        inner_over_private,
        open_over_private,
        super_over_private,
        inner_over_inner,
        open_over_inner,
        inner_over_open,
        open_over_open
    );
}

//! A service with a guard of each kind, whose mechanism does what a header says.

use std::{
    io,
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpRequest, Responder, get, post,
    web::{Path, ServiceConfig, get as on_get, scope},
};
use auth_core::{
    Accessible, Acl, AdminRoles, Auth, AuthModel, CurrentUser, LoadContext, LoadError, MaybeUser,
    NoConnection, Permission, User, allow, anonymous_user_required, auth_required, every_logged_in_user,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission::Read,
    permission_required_for_context, permissions_accepted, public, roles_accepted, roles_required,
};
use diesel::{prelude::*, sqlite::Sqlite};

use crate::fixture::{Member, Resource, resources};

/// Authenticates as user 7 of account 1 who has the roles that the header `x-as` names, unless the header names a failure
/// instead.
pub(super) struct Scripted;

impl Mechanism for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let Some(script) = request.headers().get("x-as").map(|script| script.to_str().unwrap()) else {
            return Ok(None);
        };
        match script {
            "nobody" => Err(Rejection::BadCredentials),
            "guesser" => Err(Rejection::TooManyRequests { retry_after: Duration::from_secs(7) }),
            "another site" => Err(Rejection::CrossSite),
            "outage" => Err(Rejection::unavailable(io::Error::other("the store of users is gone"))),
            "unprepared" => Err(Rejection::Misconfigured),
            "panic" => panic!("a bug in a mechanism"),
            roles => {
                let user = User::new(7)
                    .with_account(1)
                    .with_roles(roles.split(' '))
                    .with_admin_roles(AdminRoles::flexmeasures());
                Ok(Some(Authenticated::from(user).since(SystemTime::UNIX_EPOCH)))
            }
        }
    }
}

#[roles_accepted("chef", "waiter")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("update", ctx = Resource)]
#[permission_required_for_context("read", ctx = Resource)]
#[post("/resources/{resource_id}")]
async fn change() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx_arg = "resources", id = query("id"))]
#[get("/resources")]
async fn several(resources: Vec<Resource>) -> impl Responder {
    resources.len().to_string()
}

#[permission_required_for_context("read", ctx_loader = of_account(path))]
#[get("/accounts/{account}")]
async fn by_loader(path: Path<i32>) -> impl Responder {
    path.to_string()
}

fn of_account(path: &Path<i32>) -> Result<Vec<Resource>, LoadError> {
    if **path == 9 {
        return Err(LoadError::NotFound);
    }
    Ok((0..**path).map(|id| Resource { id, account_id: 1, name: String::new() }).collect())
}

#[permission_required_for_context("read", ctx = Resource)]
async fn without_a_parameter() -> impl Responder {
    "ok"
}

#[auth_required(within = "15 min")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "ok"
}

#[auth_required("proxy")]
#[get("/proxy")]
async fn by_proxy() -> impl Responder {
    "ok"
}

#[roles_required("chef")]
#[permissions_accepted("cook", "serve")]
#[get("/kitchen")]
async fn kitchen() -> impl Responder {
    "ok"
}

#[anonymous_user_required]
#[get("/welcome")]
async fn welcome() -> impl Responder {
    "ok"
}

#[public]
#[get("/public")]
async fn open(_: MaybeUser) -> impl Responder {
    "ok"
}

#[get("/unguarded")]
async fn unguarded(_: CurrentUser) -> impl Responder {
    "ok"
}

#[get("/of-another-type")]
async fn of_another_type(_: CurrentUser<Member>) -> impl Responder {
    "ok"
}

/// With a declared policy, so that there are lists.
#[derive(Queryable, Selectable, AuthModel, LoadContext)]
#[diesel(table_name = resources, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
struct Listed {
    id: i32,
    account_id: i32,
}

#[get("/list")]
async fn list(_: Accessible<Listed, Read>) -> impl Responder {
    "ok"
}

/// A context that has no connections, or whose access-control list panics.
struct Cursed<C>(std::marker::PhantomData<fn() -> C>);

struct Unconnected;

impl<C: 'static> LoadContext for Cursed<C> {
    type Id = i32;
    type Connection = C;

    fn load(_: i32, _: &mut C) -> Result<Self, LoadError> {
        Ok(Self(std::marker::PhantomData))
    }
}

impl<C> AuthModel for Cursed<C> {
    fn acl(&self) -> impl Acl {
        assert!(std::hint::black_box(false), "a bug in an access-control list");
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx = Cursed<NoConnection>)]
#[get("/cursed/{id}")]
async fn cursed() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx = Cursed<Unconnected>)]
#[get("/unconnected/{id}")]
async fn unconnected() -> impl Responder {
    "ok"
}

pub(super) fn configure(app: &mut ServiceConfig, auth: &Auth) {
    app.app_data(auth.clone()).service(
        scope("/api")
            .service((view, change, several, by_loader, fresh, by_proxy, kitchen, welcome))
            .service((open, unguarded, of_another_type, list, cursed, unconnected))
            .route("/plain/{number}", on_get().to(without_a_parameter)),
    );
}

//! Where a part is missing, broken or malformed, a guard answers with the right status, does not panic, and denies.

use std::{
    future::pending,
    sync::Mutex,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, Responder, get, web};
use auth_core::{
    __private::{CallerRequirement, ContextRequirement, DeclarativeGuard, Described, Requirements},
    Acl, Admitted, Auth, AuthModel, CurrentUser, GuardedHandler, LoadContext, LoadError, MaybeUser,
    NoConnection, Permission, Subject, User, allow, auth_required, every_logged_in_user,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context, public,
    test::AlwaysAs,
};
use diesel::{
    connection::SimpleConnection,
    r2d2::{ConnectionManager, Pool},
};

use crate::{
    client::{Response, Service},
    fixture::{Member, Resource, SqlitePool, World},
};

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

#[auth_required]
#[get("/auth")]
async fn authenticated() -> impl Responder {
    "ok"
}

#[get("/unguarded")]
async fn unguarded(user: CurrentUser<Member>) -> impl Responder {
    let _ = user;
    "ok"
}

/// A context whose id is text, and whose loader panics for one of them.
struct Page(String);

impl LoadContext for Page {
    type Id = String;
    type Connection = NoConnection;

    fn load(id: String, _: &mut NoConnection) -> Result<Self, LoadError> {
        match id.as_str() {
            "panic" => panic!("a bug in a loader"),
            "missing" => Err(LoadError::NotFound),
            _ => Ok(Self(id)),
        }
    }
}

impl AuthModel for Page {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx_arg = "page")]
#[get("/pages/{page_id}")]
async fn page(page: Page, path: web::Path<String>) -> impl Responder {
    assert_eq!(page.0, *path, "the guard decodes an id as `web::Path` does");
    page.0
}

fn service(auth: Auth) -> Service {
    Service::start(move |app| {
        app.app_data(auth.clone()).service((view, authenticated, unguarded, page, cursed, open));
    })
}

fn assert_problem(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.json()["status"], status);
    assert_eq!(response.json()["type"], "about:blank");
}

#[test]
fn a_denial_tells_nothing_but_its_status() {
    let service = service(World::new().auth());
    let denied = service.get("/resources/2", Some("member"));
    assert_problem(&denied, 403);
    assert_eq!(
        denied.body,
        r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"you may not do this"}"#
    );
    let missing = service.get("/resources/3", Some("member"));
    assert_problem(&missing, 404);
    assert_eq!(
        missing.body,
        r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"there is nothing here"}"#
    );
}

#[test]
fn what_is_not_an_id_names_nothing() {
    let service = service(World::new().auth());
    let digits = "9".repeat(10_000);
    for id in
        ["x", "1.0", "1e0", "0x1", "%20", "%FF", "1%00", "99999999999", "-", &digits, "%E2%80%AE", "1%2F2"]
    {
        assert_problem(&service.get(&format!("/resources/{id}"), Some("admin")), 404);
        assert_problem(&service.get(&format!("/resources/{id}"), None), 401);
    }
    assert_problem(&service.get("/resources/-1", Some("admin")), 404);
}

#[test]
fn a_text_id_is_decoded_once() {
    let service = service(World::new().auth());
    for (path, id) in
        [("plain", "plain"), ("a%20b", "a b"), ("a%2Fb", "a/b"), ("a%2525b", "a%25b"), ("%C3%A9", "é")]
    {
        assert_eq!(service.get(&format!("/pages/{path}"), Some("member")).body, id);
    }
    assert_problem(&service.get("/pages/missing", Some("member")), 404);
}

#[test]
fn a_malformed_token_is_refused() {
    let service = service(World::new().auth());
    let authorization = |value: &str| service.send("GET", "/auth", Some(value), None);
    for value in ["Bearer", "Bearer ", "Bearer nobody", "bearer nobody", "Bearer a b", "Bearer member,member"]
    {
        let response = authorization(value);
        assert_problem(&response, 401);
        assert_eq!(response.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#), "{value}");
    }
    let both =
        service.send_with("/auth", &[("authorization", "Basic x"), ("authorization", "Bearer member")]);
    assert_problem(&both, 401);
    let long = format!("Bearer {}", "a".repeat(20_000));
    assert_problem(&authorization(&long), 401);
    for value in ["", "member", "Basic bWVtYmVyOm1lbWJlcg==", "Bearermember", "Token member"] {
        let response = authorization(value);
        assert_problem(&response, 401);
        assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{value}");
    }
    assert_eq!(authorization("bEARER member").status, 200);
}

#[test]
fn a_database_that_is_gone_is_an_outage() {
    let world = World::new();
    let service = service(world.auth());
    world.pool.get().unwrap().batch_execute("ALTER TABLE resources RENAME TO gone").unwrap();
    assert_problem(&service.get("/resources/1", Some("member")), 503);
    assert_problem(&service.get("/resources/1", None), 401);
    world.pool.get().unwrap().batch_execute("ALTER TABLE members RENAME TO gone_too").unwrap();
    assert_problem(&service.get("/auth", Some("member")), 503);
    assert_problem(&service.get("/auth", Some("nobody")), 503);
    // It recovers without a restart.
    world.pool.get().unwrap().batch_execute("ALTER TABLE gone_too RENAME TO members").unwrap();
    assert_eq!(service.get("/auth", Some("member")).status, 200);
}

#[test]
fn a_database_that_was_never_there_is_an_outage() {
    let nowhere = ConnectionManager::new("/nowhere/at-all.sqlite");
    let pool: SqlitePool =
        Pool::builder().max_size(1).connection_timeout(Duration::from_millis(200)).build_unchecked(nowhere);
    let world = World::new();
    let auth = Auth::builder()
        .mechanism(auth_core::mechanism::BearerToken::<Member>::new(world.pool.clone()))
        .connections(pool)
        .build()
        .unwrap();
    assert_problem(&service(auth).get("/resources/1", Some("admin")), 503);
}

#[test]
fn an_exhausted_pool_is_an_outage_after_the_configured_wait() {
    let world = World::new();
    let service = service(world.auth());
    let taken: Vec<_> = (0..world.pool.max_size()).map(|_| world.pool.get().unwrap()).collect();
    let started = Instant::now();
    assert_problem(&service.get("/resources/1", Some("admin")), 503);
    assert!(started.elapsed() >= world.pool.connection_timeout(), "it waited as long as it may");
    drop(taken);
    assert_eq!(service.get("/resources/1", Some("admin")).status, 200);
}

#[test]
fn a_panic_in_a_loader_is_an_outage() {
    let service = service(World::new().auth());
    assert_problem(&service.get("/pages/panic", Some("admin")), 503);
    assert_eq!(service.get("/pages/1", Some("member")).status, 200);
}

/// A mechanism and a context that answer when the test is over.
struct Stuck;

static UNTIL_THE_END: Mutex<()> = Mutex::new(());

impl Mechanism for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        if request.headers().contains_key("x-stuck") {
            pending().await
        } else {
            Ok(Some(User::new(1).into()))
        }
    }
}

impl LoadContext for Stuck {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        drop(UNTIL_THE_END.lock());
        Ok(Self)
    }
}

impl AuthModel for Stuck {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx = Stuck)]
#[get("/stuck/{id}")]
async fn stuck() -> impl Responder {
    "ok"
}

fn stuck_loader(connection: &mut NoConnection) -> Result<Stuck, LoadError> {
    Stuck::load(1, connection)
}

#[permission_required_for_context("read", ctx_loader = stuck_loader(connection))]
#[get("/stuck-loader")]
async fn loaded() -> impl Responder {
    "ok"
}

#[test]
fn what_does_not_answer_in_time_is_an_outage() {
    let auth = Auth::builder().mechanism(Stuck).time_limit(Duration::from_millis(200)).build().unwrap();
    let service = Service::start(move |app| {
        app.app_data(auth.clone()).service((authenticated, stuck, loaded));
    });
    assert_problem(&service.send_with("/auth", &[("x-stuck", "")]), 503);
    let held = UNTIL_THE_END.lock().unwrap();
    for path in ["/stuck/1", "/stuck-loader"] {
        assert_problem(&service.get(path, None), 503);
    }
    assert_eq!(service.get("/auth", None).status, 200);
    drop(held);
    for path in ["/stuck/1", "/stuck-loader"] {
        assert_eq!(service.get(path, None).status, 200);
    }
}

/// A context whose access-control list panics.
struct Cursed;

impl LoadContext for Cursed {
    type Id = i32;
    type Connection = NoConnection;

    fn load(_: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Cursed {
    fn acl(&self) -> impl Acl {
        assert!(std::hint::black_box(false), "a bug in an access-control list");
        allow(Permission::READ, every_logged_in_user())
    }
}

#[permission_required_for_context("read", ctx = Cursed)]
#[get("/cursed/{id}")]
async fn cursed() -> impl Responder {
    "ok"
}

#[test]
fn a_panic_in_an_access_control_list_is_an_outage() {
    let service = service(World::new().auth());
    assert_problem(&service.get("/cursed/1", Some("member")), 503);
    assert_eq!(service.get("/pages/1", Some("member")).status, 200);
}

#[test]
fn a_subject_of_another_type_than_the_handler_takes_is_a_mistake_of_the_application() {
    let auth = Auth::builder().mechanism(AlwaysAs(User::new(1))).build().unwrap();
    let service = service(auth);
    assert_problem(&service.get("/unguarded", None), 500);
    assert_eq!(service.get("/auth", None).status, 200);
}

#[test]
fn an_extractor_of_the_caller_authenticates_by_itself() {
    let service = service(World::new().auth());
    assert_problem(&service.get("/unguarded", None), 401);
    assert_eq!(service.get("/unguarded", Some("member")).status, 200);
}

#[public]
#[get("/open")]
async fn open(user: MaybeUser<Member>) -> impl Responder {
    user.as_ref().map_or_else(|| "nobody".to_owned(), |user| user.id().to_string())
}

#[test]
fn only_a_request_without_credentials_is_anonymous() {
    let world = World::new();
    let service = service(world.auth());
    assert_eq!(service.get("/open", None).body, "nobody");
    assert_eq!(service.get("/open", Some("member")).body, "1");
    assert_problem(&service.get("/open", Some("wrong")), 401);
    world.pool.get().unwrap().batch_execute("ALTER TABLE members RENAME TO gone").unwrap();
    assert_problem(&service.get("/open", Some("member")), 503);
    assert_eq!(service.get("/open", None).body, "nobody");
}

#[test]
fn building_an_auth_checks_it() {
    let pool = World::new().pool;
    assert!(Auth::builder().build().unwrap_err().to_string().contains("no mechanism"));
    let twice = Auth::builder().mechanism(AlwaysAs(User::new(1))).mechanism(AlwaysAs(User::new(2))).build();
    assert!(twice.unwrap_err().to_string().contains("two mechanisms are named `test`"));
    let twice =
        Auth::builder().mechanism(AlwaysAs(User::new(1))).connections(pool.clone()).connections(pool).build();
    assert!(twice.unwrap_err().to_string().contains("two pools lend `diesel::sqlite::"));
}

/// A guard as no attribute writes it: it requires a context, and loads none.
struct Forgetful;

static FORGETFUL: GuardedHandler = GuardedHandler {
    name: "forgetful",
    module: module_path!(),
    file: file!(),
    line: line!(),
    routes: &[],
    inner: None,
    requirements: Requirements {
        caller: CallerRequirement::BY_DEFAULT,
        checks: &[],
        contexts: &[ContextRequirement {
            context: "nothing",
            id: None,
            places: &[],
            permissions: &[Permission::READ],
            allows_empty: false,
            policy: &[],
        }],
    },
};

impl Described for Forgetful {
    fn handler() -> &'static GuardedHandler {
        &FORGETFUL
    }
}

impl DeclarativeGuard<()> for Forgetful {
    type Contexts = ();
    type Others = ();
}

#[test]
fn a_guard_that_loads_less_than_it_requires_denies() {
    let auth = World::new().auth();
    let service = Service::start(move |app| {
        let handler = async |_: Admitted<Forgetful, ()>| "let in";
        app.app_data(auth.clone()).route("/forgetful", web::get().to(handler));
    });
    assert_problem(&service.get("/forgetful", Some("member")), 500);
}

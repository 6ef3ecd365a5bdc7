//! Protected scopes: the handlers that they take, and the requirements of a scope for all of its handlers.

use actix_web::{
    App, HttpRequest, Responder, get,
    http::Method,
    middleware::DefaultHeaders,
    post,
    test::{TestRequest, call_service, init_service},
    web,
};
use auth_core::{
    Auth, CurrentUser, ProtectedApp, ProtectedConfig, ProtectedScope, Subject as _, User,
    account_roles_required, auth_required,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context,
    protected::ScopeGuard,
    public, roles_required,
};

use crate::{
    client::{Response, Service},
    fixture::{Member, Resource, World},
};

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource, user: CurrentUser<Member>) -> impl Responder {
    let _ = user;
    resource.name
}

#[account_roles_required("bar")]
#[post("/drinks")]
async fn mix(body: web::Json<u8>) -> impl Responder {
    body.to_string()
}

#[public(reason = "the menu hangs at the door")]
#[get("/menu")]
async fn menu() -> impl Responder {
    "menu"
}

/// Without a route attribute, and generic.
#[roles_required("waiter")]
async fn serve<const TABLE: u8>() -> impl Responder {
    format!("served at {TABLE}")
}

fn kitchen(config: &mut ProtectedConfig<'_>) {
    config
        .service(view)
        .service(mix)
        .service(menu)
        .route("/tables/7", Method::POST, serve::<7>)
        .route("/tables/7", Method::GET, serve::<7>)
        .public_service("/style", "it is the same for all", web::resource("").to(|| async { "style" }));
}

/// `/open` has no requirement; `/kitchen` requires a role, in two scopes.
fn service(world: &World) -> Service {
    let auth = world.auth();
    Service::start(move |app| {
        let cooks = ScopeGuard::auth_required().roles_accepted(&["chef", "cook"]);
        let inner = ProtectedScope::new("/inner")
            .guarded_by(ScopeGuard::auth_required_by(&["token"]).permissions_required(&["serve"]))
            .wrap(DefaultHeaders::new().add(("x-inner", "yes")))
            .configure(kitchen);
        ProtectedConfig::new(app)
            .app_data(auth.clone())
            .service(ProtectedScope::new("/open").configure(kitchen))
            .service(ProtectedScope::new("/kitchen").guarded_by(cooks).service(inner).configure(kitchen));
    })
}

fn status(service: &Service, method: &str, path: &str, token: Option<&str>) -> u16 {
    let authorization = token.map(|token| format!("Bearer {token}"));
    service.send(method, path, authorization.as_deref(), None).status.as_u16()
}

#[test]
fn a_scope_without_a_guard_leaves_all_to_its_handlers() {
    let service = service(&World::new());
    for (method, path, token, expected) in [
        ("GET", "/open/menu", None, 200),
        ("GET", "/open/style", None, 200),
        ("GET", "/open/style/more", None, 404),
        ("GET", "/open/resources/1", None, 401),
        ("GET", "/open/resources/1", Some("member"), 200),
        ("GET", "/open/resources/2", Some("member"), 403),
        ("POST", "/open/tables/7", None, 401),
        ("POST", "/open/tables/7", Some("chef"), 403),
        ("POST", "/open/tables/7", Some("crew"), 200),
        ("POST", "/open/tables/7", Some("admin"), 200),
        ("GET", "/open/tables/7", Some("crew"), 200),
        ("PUT", "/open/tables/7", Some("crew"), 405),
        ("GET", "/open/nothing", None, 404),
    ] {
        assert_eq!(status(&service, method, path, token), expected, "{method} {path} {token:?}");
    }
}

#[test]
fn a_guard_of_a_scope_holds_for_all_that_is_in_it() {
    let service = service(&World::new());
    for path in ["menu", "style", "resources/1", "resources/x", "nothing", "inner/menu", "inner/nothing", ""]
    {
        let path = format!("/kitchen/{path}");
        assert_eq!(status(&service, "GET", &path, None), 401, "{path}");
        assert_eq!(status(&service, "GET", &path, Some("unknown")), 401, "{path}");
        assert_eq!(status(&service, "GET", &path, Some("member")), 403, "{path}");
        // The body is malformed, too.
        assert_eq!(status(&service, "POST", &path, Some("member")), 403, "{path}");
    }
    for (path, token, expected) in [
        ("/kitchen/menu", "chef", 200),
        ("/kitchen/menu", "admin", 200),
        ("/kitchen/nothing", "chef", 404),
        ("/kitchen/inner/menu", "chef", 403),
        ("/kitchen/inner/menu", "crew", 200),
        // Permissions that roles carry are not waived for admins.
        ("/kitchen/inner/menu", "admin", 403),
    ] {
        assert_eq!(status(&service, "GET", path, Some(token)), expected, "{path} {token}");
    }
}

#[test]
fn a_handler_asks_what_it_asks_anywhere() {
    let service = service(&World::new());
    for scope in ["/kitchen", "/kitchen/inner"] {
        let path = |path| format!("{scope}{path}");
        assert_eq!(status(&service, "GET", &path("/resources/1"), Some("crew")), 200);
        assert_eq!(status(&service, "GET", &path("/resources/2"), Some("crew")), 403);
        assert_eq!(status(&service, "GET", &path("/resources/3"), Some("crew")), 404);
        assert_eq!(status(&service, "POST", &path("/drinks"), Some("crew")), 400);
    }
    assert_eq!(status(&service, "POST", "/kitchen/drinks", Some("chef")), 400);
    assert_eq!(status(&service, "POST", "/kitchen/tables/7", Some("chef")), 403);
}

#[test]
fn a_denial_is_the_same_as_that_of_a_handler() {
    let service = service(&World::new());
    let shown = |Response { status, headers, body }: Response| {
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .filter(|(name, _)| !["date", "x-inner"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        (status, headers, body)
    };
    let of_handler = shown(service.get("/open/resources/1", None));
    let of_scope = shown(service.get("/kitchen/menu", None));
    assert_eq!(of_handler, of_scope);
    assert_eq!(
        shown(service.get("/open/resources/2", Some("member"))),
        shown(service.get("/kitchen/menu", Some("member")))
    );
}

#[test]
fn middleware_that_is_added_afterwards_sees_denials() {
    let service = service(&World::new());
    let denied = service.get("/kitchen/inner/menu", Some("chef"));
    assert_eq!((denied.status.as_u16(), denied.header("x-inner")), (403, Some("yes")));
}

#[test]
fn a_caller_is_authenticated_once() {
    let world = World::new();
    let service = service(&world);
    assert_eq!(service.get("/kitchen/inner/resources/1", Some("crew")).status, 200);
    let statements = world.statements();
    assert_eq!(statements.len(), 2, "{statements:?}");
}

struct Panics;

impl Mechanism for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        panic!("as a test wants it")
    }
}

#[actix_web::test]
async fn a_guard_of_a_scope_fails_closed() {
    let guarded = || ProtectedScope::new("").guarded_by(ScopeGuard::auth_required()).service(menu);
    let panics = Auth::builder().mechanism(Panics).build().unwrap();
    let app = init_service(ProtectedApp::new().app_data(panics).service(guarded())).await;
    assert_eq!(call_service(&app, TestRequest::get().uri("/menu").to_request()).await.status(), 503);
    // Without an `Auth`.
    let app = init_service(ProtectedApp::new().service(guarded())).await;
    assert_eq!(call_service(&app, TestRequest::get().uri("/menu").to_request()).await.status(), 500);
    // With a mechanism that the guard does not accept.
    let token = ScopeGuard::auth_required_by(&["token"]);
    let scope = ProtectedScope::new("").guarded_by(token).service(menu);
    let other = Auth::builder().mechanism(auth_core::test::AlwaysAs(User::new(1))).build().unwrap();
    let app = init_service(ProtectedApp::new().app_data(other).service(scope)).await;
    assert_eq!(call_service(&app, TestRequest::get().uri("/menu").to_request()).await.status(), 500);
}

#[actix_web::test]
async fn an_application_takes_guarded_handlers_alone() {
    #[auth_required]
    async fn whoami(user: CurrentUser<User>) -> impl Responder {
        user.id().to_string()
    }

    let auth = Auth::builder().mechanism(auth_core::test::AlwaysAs(User::new(7))).build().unwrap();
    let app = ProtectedApp::new()
        .app_data(auth.clone())
        .wrap(DefaultHeaders::new().add(("x-app", "yes")))
        .service(menu)
        .route("/me", Method::GET, whoami)
        .configure(|config| _ = config.service(ProtectedScope::new("/again").service(menu)));
    let app = init_service(app).await;
    for (path, expected) in [("/menu", 200), ("/me", 200), ("/again/menu", 200), ("/other", 404)] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status().as_u16(), expected, "{path}");
        assert_eq!(response.headers().get("x-app").unwrap(), "yes");
    }
    // A scope takes data of its own, before its guard.
    let scope =
        ProtectedScope::new("/own").guarded_by(ScopeGuard::auth_required()).app_data(auth).service(menu);
    let app = init_service(App::new().service(scope)).await;
    assert_eq!(call_service(&app, TestRequest::get().uri("/own/menu").to_request()).await.status(), 200);
}

//! The answers of guarded handlers beside their bodies: the headers for caches and browsers, HEAD, and 405.

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpRequest, HttpResponse, Responder,
    cookie::Key,
    delete, get, head,
    http::{Method, header},
    post, put, route,
    test::{TestRequest, call_service, init_service},
    web,
};
use auth_core::{
    AuthError, CurrentUser, MaybeUser, ProtectedApp, ProtectedConfig, ProtectedScope,
    anonymous_user_required, auth_required,
    mechanism::session,
    permission_required_for_context,
    protected::{GuardedResponses, ScopeGuard},
    public, report,
};

use crate::{
    client::{Response, Service},
    fixture::{Member, Resource, World},
};

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("update", ctx_arg = "resource")]
#[put("/resources/{resource_id}")]
async fn rename(resource: Resource, name: web::Json<String>) -> impl Responder {
    format!("{} {name}", resource.name)
}

#[permission_required_for_context("read", ctx = Resource, id = "id")]
#[delete("/resources/{id}")]
async fn remove() -> impl Responder {
    "gone"
}

/// Matches the paths of `view`, by another pattern.
#[auth_required]
#[post("/resources/latest")]
async fn latest() -> impl Responder {
    "latest"
}

#[auth_required]
#[get("/cached")]
async fn cached() -> impl Responder {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, max-age=60"))
        .insert_header((header::VARY, "Accept"))
        .body("cached")
}

#[auth_required]
#[get("/broken")]
async fn broken() -> Result<String, actix_web::Error> {
    Err(actix_web::error::ErrorConflict("somebody was here before"))
}

#[auth_required]
#[get("/not-modified")]
async fn not_modified() -> impl Responder {
    HttpResponse::NotModified().finish()
}

#[auth_required]
#[get("/upgrade")]
async fn upgrade() -> impl Responder {
    HttpResponse::SwitchingProtocols().finish()
}

#[auth_required]
#[get("/panic")]
async fn panic() -> String {
    panic!("as a test wants it")
}

#[anonymous_user_required]
#[get("/welcome")]
async fn welcome() -> impl Responder {
    "welcome"
}

#[public(reason = "it greets everybody")]
#[get("/greeting")]
async fn greeting(user: MaybeUser<Member>) -> impl Responder {
    if user.is_some() { "hello again" } else { "hello" }
}

/// Takes every error for an anonymous caller.
#[public(reason = "it greets everybody")]
#[get("/tolerant-greeting")]
async fn tolerant_greeting(user: Option<CurrentUser<Member>>) -> impl Responder {
    if user.is_some() { "hello again" } else { "hello" }
}

#[public(reason = "it is the same for everybody")]
#[get("/open")]
async fn open() -> impl Responder {
    "open"
}

#[public(reason = "whoever comes is member 1")]
#[post("/log-in")]
async fn log_in(request: HttpRequest) -> Result<impl Responder, AuthError> {
    session::log_in(&request, 1)?;
    Ok(HttpResponse::NoContent())
}

#[auth_required]
#[get("/twice")]
async fn of_get() -> impl Responder {
    HttpResponse::Ok().insert_header(("x-handler", "get")).body("get")
}

#[permission_required_for_context("read", ctx = Resource, id = query("resource"))]
#[head("/twice")]
async fn of_head() -> impl Responder {
    HttpResponse::Ok().insert_header(("x-handler", "head")).finish()
}

#[auth_required]
#[route("/both", method = "GET", method = "POST")]
async fn both() -> impl Responder {
    "both"
}

#[auth_required]
async fn plain() -> impl Responder {
    "plain"
}

fn all(config: &mut ProtectedConfig<'_>) {
    config
        .service(latest)
        .service(view)
        .service(rename)
        .service(remove)
        .service(cached)
        .service(broken)
        .service(not_modified)
        .service(upgrade)
        .service(panic)
        .service(welcome)
        .service(greeting)
        .service(tolerant_greeting)
        .service(open)
        .service(of_get)
        .service(of_head)
        .service(both)
        .service(log_in)
        .route("/plain", Method::GET, plain)
        .public_service(
            "/files",
            "they are for all",
            web::resource("").route(web::get().to(|| async { "file" })),
        );
}

/// Of tokens and sessions, everything in a scope and once more in a guarded one.
fn service() -> Service {
    let auth = World::new().auth_with_sessions();
    let key = Key::generate();
    Service::start(move |app| {
        let sessions = || SessionMiddleware::new(CookieSessionStore::default(), key.clone());
        let guarded = ProtectedScope::new("/guarded").guarded_by(ScopeGuard::auth_required()).configure(all);
        ProtectedConfig::new(app)
            .app_data(auth.clone())
            .service(guarded.wrap(sessions()))
            .service(ProtectedScope::new("").configure(all).wrap(sessions()));
    })
}

fn send(service: &Service, method: &str, path: &str, token: Option<&str>) -> Response {
    let authorization = token.map(|token| format!("Bearer {token}"));
    service.send(method, path, authorization.as_deref(), None)
}

fn headers(response: &Response) -> [Option<&str>; 3] {
    ["cache-control", "x-content-type-options", "vary"].map(|name| response.header(name))
}

const PRIVATE: [Option<&str>; 3] = [Some("no-store"), Some("nosniff"), Some("authorization, cookie")];

#[test]
fn nobody_keeps_what_a_guard_let_through_or_denied() {
    let service = service();
    for (path, token, status) in [
        ("/resources/1", Some("member"), 200),
        ("/resources/1", None, 401),
        ("/resources/1", Some("wrong"), 401),
        ("/resources/2", Some("member"), 403),
        ("/resources/9", Some("member"), 404),
        ("/broken", Some("member"), 409),
        ("/welcome", None, 200),
        ("/welcome", Some("member"), 403),
        ("/greeting", None, 200),
        ("/greeting", Some("member"), 200),
        ("/tolerant-greeting", None, 200),
        ("/tolerant-greeting", Some("wrong"), 200),
        ("/tolerant-greeting", Some("member"), 200),
        ("/guarded/open", Some("member"), 200),
        ("/guarded/open", None, 401),
        ("/guarded/nothing", Some("member"), 404),
        ("/guarded/files", Some("member"), 200),
    ] {
        let response = send(&service, "GET", path, token);
        assert_eq!(response.status, status, "{path} {token:?}");
        assert_eq!(headers(&response), PRIVATE, "{path} {token:?}");
    }
    // The extractor of the body reports its error.
    let malformed = send(&service, "PUT", "/resources/1", Some("chef"));
    assert_eq!(malformed.status, 400);
    assert_eq!(headers(&malformed), PRIVATE);
    // There is no answer at all.
    let head = "GET /panic HTTP/1.1\r\nhost: x\r\nauthorization: Bearer member\r\n\r\n";
    assert_eq!(service.raw(head.as_bytes()), None);
}

#[test]
fn what_a_session_decided_depends_on_the_cookie() {
    let service = service();
    let cookie = send(&service, "POST", "/log-in", None).header("set-cookie").unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let get = |path| service.send_with(path, &[("cookie", cookie)]);
    let response = get("/resources/1");
    assert_eq!((response.status.as_u16(), headers(&response)), (200, PRIVATE));
    let response = get("/greeting");
    assert_eq!((&*response.body, headers(&response)), ("hello again", PRIVATE));
    assert_eq!(headers(&get("/open")), [None; 3]);
}

#[test]
fn what_a_handler_says_of_caches_counts() {
    let service = service();
    let response = send(&service, "GET", "/cached", Some("member"));
    assert_eq!(response.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    let vary: Vec<_> = response.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(vary, ["Accept", "authorization, cookie"]);
}

#[test]
fn what_no_guard_decided_stays_as_it_is() {
    let service = service();
    for (path, token, status) in [
        ("/open", None, 200),
        ("/open", Some("member"), 200),
        ("/files", None, 200),
        ("/nothing", None, 404),
        ("/not-modified", Some("member"), 304),
    ] {
        let response = send(&service, "GET", path, token);
        assert_eq!(response.status, status, "{path}");
        assert_eq!(headers(&response), [None; 3], "{path}");
    }
}

#[actix_web::test]
async fn an_upgrade_is_left_alone() {
    let auth = World::new().auth();
    let app = init_service(ProtectedApp::new().app_data(auth).configure(all)).await;
    let request = TestRequest::get().uri("/upgrade").insert_header(("authorization", "Bearer member"));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 101);
    assert!(!response.headers().contains_key("cache-control"), "{:?}", response.headers());
}

#[actix_web::test]
async fn a_protected_application_and_a_plain_one_say_it_too() {
    let auth = World::new().auth();
    let protected = init_service(ProtectedApp::new().app_data(auth.clone()).configure(all)).await;
    let plain =
        init_service(App::new().wrap(GuardedResponses::new()).app_data(auth).service((view, open))).await;
    macro_rules! assert_private {
        ($app:expr) => {
            for (path, token, status) in [
                ("/resources/1", "member", 200),
                ("/resources/2", "member", 403),
                ("/resources/1", "wrong", 401),
            ] {
                let request =
                    TestRequest::get().uri(path).insert_header(("authorization", format!("Bearer {token}")));
                let response = call_service($app, request.to_request()).await;
                let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
                assert_eq!(response.status(), status, "{path}");
                assert_eq!(header("cache-control"), Some("no-store"), "{path}");
                assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
                assert_eq!(header("vary"), Some("authorization"), "{path}");
            }
            let response = call_service($app, TestRequest::get().uri("/open").to_request()).await;
            assert!(!response.headers().contains_key("cache-control"));
        };
    }
    assert_private!(&protected);
    assert_private!(&plain);
}

#[test]
fn head_is_get_without_a_body_and_as_guarded() {
    let service = service();
    for scope in ["", "/guarded"] {
        for (path, token, status) in [
            ("/resources/1", Some("member"), 200),
            ("/resources/1", None, 401),
            ("/resources/2", Some("member"), 403),
            ("/resources/9", Some("member"), 404),
            ("/both", Some("member"), 200),
            ("/both", None, 401),
            ("/plain", Some("member"), 200),
            ("/plain", None, 401),
            ("/open", Some("member"), 200),
            ("/cached", Some("member"), 200),
        ] {
            let path = format!("{scope}{path}");
            let [get, head] = ["GET", "HEAD"].map(|method| send(&service, method, &path, token));
            assert_eq!(get.status, status, "{path} {token:?}");
            assert_eq!(head.status, status, "{path} {token:?}");
            assert_eq!(head.body, "");
            assert_eq!(headers(&head), headers(&get), "{path}");
            assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        }
    }
}

#[test]
fn a_handler_of_head_has_its_own_guard() {
    let service = service();
    let head = |path, token| {
        let response = send(&service, "HEAD", path, token);
        (response.status.as_u16(), response.header("x-handler").map(str::to_owned))
    };
    assert_eq!(head("/twice?resource=1", Some("member")), (200, Some("head".to_owned())));
    assert_eq!(head("/twice?resource=2", Some("member")), (403, None));
    assert_eq!(head("/twice?resource=1", None), (401, None));
    assert_eq!(send(&service, "GET", "/twice", Some("member")).body, "get");
}

#[test]
fn a_method_that_nobody_serves_is_405_and_says_which_ones_are() {
    let service = service();
    for (method, path, allow) in [
        ("POST", "/resources/1", "DELETE, GET, HEAD, PUT"),
        ("PATCH", "/resources/latest", "DELETE, GET, HEAD, POST, PUT"),
        ("DELETE", "/twice", "GET, HEAD"),
        ("PUT", "/both", "GET, HEAD, POST"),
        ("PUT", "/plain", "GET, HEAD"),
        ("OPTIONS", "/open", "GET, HEAD"),
        ("POST", "/open", "GET, HEAD"),
    ] {
        for (scope, token) in [("", None), ("", Some("wrong")), ("/guarded", Some("member"))] {
            let path = format!("{scope}{path}");
            let response = send(&service, method, &path, token);
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(response.header("allow"), Some(allow), "{method} {path}");
            assert_eq!(response.header("content-type"), Some("application/problem+json"));
        }
        // A scope's guard is before all handlers in it.
        assert_eq!(send(&service, method, &format!("/guarded{path}"), None).status, 401);
    }
    for path in ["/nothing", "/resources", "/resources/1/more", "/guarded", "/open/more"] {
        let token = Some("member");
        assert_eq!(send(&service, "POST", path, token).status, 404, "{path}");
        assert_eq!(send(&service, "HEAD", path, token).status, 404, "{path}");
    }
}

#[actix_web::test]
async fn an_application_answers_head_and_405_and_what_it_likes_for_the_rest() {
    let auth = World::new().auth();
    let app = init_service(ProtectedApp::new().app_data(auth.clone()).configure(all)).await;
    let call = async |method: Method, path: &str| {
        let request = TestRequest::default().method(method).uri(path);
        let request = request.insert_header(("authorization", "Bearer member"));
        call_service(&app, request.to_request()).await
    };
    assert_eq!(call(Method::HEAD, "/resources/1").await.status(), 200);
    assert_eq!(call(Method::HEAD, "/nothing").await.status(), 404);
    let response = call(Method::PATCH, "/resources/1").await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers().get("allow").unwrap(), "DELETE, GET, HEAD, PUT");

    // The answer of a plain application to unknown paths holds below a protected scope as well.
    let scope = ProtectedScope::new("/api").service(view);
    let nothing = web::to(|| async { HttpResponse::NotFound().body("nothing here") });
    let app = init_service(App::new().app_data(auth).service(scope).default_service(nothing)).await;
    let request = TestRequest::get().uri("/api/nothing").to_request();
    let body = actix_web::test::call_and_read_body(&app, request).await;
    assert_eq!(body, "nothing here");
}

#[actix_web::test]
async fn the_report_says_that_head_is_answered() {
    let found = report()
        .of_crate("http::answers")
        .registered_by(|config| {
            ProtectedConfig::new(config).service(ProtectedScope::new("/api").configure(all));
        })
        .await;
    assert!(found.is_complete(), "{found}");
    let lines: Vec<String> = found.report().entries().iter().map(ToString::to_string).collect();
    for line in [
        "GET, HEAD /api/cached: auth_required",
        "GET, HEAD, POST /api/both: auth_required",
        "GET, HEAD /api/plain: auth_required",
        "GET /api/twice: auth_required",
        r#"HEAD /api/twice: permission_required_for_context("read", Resource, id = query("resource"))"#,
        r#"PUT /api/resources/{resource_id}: permission_required_for_context("update", Resource, id = "resource_id")"#,
    ] {
        assert!(lines.iter().any(|other| other == line), "{line}: {lines:#?}");
    }
}

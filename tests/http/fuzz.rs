//! Arbitrary requests: each gets an answer that is no failure, none gets in by chance, and no panic.

use std::{fmt::Write as _, time::UNIX_EPOCH};

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{HttpRequest, HttpResponse, Responder, cookie::Key, get, http::StatusCode, post, web};
use auth_core::{
    Acl, AuthModel, Id, LoadContext, LoadError, NoConnection, Permission, allow, auth_required,
    every_logged_in_user, permission_required_for_context, public,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof},
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::Service,
    fixture::{Resource, World},
};

/// Exists for every id.
struct Anything(Id);

impl LoadContext for Anything {
    type Id = Id;
    type Connection = NoConnection;

    fn load(id: Id, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self(id))
    }
}

impl AuthModel for Anything {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

/// Whether the guard checked the object that the handler reads.
fn is_same(context: &Anything, read: &str) -> StatusCode {
    if context.0.to_string() == read { StatusCode::OK } else { StatusCode::IM_A_TEAPOT }
}

#[permission_required_for_context("read", ctx_arg = "context", id = "id")]
#[get("/path/{id}")]
async fn by_path(context: Anything, read: web::Path<String>) -> impl Responder {
    HttpResponse::new(is_same(&context, &read))
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

#[permission_required_for_context("read", ctx_arg = "context", id = query("id"))]
#[get("/query")]
async fn by_query(context: Anything, read: web::Query<Asked>) -> impl Responder {
    HttpResponse::new(is_same(&context, &read.id))
}

#[permission_required_for_context("read", ctx_arg = "context", id = header("x-id"))]
#[get("/header")]
async fn by_header(context: Anything, request: HttpRequest) -> impl Responder {
    let read = request.headers().get("x-id").unwrap();
    HttpResponse::new(is_same(&context, read.to_str().unwrap()))
}

#[permission_required_for_context("read", ctx_arg = "resource", id = "id")]
#[permission_required_for_context("read", ctx = Resource, id = query("id"))]
#[permission_required_for_context("read", ctx = Resource, id = header("x-id"))]
#[get("/resources/{id}")]
async fn three_resources(resource: Resource) -> impl Responder {
    resource.name
}

#[auth_required]
#[get("/auth")]
async fn authenticated() -> impl Responder {
    "ok"
}

#[auth_required("session", within = "15 min", grace = "1 h")]
#[get("/graceful")]
async fn graceful() -> impl Responder {
    "ok"
}

/// Puts this where a log-in is kept.
#[public]
#[post("/session")]
async fn keep(session: Session, content: web::Json<Value>) -> impl Responder {
    session.insert("auth", content.into_inner()).map(|()| HttpResponse::NoContent())
}

fn service() -> Service {
    let auth = World::new().auth_with_sessions();
    let key = Key::generate();
    Service::start(move |app| {
        let sessions = SessionMiddleware::new(CookieSessionStore::default(), key.clone());
        let handlers = (by_path, by_query, by_header, three_resources, authenticated, graceful, keep);
        app.app_data(auth.clone()).service(web::scope("").wrap(sessions).service(handlers));
    })
}

/// Checks this for so many random values.
fn check<S: Strategy>(times: u32, values: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(times) })
        .run(values, property)
        .unwrap();
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}

/// Bytes as they are, or percent-encoded, or a text that is nearly an id.
fn ids() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(any::<u8>(), 0..40).prop_map(|bytes| percent_encoded(&bytes).into_bytes()),
        "[-+]?[0-9]{1,45}".prop_map(String::into_bytes),
        "[0-9a-fA-F]{8}-?([0-9a-f]{4}-){3}[0-9a-f]{12}".prop_map(String::into_bytes),
        "[0-9%./;&=#+?*~ -]{0,20}".prop_map(String::into_bytes),
        (1..20_000_usize).prop_map(|length| vec![b'9'; length]),
        Just(b"1".to_vec()),
    ]
}

#[test]
fn no_id_makes_a_guard_fail() {
    let service = service();
    let in_path = |start: &'static [u8]| ids().prop_map(move |id| [start, &id].concat());
    let paths = prop_oneof![
        in_path(b"/path/"),
        in_path(b"/resources/"),
        Just(b"/query".to_vec()),
        Just(b"/header".to_vec()),
    ];
    check(256, &(paths, ids(), ids()), |(path, query, header)| {
        let request: Vec<&[u8]> = vec![
            b"GET ",
            &path,
            b"?id=",
            &query,
            b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer admin\r\nx-id: ",
            &header,
            b"\r\n\r\n",
        ];
        let status = service.raw(&request.concat());
        prop_assert!(status.is_some_and(|status| (200..500).contains(&status)), "{:?}", status);
        Ok(())
    });
    let valid =
        service.request("GET", "/resources/1?id=1", &[("authorization", "Bearer admin"), ("x-id", "2")]);
    assert_eq!((valid.status.as_u16(), valid.body.as_str()), (200, "one"));
}

#[test]
fn a_guard_is_asked_about_the_id_that_the_handler_reads() {
    let service = service();
    let admin = ("authorization", "Bearer admin");
    let status = |path: &str, headers: &[(&str, &str)]| service.request("GET", path, headers).status.as_u16();
    check(128, &".{1,20}", |text| {
        let encoded = percent_encoded(text.as_bytes());
        // 404 for a path that the route does not match, and for a text that no database holds.
        let found = if text.contains('\0') { 404 } else { 200 };
        prop_assert_eq!(status(&format!("/path/{encoded}"), &[admin]), found);
        let (once, twice) = (format!("/query?id={encoded}"), format!("/query?id={encoded}&id={encoded}"));
        prop_assert_eq!(status(&once, &[admin]), found);
        prop_assert_eq!(status(&twice, &[admin]), 404);
        Ok(())
    });
    check(128, &"[!-~]([ -~]{0,20}[!-~])?", |text| {
        prop_assert_eq!(status("/header", &[admin, ("x-id", &text)]), 200);
        prop_assert_eq!(status("/header", &[admin, ("x-id", &text), ("x-id", &text)]), 404);
        Ok(())
    });
}

#[test]
fn no_credentials_make_a_guard_fail_or_let_somebody_in() {
    let service = service();
    let names = prop_oneof![
        Just("authorization: "),
        Just("authorization: Bearer "),
        Just("authorization: Basic "),
        Just("authorization: bearer\t"),
        Just("cookie: id="),
        Just("cookie: "),
    ];
    let values = prop_oneof![
        vec(any::<u8>(), 0..60),
        "[A-Za-z0-9+/=._~-]{0,200}".prop_map(String::into_bytes),
        "[ -~]{0,60}".prop_map(String::into_bytes),
    ];
    check(256, &(names, values), |(name, value)| {
        let start = b"GET /auth HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
        let status = service.raw(&[start, name.as_bytes(), &value, b"\r\n\r\n"].concat());
        prop_assert!(matches!(status, Some(400 | 401 | 431)), "{:?}", status);
        Ok(())
    });
    assert_eq!(service.get("/auth", Some("member")).status, 200);
}

/// The stored form of a log-in, and texts that are none.
fn log_ins() -> impl Strategy<Value = Value> {
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    let number = move || {
        prop_oneof![
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            Just(json!(u64::MAX)),
            Just(json!(i64::MAX)),
            Just(json!(0)),
            Just(json!(now)),
            Just(Value::Null),
            ".{0,5}".prop_map(Value::from),
        ]
    };
    let time = move || {
        (number(), number())
            .prop_map(|(seconds, nanos)| json!({ "secs_since_epoch": seconds, "nanos_since_epoch": nanos }))
    };
    let duration =
        (number(), number()).prop_map(|(seconds, nanos)| json!({ "secs": seconds, "nanos": nanos }));
    let grace = (time(), duration).prop_map(|(until, within)| json!({ "until": until, "within": within }));
    let grace = prop_oneof![grace, Just(Value::Null)];
    let id = prop_oneof![number(), Just(json!(1)), Just(json!("1")), "[0-9]{1,50}".prop_map(Value::from)];
    let log_in = (id, time(), grace)
        .prop_map(|(id, since, grace)| json!({ "id": id, "since": since, "grace": grace }));
    prop_oneof![4 => log_in, 1 => number(), 1 => vec(number(), 0..5).prop_map(Value::from)]
}

#[test]
fn no_content_of_a_session_makes_a_guard_fail() {
    let service = service();
    check(256, &log_ins(), |content| {
        let kept = service.send("POST", "/session", None, Some(&content.to_string()));
        prop_assert_eq!(kept.status, 204);
        let cookie = kept.header("set-cookie").unwrap().split(';').next().unwrap();
        for path in ["/auth", "/graceful"] {
            let status = service.request("GET", path, &[("cookie", cookie)]).status.as_u16();
            // A log-in of one of the six members, however it came about, is one.
            let id = &content["id"];
            let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
            let is_log_in = id.is_some_and(|id| (1..=6).contains(&id));
            prop_assert!(status == 401 || status == 200 && is_log_in, "{}: {}", path, status);
        }
        Ok(())
    });
}

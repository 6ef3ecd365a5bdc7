//! The log of a decision, and its lines about missing registrations.

use std::{cell::RefCell, io, sync::Once, time::Duration};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpRequest, Responder,
    cookie::Key,
    dev::Service as _,
    get, post,
    test::{TestRequest, init_service},
    web::{ServiceConfig, scope},
};
use auth_core::{
    AdminRoles, Auth, AuthError, CurrentUser, Subject, User, auth_required,
    mechanism::{Authenticated, Mechanism, Rejection, session},
    permission_required_for_context, public, roles_accepted,
    test::AlwaysAs,
};
use serde_json::Value;
use tracing::Level;

use crate::fixture::{Resource, World};

#[roles_accepted("chef", "waiter")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

/// The `tracing` events of one request, as JSON.
pub(crate) async fn events(
    configure: impl FnOnce(&mut ServiceConfig),
    path: &str,
    token: &str,
) -> (u16, Vec<Value>) {
    let request = TestRequest::get().uri(path).insert_header(("authorization", format!("Bearer {token}")));
    events_of(configure, request).await
}

pub(crate) async fn events_of(
    configure: impl FnOnce(&mut ServiceConfig),
    request: TestRequest,
) -> (u16, Vec<Value>) {
    // One subscriber for the whole process: those that come and go disturb each other's tests.
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let subscriber = tracing_subscriber::fmt().json().with_max_level(Level::DEBUG);
        let subscriber = subscriber.with_writer(|| ThreadLog).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });

    let app = init_service(App::new().configure(configure)).await;
    LOG.take();
    let status = app.call(request.to_request()).await.unwrap().status().as_u16();
    let log = LOG.take();
    let events = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (status, events.map(|event| serde_json::from_slice(event).unwrap()).collect())
}

thread_local! {
    /// The log of this thread, on which a test runs its requests.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn decisions(path: &str, token: &str) -> Vec<Value> {
    let auth = World::new().auth();
    let (_, events) = events(|app| _ = app.app_data(auth).service(view), path, token).await;
    assert!(events.iter().all(|event| event["target"] == "auth"));
    assert!(events.iter().all(|event| event["fields"]["duration_us"].is_u64()));
    events.into_iter().map(|mut event| event["fields"].take()).collect()
}

fn assert_fields(event: &Value, fields: &[(&str, Value)]) {
    for (field, value) in fields {
        assert_eq!(&event[field], value, "{field} of {event}");
    }
}

#[actix_web::test]
async fn each_decision_is_one_event() {
    let events = decisions("/resources/1", "chef").await;
    let [authentication, roles, context] = events.as_slice() else { panic!("{events:?}") };
    assert_fields(
        authentication,
        &[
            ("guard", "authenticate".into()),
            ("method", "GET".into()),
            ("route", "/resources/{resource_id}".into()),
            ("subject", "2".into()),
            ("mechanism", "token".into()),
            ("outcome", "allow".into()),
        ],
    );
    assert_fields(
        roles,
        &[
            ("guard", "roles_accepted".into()),
            ("required", r#"["chef", "waiter"]"#.into()),
            ("subject", "2".into()),
            ("outcome", "allow".into()),
            ("reason", "match".into()),
        ],
    );
    assert_fields(
        context,
        &[
            ("guard", "permission_required_for_context".into()),
            ("permission", "read".into()),
            ("context", "http::fixture::Resource".into()),
            ("context_id", "1".into()),
            ("method", "GET".into()),
            ("route", "/resources/{resource_id}".into()),
            ("subject", "2".into()),
            ("mechanism", "token".into()),
            ("outcome", "allow".into()),
            ("reason", "match".into()),
        ],
    );
    assert!(context["load_us"].is_u64());
}

#[actix_web::test]
async fn a_log_at_the_usual_level_has_what_was_denied_and_not_what_was_allowed() {
    for (path, token, levels) in [
        ("/resources/1", "chef", &["DEBUG", "DEBUG", "DEBUG"][..]),
        ("/resources/2", "chef", &["DEBUG", "DEBUG", "INFO"]),
        ("/resources/1", "member", &["DEBUG", "INFO"]),
        ("/resources/1", "nobody", &["INFO"]),
    ] {
        let auth = World::new().auth();
        let (_, events) = events(|app| _ = app.app_data(auth).service(view), path, token).await;
        let logged: Vec<_> = events.iter().map(|event| event["level"].as_str().unwrap()).collect();
        assert_eq!(logged, levels, "{path} by {token}");
    }
}

#[actix_web::test]
async fn a_denial_has_its_reason_in_the_log() {
    for (path, token, reason) in [
        ("/resources/1", "member", "no-match"),
        ("/resources/2", "chef", "no-match"),
        ("/resources/3", "chef", "not-found"),
        ("/resources/x", "chef", "not-found"),
        ("/resources/1", "nobody", "bad-credentials"),
    ] {
        let events = decisions(path, token).await;
        assert_fields(events.last().unwrap(), &[("outcome", "deny".into()), ("reason", reason.into())]);
    }
    let events = decisions("/resources/2", "admin").await;
    assert_fields(events.last().unwrap(), &[("outcome", "allow".into()), ("reason", "admin".into())]);
}

#[actix_web::test]
async fn the_log_tells_a_row_by_its_key_however_it_was_written() {
    let zeros = format!("/resources/{}1", "0".repeat(300));
    for (path, token) in [(zeros.as_str(), "chef"), ("/resources/+1", "chef"), ("/resources/%31", "crew")] {
        let events = decisions(path, token).await;
        assert_fields(events.last().unwrap(), &[("context_id", "1".into()), ("reason", "match".into())]);
    }
    let events = decisions("/resources/0002", "chef").await;
    assert_fields(events.last().unwrap(), &[("context_id", "2".into()), ("reason", "no-match".into())]);
    let events = decisions("/resources/0099", "chef").await;
    assert_fields(events.last().unwrap(), &[("context_id", "99".into()), ("reason", "not-found".into())]);
}

#[actix_web::test]
async fn what_is_no_id_is_quoted_in_the_log() {
    for (text, shown) in [
        ("x", r#"no id "x""#),
        ("3%20(no-match):%20DELETE%20by%20Adam", r#"no id "3 (no-match): DELETE by Adam""#),
        ("1%22%0A%0DINFO", r#"no id "1\"\n\rINFO""#),
        ("%E2%80%AE1", r#"no id "\u{202e}1""#),
        ("99999999999", r#"no id "99999999999""#),
    ] {
        let events = decisions(&format!("/resources/{text}"), "chef").await;
        assert_fields(
            events.last().unwrap(),
            &[("context_id", shown.into()), ("reason", "not-found".into())],
        );
    }
    let events = decisions(&format!("/resources/{}", "9".repeat(5_000)), "chef").await;
    let shown = events.last().unwrap()["context_id"].as_str().unwrap();
    assert!(shown.starts_with("no id \"999") && shown.ends_with("…\""), "{shown}");
    assert!(shown.chars().count() <= 256, "{shown}");
}

#[actix_web::test]
async fn without_an_auth_the_log_says_what_to_add() {
    let (status, events) = events(|app| _ = app.service(view), "/resources/1", "admin").await;
    assert_eq!(status, 500);
    let message = events[0]["fields"]["message"].as_str().unwrap();
    assert!(message.contains("add `.app_data(auth.clone())` to the `App`"), "{message}");
}

/// The line of the log about a missing registration, before the decision that it leads to.
fn complaint(events: &[Value]) -> &str {
    let [.., complaint, decision] = events else { panic!("{events:?}") };
    assert_fields(&decision["fields"], &[("outcome", "deny".into()), ("reason", "misconfigured".into())]);
    complaint["fields"]["message"].as_str().unwrap()
}

#[actix_web::test]
async fn without_a_pool_the_log_says_what_to_add() {
    let admin = User::new(1).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures());
    let auth = Auth::builder().mechanism(AlwaysAs(admin)).build().unwrap();
    let (status, events) = events(|app| _ = app.app_data(auth).service(view), "/resources/1", "-").await;
    assert_eq!(status, 500);
    let message = complaint(&events);
    assert!(message.contains("add `.connections(pool)` to `Auth::builder()`"), "{message}");
}

#[get("/unguarded")]
async fn unguarded(user: CurrentUser) -> impl Responder {
    user.id().to_string()
}

#[actix_web::test]
async fn the_extractor_of_the_caller_decides_as_a_guard_does() {
    let auth = World::new().auth();
    let request = TestRequest::get().uri("/unguarded");
    let (status, events) = events_of(|app| _ = app.app_data(auth).service(unguarded), request).await;
    assert_eq!((status, events.len()), (401, 1));
    assert_fields(&events[0]["fields"], &[("outcome", "deny".into()), ("reason", "anonymous".into())]);
}

#[actix_web::test]
async fn an_auth_in_the_wrong_form_is_told_from_a_missing_one() {
    let auth = actix_web::web::Data::new(World::new().auth());
    let (status, events) = events(|app| _ = app.app_data(auth).service(view), "/resources/1", "admin").await;
    assert_eq!(status, 500);
    let message = events[0]["fields"]["message"].as_str().unwrap();
    assert!(message.contains("register the `Auth` itself"), "{message}");
}

#[actix_web::test]
async fn a_text_in_the_log_stays_on_its_line() {
    let user = User::new("eve\n INFO auth: outcome=allow");
    let auth = Auth::builder().mechanism(AlwaysAs(user)).build().unwrap();
    let (_, events) = events(|app| _ = app.app_data(auth).service(view), "/resources/1", "-").await;
    assert_eq!(events[0]["fields"]["subject"], r#""eve\n INFO auth: outcome=allow""#);
}

/// A mechanism for which there were too many attempts.
struct Guessed;

impl Mechanism for Guessed {
    fn name(&self) -> &'static str {
        "guessed"
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Err(Rejection::TooManyRequests { retry_after: Duration::from_secs(7) })
    }
}

#[actix_web::test]
async fn too_many_attempts_are_in_the_log() {
    let auth = Auth::builder().mechanism(Guessed).build().unwrap();
    let (status, events) = events(|app| _ = app.app_data(auth).service(view), "/resources/1", "-").await;
    assert_eq!(status, 429);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_fields(
        &event["fields"],
        &[
            ("guard", "authenticate".into()),
            ("outcome", "deny".into()),
            ("reason", "too-many-requests".into()),
        ],
    );
}

#[permission_required_for_context("read", ctx_arg = "resource")]
async fn without_a_parameter(resource: Resource) -> impl Responder {
    resource.name
}

#[actix_web::test]
async fn without_a_path_parameter_the_log_says_what_to_add() {
    let auth = World::new().auth();
    let configure = |app: &mut ServiceConfig| {
        app.app_data(auth).route("/resources/{number}", actix_web::web::get().to(without_a_parameter));
    };
    let (status, events) = events(configure, "/resources/1", "admin").await;
    assert_eq!(status, 500);
    let message = complaint(&events);
    assert!(message.contains("say which one does with `id = \"…\"`"), "{message}");
}

#[auth_required("session")]
#[post("/sessions")]
async fn by_session() -> impl Responder {
    "ok"
}

#[public]
#[post("/log-in")]
async fn log_in(request: HttpRequest) -> Result<&'static str, AuthError> {
    session::log_in(&request, 1).map(|()| "ok")
}

#[public]
#[post("/log-in-again")]
async fn log_out_and_in(request: HttpRequest) -> Result<&'static str, AuthError> {
    session::log_out(&request)?;
    session::log_in(&request, 1).map(|()| "ok")
}

#[actix_web::test]
async fn without_the_session_middleware_the_log_says_what_to_add() {
    for path in ["/sessions", "/log-in", "/log-in-again"] {
        let auth = World::new().auth_with_sessions();
        let configure =
            |app: &mut ServiceConfig| _ = app.app_data(auth).service((by_session, log_in, log_out_and_in));
        let (status, events) = events_of(configure, TestRequest::post().uri(path)).await;
        assert_eq!(status, 500, "{path}");
        let message = events[0]["fields"]["message"].as_str().unwrap();
        assert!(message.contains("add `.wrap(SessionMiddleware::new(store, key))`"), "{message}");
    }
}

/// Sends this request with the cookie of a logged-in user.
async fn events_of_session(request: TestRequest) -> (u16, Vec<Value>) {
    let auth = World::new().auth_with_sessions();
    let key = Key::generate();
    let configure = |app: &mut ServiceConfig| {
        let sessions = SessionMiddleware::new(CookieSessionStore::default(), key.clone());
        let scope = scope("").wrap(sessions).service((by_session, log_in, log_out_and_in));
        app.app_data(auth.clone()).service(scope);
    };
    let app = init_service(App::new().configure(configure)).await;
    let response = app.call(TestRequest::post().uri("/log-in").to_request()).await.unwrap();
    let cookie = response.response().cookies().next().unwrap().into_owned();
    let (status, events) = events_of(configure, request.cookie(cookie)).await;
    (status, events.into_iter().filter(|event| event["target"] == "auth").collect())
}

#[actix_web::test]
async fn a_request_of_another_site_has_its_reason_in_the_log() {
    let request = TestRequest::post().uri("/sessions").insert_header(("sec-fetch-site", "cross-site"));
    let (status, events) = events_of_session(request).await;
    assert_eq!(status, 403);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let expected =
        [("guard", "authenticate".into()), ("outcome", "deny".into()), ("reason", "cross-site".into())];
    assert_fields(&event["fields"], &expected);
}

#[actix_web::test]
async fn a_log_in_after_a_log_out_is_not_lost_in_silence() {
    let (status, events) = events_of_session(TestRequest::post().uri("/log-in-again")).await;
    assert_eq!(status, 500);
    let message = events[0]["fields"]["message"].as_str().unwrap();
    assert!(message.contains("log in without `log_out`"), "{message}");
}

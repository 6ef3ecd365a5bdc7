//! The rendering of denials: for all handlers, for one of them, and the rules that hold for every renderer.

mod caller;
mod returned;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError as _, get,
    http::{StatusCode, header},
    post, web,
};
use auth_core::{
    Auth, AuthBuilder, AuthError, CurrentUser, Denial, MaybeUser, User, anonymous_user_required,
    auth_required, check_access, denial,
    mechanism::{Authenticated, BearerToken, Mechanism, Rejection},
    permission_required_for_context, public, roles_required, roles_required as chefs_alone,
    test::AlwaysAs,
};
use serde_json::Value;

use crate::{
    client::{Response, Service, bearer},
    fixture::{Member, Resource, World},
    log::events,
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("update", ctx_arg = "resource")]
#[post("/resources/{resource_id}")]
async fn change(resource: Resource, body: web::Json<Value>) -> impl Responder {
    format!("{}: {body}", resource.name)
}

#[roles_required("chef")]
#[get("/kitchen")]
async fn kitchen() -> impl Responder {
    "ok"
}

#[get("/unguarded")]
async fn unguarded(user: CurrentUser<Member>) -> impl Responder {
    let _ = user;
    "ok"
}

#[public]
#[get("/open")]
async fn open(user: MaybeUser<Member>) -> impl Responder {
    let _ = user;
    "ok"
}

/// Decides in its own body.
#[auth_required]
#[get("/by-hand")]
async fn by_hand(user: CurrentUser<Member>, request: HttpRequest) -> Result<String, Denial> {
    let resource = Resource { id: 2, account_id: 2, name: "two".to_owned() };
    let decision = check_access(&*user, &resource, auth_core::Permission::READ);
    decision.into_result().map_err(|error| Denial::new(&request, error))?;
    Ok(resource.name)
}

fn service(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Service {
    let world = World::new();
    let builder = Auth::builder()
        .mechanism(BearerToken::<Member>::new(world.pool.clone()))
        .connections(world.pool.clone());
    serve(configure(builder).build().unwrap())
}

fn serve(auth: Auth) -> Service {
    Service::start(move |app| {
        app.app_data(auth.clone()).service((view, change, kitchen, unguarded, open, by_hand)).service((
            own,
            contradictory,
            inside,
            outside,
            own_by_hand,
        ));
    })
}

fn get(service: &Service, path: &str, token: &str, accept: &str) -> Response {
    service.send_with(path, &[("authorization", &bearer(token)), ("accept", accept)])
}

fn assert_problem(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.json()["status"], status);
}

#[test]
fn a_denial_is_a_problem_document_where_nothing_else_is_said() {
    let service = service(|auth| auth);
    for accept in [BROWSER, "application/json"] {
        let denied = get(&service, "/kitchen", "member", accept);
        assert_problem(&denied, 403);
        assert_eq!(denied.header("vary"), Some("authorization"));
    }
    assert_problem(&get(&service, "/by-hand", "member", BROWSER), 403);
    assert_eq!(get(&service, "/by-hand", "admin", BROWSER).body, "two");
}

#[test]
fn a_problem_document_may_say_once_more_what_happened() {
    let message = |service: &Service| {
        let denied = get(service, "/kitchen", "member", BROWSER);
        assert_problem(&denied, 403);
        let document = denied.json();
        (document["detail"].clone(), document.get("message").cloned())
    };
    let text = Value::from("you may not do this");
    let asked = service(|auth| auth.on_denied(denial::problem_with_message));
    assert_eq!(message(&asked), (text.clone(), Some(text.clone())));
    assert_eq!(message(&service(|auth| auth)), (text, None));
    let anonymous = asked.get("/kitchen", None);
    assert_problem(&anonymous, 401);
    assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn a_page_is_for_who_prefers_html() {
    let service = service(|auth| auth.on_denied(denial::page_or_problem));
    let denied = get(&service, "/kitchen", "member", BROWSER);
    assert_eq!(denied.status, 403);
    assert_eq!(denied.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(denied.header("cache-control"), Some("no-store"));
    assert_eq!(denied.header("vary"), Some("Accept"));
    assert_eq!(
        denied.body,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>403 Forbidden</title>
</head>
<body>
<main>
<h1>403 Forbidden</h1>
<p>You may not do this.</p>
</main>
</body>
</html>
"#
    );
    for accept in ["text/html;q=0.2", "text/html, application/json;q=0.9"] {
        let denied = get(&service, "/resources/3", "member", accept);
        assert_eq!(denied.status, 404);
        assert!(denied.body.contains("<p>There is nothing here.</p>"), "{denied:?}");
    }
    for accept in ["text/html;q=0", "application/json", "*/*", "text/html;q=0.1, application/json", ","] {
        let denied = get(&service, "/kitchen", "member", accept);
        assert_problem(&denied, 403);
        assert_eq!(denied.header("vary"), Some("Accept"));
    }
    assert_problem(&service.get("/kitchen", Some("member")), 403);
}

#[test]
fn a_page_has_the_challenges_of_a_401() {
    let service = service(|auth| auth.on_denied(denial::page_or_problem));
    for (path, token, challenge) in [
        ("/kitchen", "nobody", r#"Bearer error="invalid_token""#),
        ("/unguarded", "nobody", r#"Bearer error="invalid_token""#),
        ("/open", "nobody", r#"Bearer error="invalid_token""#),
    ] {
        let denied = get(&service, path, token, BROWSER);
        assert_eq!(denied.status, 401, "{path}");
        assert!(denied.body.contains("<h1>401 Unauthorized</h1>"), "{denied:?}");
        assert_eq!(denied.header("www-authenticate"), Some(challenge));
    }
    let anonymous = service.send_with("/unguarded", &[("accept", BROWSER)]);
    assert!(anonymous.body.contains("<p>You must log in to do this.</p>"), "{anonymous:?}");
    assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
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

#[test]
fn what_http_asks_of_a_status_is_there_whoever_renders_it() {
    let plain = |_: &HttpRequest, error: &AuthError| HttpResponse::build(error.status_code()).body("plain");
    let limited = || Auth::builder().mechanism(Guessed);
    for auth in [limited().on_denied(denial::page_or_problem), limited().on_denied(plain)] {
        let denied = get(&serve(auth.build().unwrap()), "/kitchen", "-", BROWSER);
        assert_eq!(denied.status, 429);
        assert_eq!(denied.header("retry-after"), Some("7"));
        assert_eq!(denied.header("cache-control"), Some("no-store"));
    }
    let denied = service(|auth| auth.on_denied(plain)).get("/kitchen", None);
    assert_eq!((denied.status.as_u16(), denied.body.as_str()), (401, "plain"));
    assert_eq!(denied.header("www-authenticate"), Some("Bearer"));
    assert_eq!(denied.header("cache-control"), Some("no-store"));
}

fn signpost(_: &HttpRequest, error: &AuthError) -> HttpResponse {
    HttpResponse::ImATeapot().body(format!("signpost: {error}"))
}

#[roles_required("chef")]
#[auth_required(on_denied = signpost)]
#[permission_required_for_context("update", ctx_arg = "resource")]
#[post("/signposts/{resource_id}")]
async fn own(resource: Resource, body: web::Json<Value>) -> impl Responder {
    format!("{}: {body}", resource.name)
}

/// The extractor denies: a caller who gets as far as to it is not logged in.
#[anonymous_user_required(on_denied = signpost)]
#[get("/signposts/for-nobody")]
async fn contradictory(user: CurrentUser<Member>) -> impl Responder {
    let _ = user;
    "nobody gets here"
}

/// Of two guards, the inner one has the renderer.
#[auth_required(on_denied = signpost)]
#[chefs_alone("chef")]
#[get("/signposts/inside")]
async fn inside() -> impl Responder {
    "ok"
}

/// Of two guards, the outer one has the renderer.
#[permission_required_for_context("read", ctx = Resource, id = query("resource"))]
#[chefs_alone("chef", on_denied = signpost)]
#[get("/signposts/outside")]
async fn outside() -> impl Responder {
    "ok"
}

/// Decides in its own body, with a renderer of its own.
#[auth_required(on_denied = signpost)]
#[get("/signposts/by-hand")]
async fn own_by_hand(request: HttpRequest) -> Result<String, Denial> {
    Err(Denial::new(&request, AuthError::Forbidden))
}

#[test]
fn one_handler_may_have_its_own_renderer() {
    let service = service(|auth| auth.on_denied(denial::page_or_problem));
    let assert_own = |response: &Response, text: &str| {
        let expected = format!("signpost: {text}");
        assert_eq!((response.status.as_u16(), &response.body), (418, &expected));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    };
    let post = |id: i32, token: &str, body: &str| {
        service.send("POST", &format!("/signposts/{id}"), Some(&bearer(token)), Some(body))
    };
    assert_own(&post(1, "nobody", "{}"), "you must log in to do this");
    assert_own(&post(1, "member", "{}"), "you may not do this");
    assert_own(&post(2, "chef", "{}"), "you may not do this");
    assert_own(&post(3, "chef", "{}"), "there is nothing here");
    assert_eq!(post(1, "chef", "{malformed").status, 400);
    assert_eq!(post(1, "chef", "{}").body, "one: {}");

    assert_own(&service.get("/signposts/for-nobody", Some("member")), "you may not do this");
    assert_own(&service.get("/signposts/for-nobody", None), "you must log in to do this");
    assert_own(&service.get("/signposts/by-hand", Some("member")), "you may not do this");
    for (path, denied_inside) in
        [("/signposts/inside", None), ("/signposts/outside?resource=2", Some("chef"))]
    {
        assert_own(&service.get(path, None), "you must log in to do this");
        assert_own(&service.get(path, Some("member")), "you may not do this");
        if denied_inside.is_some() {
            assert_own(&service.get(path, denied_inside), "you may not do this");
        }
    }
    assert_eq!(service.get("/signposts/inside", Some("chef")).status, 200);
    assert_eq!(service.get("/signposts/outside?resource=1", Some("chef")).status, 200);

    // The application's renderer serves the denials of other handlers.
    assert_problem(&service.get("/kitchen", Some("member")), 403);
    assert!(get(&service, "/kitchen", "member", BROWSER).body.contains("<h1>403 Forbidden</h1>"));
}

#[test]
fn the_renderer_of_a_handler_needs_none_of_the_application() {
    let service = service(|auth| auth);
    assert_eq!(service.get("/signposts/inside", Some("member")).status, 418);
    assert_problem(&service.get("/kitchen", Some("member")), 403);
    // Not even an `Auth`.
    let service = Service::start(|app| {
        app.service((inside, kitchen));
    });
    let misconfigured = service.get("/signposts/inside", Some("chef"));
    assert_eq!(misconfigured.body, "signpost: the service is not set up to answer this");
    assert_problem(&service.get("/kitchen", Some("chef")), 500);
}

fn to_log_in(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    match error {
        AuthError::Unauthenticated(_) => HttpResponse::SeeOther()
            .insert_header((header::LOCATION, format!("/log-in?then={}", request.path())))
            .finish(),
        _ => denial::problem(request, error),
    }
}

#[test]
fn a_renderer_may_lead_to_the_log_in() {
    let service = service(|auth| auth.on_denied(to_log_in));
    for path in ["/kitchen", "/unguarded", "/resources/1"] {
        let denied = service.get(path, None);
        assert_eq!(denied.status, 303);
        assert_eq!(denied.header("location"), Some(format!("/log-in?then={path}").as_str()));
        assert_eq!(denied.header("cache-control"), Some("no-store"));
        assert_eq!(denied.header("www-authenticate"), None);
    }
    assert_problem(&service.get("/kitchen", Some("member")), 403);
}

#[test]
fn a_renderer_renders_every_denial_once_and_nothing_else() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let service = service(move |auth| {
        auth.on_denied(move |_, error| {
            count.fetch_add(1, Ordering::Relaxed);
            HttpResponse::ImATeapot().body(error.to_string())
        })
    });
    for (path, token, body) in [
        ("/kitchen", None, "you must log in to do this"),
        ("/kitchen", Some("member"), "you may not do this"),
        ("/resources/2", Some("member"), "you may not do this"),
        ("/resources/3", Some("member"), "there is nothing here"),
        ("/unguarded", None, "you must log in to do this"),
        ("/open", Some("nobody"), "you must log in to do this"),
        ("/by-hand", Some("member"), "you may not do this"),
    ] {
        let denied = service.get(path, token);
        assert_eq!((denied.status.as_u16(), denied.body.as_str()), (418, body), "{path}");
        assert_eq!(calls.swap(0, Ordering::Relaxed), 1, "{path}");
    }
    let malformed = service.send("POST", "/resources/1", Some("Bearer chef"), Some("{malformed"));
    assert_eq!(malformed.status, 400);
    assert_eq!(service.get("/kitchen", Some("chef")).status, 200);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_renderer_may_set_the_headers_itself() {
    let service = service(|auth| {
        auth.on_denied(|_, _| {
            HttpResponse::Unauthorized()
                .insert_header((header::WWW_AUTHENTICATE, "Form"))
                .insert_header((header::CACHE_CONTROL, "private"))
                .finish()
        })
    });
    let denied = service.get("/kitchen", None);
    assert_eq!(denied.headers.get_all("www-authenticate").iter().collect::<Vec<_>>(), ["Form"]);
    assert_eq!(denied.header("cache-control"), Some("private"));
}

#[test]
fn a_renderer_that_panics_does_not_keep_the_denial_back() {
    let service = service(|auth| auth.on_denied(|_, _| panic!("a bug in a renderer")));
    assert_problem(&service.get("/kitchen", Some("member")), 403);
    let anonymous = service.get("/unguarded", None);
    assert_problem(&anonymous, 401);
    assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
    assert_eq!(service.get("/kitchen", Some("chef")).status, 200);
}

#[actix_web::test]
async fn what_is_wrong_with_a_renderer_is_in_the_log() {
    let broken = |_: &HttpRequest, _: &AuthError| panic!("a bug in a renderer");
    let generous = |_: &HttpRequest, _: &AuthError| HttpResponse::Ok().finish();
    for (auth, complaint) in [
        (Auth::builder().on_denied(broken), "a renderer of denials panicked"),
        (Auth::builder().on_denied(generous), "a status that does not deny"),
    ] {
        let auth = auth.mechanism(AlwaysAs(User::new(1))).build().unwrap();
        let (status, events) = events(|app| _ = app.app_data(auth).service(kitchen), "/kitchen", "-").await;
        assert_eq!(status, 403);
        let event = events.last().unwrap();
        assert_eq!((&event["level"], &event["target"]), (&"ERROR".into(), &"auth".into()));
        assert_eq!(event["fields"]["route"], "/kitchen");
        let message = event["fields"]["message"].as_str().unwrap();
        assert!(message.contains(complaint), "{message}");
    }
}

#[test]
fn no_denial_looks_like_a_success() {
    for status in [200, 204, 206, 304, 600] {
        let status = StatusCode::from_u16(status).unwrap();
        let service = service(|auth| {
            auth.on_denied(move |_, _| HttpResponse::build(status).insert_header(("x-secret", "1")).finish())
        });
        let denied = service.get("/resources/2", Some("member"));
        assert_problem(&denied, 403);
        assert_eq!(denied.header("x-secret"), None);
        assert_problem(&service.get("/open", Some("nobody")), 401);
    }
}

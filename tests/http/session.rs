//! Log-ins that a session keeps, as a browser sees them. The sessions are in cookies here, and in Redis in
//! `redis`.

mod fresh;

use std::time::Duration;

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    cookie::Key,
    get, post, routes,
    web::{self, ServiceConfig},
};
use auth_core::{
    AuthError, CurrentUser, MaybeUser, Subject, anonymous_user_required, auth_required, mechanism::session,
    public, roles_required, test,
};

use crate::{
    client::{Response, Service},
    fixture::{Member, World},
};

#[public]
#[post("/log-in/{id}")]
async fn log_in(request: HttpRequest, id: web::Path<i32>) -> Result<impl Responder, AuthError> {
    session::log_in(&request, *id)?;
    Ok(HttpResponse::NoContent())
}

#[public]
#[post("/log-out")]
async fn log_out(request: HttpRequest) -> Result<impl Responder, AuthError> {
    session::log_out(&request)?;
    Ok(HttpResponse::NoContent())
}

#[auth_required]
#[routes]
#[get("/whoami")]
#[post("/whoami")]
#[delete("/whoami")]
async fn whoami(user: CurrentUser<Member>) -> impl Responder {
    user.id().to_string()
}

#[public]
#[routes]
#[get("/maybe")]
#[post("/maybe")]
async fn maybe(user: MaybeUser<Member>) -> impl Responder {
    user.as_ref().map_or_else(|| "nobody".to_owned(), |user| user.id().to_string())
}

#[anonymous_user_required]
#[get("/sign-up")]
async fn sign_up() -> impl Responder {
    "ok"
}

#[roles_required("chef")]
#[get("/kitchen")]
async fn kitchen() -> impl Responder {
    "ok"
}

#[auth_required(within = "15 min")]
#[get("/strict")]
async fn strict() -> impl Responder {
    "ok"
}

#[auth_required(within = "15 min", grace = "1 h")]
#[get("/graceful")]
async fn graceful() -> impl Responder {
    "ok"
}

#[auth_required("session", within = "1 d", grace = "1 h")]
#[get("/lax")]
async fn lax() -> impl Responder {
    "ok"
}

#[auth_required("token", within = "15 min", grace = "1 h")]
#[get("/graceful-token")]
async fn graceful_token() -> impl Responder {
    "ok"
}

/// As if so many minutes had passed.
#[public]
#[post("/age/{minutes}")]
async fn age(request: HttpRequest, minutes: web::Path<u64>) -> impl Responder {
    test::age_session(&request, Duration::from_secs(*minutes * 60));
    HttpResponse::NoContent()
}

/// The application's own data in the session.
#[public]
#[post("/basket/{item}")]
async fn fill_basket(session: Session, item: web::Path<String>) -> impl Responder {
    session.insert("basket", item.into_inner()).map(|()| HttpResponse::NoContent())
}

#[public]
#[get("/basket")]
async fn basket(session: Session) -> impl Responder {
    session.get::<String>("basket").unwrap().unwrap_or_default()
}

/// A text that has no form of a log-in.
#[public]
#[post("/garble")]
async fn garble(session: Session) -> impl Responder {
    session.insert("auth", "garbled").map(|()| HttpResponse::NoContent())
}

pub(crate) fn handlers(app: &mut ServiceConfig) {
    app.service((log_in, log_out, whoami, maybe, sign_up, kitchen, strict, graceful, lax, graceful_token))
        .service((age, fill_basket, basket, garble));
}

fn service(world: &World) -> Service {
    let auth = world.auth_with_sessions();
    let key = Key::generate();
    Service::start(move |app| {
        let sessions = SessionMiddleware::new(CookieSessionStore::default(), key.clone());
        app.app_data(auth.clone()).service(web::scope("").wrap(sessions).configure(handlers));
    })
}

/// Keeps the cookie of the session, as a browser does.
pub(crate) struct Browser<'s> {
    pub(crate) service: &'s Service,
    pub(crate) cookie: Option<String>,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(service: &'s Service) -> Self {
        Self { service, cookie: None }
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[])
    }

    pub(crate) fn post(&mut self, path: &str) -> Response {
        self.send("POST", path, &[("sec-fetch-site", "same-origin")])
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let cookie = self.cookie.clone();
        let mut headers = headers.to_vec();
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let response = self.service.request(method, path, &headers);
        if let Some(set) = response.header("set-cookie") {
            let (cookie, attributes) = set.split_once(';').unwrap();
            self.cookie = (!attributes.contains("Max-Age=0")).then(|| cookie.to_owned());
        }
        response
    }

    /// The status for a GET.
    pub(crate) fn status(&mut self, path: &str) -> u16 {
        self.get(path).status.as_u16()
    }
}

#[test]
fn a_log_in_lasts_until_the_log_out() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    assert_eq!(browser.status("/whoami"), 401);
    assert_eq!(browser.post("/log-in/2").status, 204);
    assert_eq!(browser.get("/whoami").body, "2");
    assert_eq!(browser.post("/whoami").body, "2");
    assert_eq!(browser.get("/maybe").body, "2");
    assert_eq!(browser.status("/kitchen"), 200);
    assert_eq!(browser.status("/sign-up"), 403);

    assert_eq!(browser.post("/log-out").status, 204);
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.status("/whoami"), 401);
    assert_eq!(browser.get("/maybe").body, "nobody");
    assert_eq!(browser.status("/sign-up"), 200);
}

#[test]
fn each_request_looks_the_user_up_once_and_anonymous_ones_do_not() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/basket/salt");
    assert_eq!(browser.status("/whoami"), 401);
    assert_eq!(world.statements().len(), 0);
    browser.post("/log-in/2");
    assert_eq!(world.statements().len(), 0);
    assert_eq!(browser.status("/whoami"), 200);
    assert_eq!(world.statements().len(), 1);
}

#[test]
fn a_log_in_keeps_what_the_session_holds() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/basket/salt");
    let before = browser.cookie.clone();
    browser.post("/log-in/2");
    assert_ne!(browser.cookie, before);
    assert_eq!(browser.status("/whoami"), 200);
    assert_eq!(browser.get("/basket").body, "salt");
}

#[test]
fn who_logs_in_after_somebody_else_sees_nothing_of_theirs() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    browser.post("/basket/salt");
    browser.post("/log-in/2");
    assert_eq!(browser.get("/basket").body, "salt");
    browser.post("/log-in/1");
    assert_eq!(browser.get("/whoami").body, "1");
    assert_eq!(browser.get("/basket").body, "");
}

#[test]
fn a_tampered_cookie_is_nobodys() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    let cookie = browser.cookie.clone().unwrap();
    let (name, value) = cookie.split_once('=').unwrap();
    let tampered = [
        format!("{name}={}", value.replacen(|c: char| c.is_ascii_lowercase(), "A", 1)),
        format!("{name}={}", value.get(..value.len() / 2).unwrap()),
        format!("{name}="),
        format!("{name}=2"),
        format!("other={value}"),
    ];
    for tampered in tampered {
        assert_eq!(service.request("GET", "/whoami", &[("cookie", &tampered)]).status, 401, "{tampered}");
    }
    // Also the cookie of another service, with another key.
    let other = self::service(&world);
    assert_eq!(other.request("GET", "/whoami", &[("cookie", &cookie)]).status, 401);
    assert_eq!(service.request("GET", "/whoami", &[("cookie", &cookie)]).status, 200);
}

#[test]
fn what_is_no_log_in_is_nobodys() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/basket/salt");
    browser.post("/garble");
    assert_eq!(browser.status("/whoami"), 401);
    assert_eq!(browser.post("/log-in/2").status, 204);
    assert_eq!(browser.status("/whoami"), 200);
    assert_eq!(browser.get("/basket").body, "", "it may have been somebody else's");
}

#[test]
fn a_revoked_role_and_a_deleted_user_are_seen_at_once() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/kitchen"), 200);
    world.execute("UPDATE members SET roles = '' WHERE id = 2");
    assert_eq!(browser.status("/kitchen"), 403);
    assert_eq!(browser.status("/whoami"), 200);
    world.execute("DELETE FROM members WHERE id = 2");
    assert_eq!(browser.status("/kitchen"), 401);
    assert_eq!(browser.status("/whoami"), 401);
    // A user who is gone counts as one who never logged in, and may log in as another user.
    assert_eq!(browser.get("/maybe").body, "nobody");
    assert_eq!(browser.status("/sign-up"), 200);
    // A token that comes with it counts.
    assert_eq!(browser.send("GET", "/whoami", &[("authorization", "Bearer member")]).body, "1");
}

#[test]
fn a_log_in_from_before_a_log_out_everywhere_does_not_count() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    // Also where the time is stored in whole seconds, and so may be before the log-in.
    for account in [3, 4] {
        world.execute("UPDATE members SET account_id = 1 WHERE id = 2");
        browser.post("/log-in/2");
        assert_eq!(browser.status("/whoami"), 200);
        world.execute(&format!("UPDATE members SET account_id = {account} WHERE id = 2"));
        assert_eq!(browser.status("/whoami"), 401, "{account}");
    }
}

#[test]
fn a_store_that_fails_is_no_answer() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    world.execute("ALTER TABLE members RENAME TO elsewhere");
    assert_eq!(browser.status("/whoami"), 503);
    assert_eq!(browser.status("/maybe"), 503);
}

#[test]
fn another_site_cannot_change_anything() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    let own_host = service.host().to_owned();
    let own = format!("http://{own_host}");
    let trusted = "https://app.example.org";
    let websocket = ("upgrade", "websocket");
    world.statements();
    for (headers, get, post) in [
        (&[][..], 200, 200),
        (&[("sec-fetch-site", "same-origin")], 200, 200),
        (&[("sec-fetch-site", "none")], 200, 200),
        (&[("sec-fetch-site", "same-site")], 200, 403),
        (&[("sec-fetch-site", "cross-site")], 200, 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", own.as_str())], 200, 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", trusted)], 200, 200),
        (&[("origin", own.as_str())], 200, 200),
        (&[("origin", trusted)], 200, 200),
        (&[("origin", "null")], 200, 403),
        (&[("origin", "http://127.0.0.1:1")], 200, 403),
        (&[("origin", "https://evil.example")], 200, 403),
        (&[("origin", "https://evil.example"), ("x-forwarded-host", "evil.example")], 200, 403),
        (&[("origin", "https://evil.example"), websocket], 403, 403),
        (&[("origin", "null"), websocket], 403, 403),
        (&[("sec-fetch-site", "same-site"), websocket], 403, 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", own.as_str()), websocket], 403, 403),
        (&[("origin", own.as_str()), websocket], 200, 200),
        (&[("origin", trusted), websocket], 200, 200),
        (&[websocket], 200, 200),
    ] {
        for (method, path, expected) in [
            ("GET", "/whoami", get),
            ("POST", "/whoami", post),
            ("DELETE", "/whoami", post),
            ("POST", "/maybe", post),
        ] {
            let status = browser.send(method, path, headers).status;
            assert_eq!(status, expected, "{method} {path} with {headers:?}");
            // A refused request costs no look-up.
            assert_eq!(world.statements().len(), usize::from(expected == 200), "{method} with {headers:?}");
        }
    }
}

/// A browser does not send a token by itself, and another site gains nothing by a request without a log-in.
#[test]
fn another_site_is_refused_only_where_the_session_authenticates() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    let cross_site = ("sec-fetch-site", "cross-site");
    assert_eq!(browser.send("POST", "/whoami", &[cross_site]).status, 401);
    assert_eq!(browser.send("POST", "/maybe", &[cross_site]).body, "nobody");
    browser.post("/log-in/2");
    let with_token = [cross_site, ("authorization", "Bearer member")];
    assert_eq!(browser.send("POST", "/whoami", &with_token).body, "1");
    let for_socket =
        [("origin", "https://evil.example"), ("upgrade", "websocket"), ("authorization", "Bearer member")];
    assert_eq!(browser.send("GET", "/whoami", &for_socket).body, "1");
}

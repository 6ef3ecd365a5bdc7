//! The pages for browsers, in the demo world, with sessions in cookies.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Config, Service,
    database::Instant,
    demo::PASSWORD,
    schema::{auth_tokens, users},
    sessions::SessionConfig,
    test::TestDatabase,
};

use super::SERVER;
use crate::browser::{Answer, Browser};

const MEMBER: &str = "mia@sunnyside.example";
const ACCOUNT_ADMIN: &str = "adam@sunnyside.example";
const ADMIN: &str = "ada@platform.example";

pub(super) fn service() -> (Service, TestDatabase) {
    service_with(SessionConfig::default())
}

fn service_with(sessions: SessionConfig) -> (Service, TestDatabase) {
    let place = SERVER.database();
    let service = Service::open(&Config { demo: true, sessions, ..place.config() }).unwrap();
    (service, place)
}

pub(super) async fn token(service: &Service, email: &str) -> String {
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    let json = [("content-type", "application/json")];
    let answer =
        Browser::default().send(service, Method::POST, "/api/requestAuthToken", &json, &body).await.body;
    let (_, rest) = answer.split_once(r#""auth_token":""#).unwrap();
    format!("Bearer {}", rest.split_once('"').unwrap().0)
}

/// A page as each of them is: nothing runs in it but the script of live measurements, where it has that, and nothing else is
/// loaded but its style.
#[track_caller]
pub(super) fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    let body = answer.body.replace(r#"<script src="/live.js" defer></script>"#, "");
    let scripts = if body == answer.body { "" } else { " script-src 'self'; connect-src 'self';" };
    let policy = format!(
        "default-src 'none';{scripts} style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    assert_eq!(answer.header("content-security-policy"), Some(&*policy));
    assert!(body.starts_with(r#"<!DOCTYPE html><html lang="en">"#), "{body}");
    assert!(!body.contains("<script") && !body.contains("://"), "{body}");
}

#[track_caller]
pub(super) fn assert_redirect(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some(to)), "{}", answer.body);
}

#[actix_web::test]
async fn who_logs_in_is_greeted_until_the_log_out() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    let answer = browser.get(&service, "/").await;
    assert_page(&answer, 200);
    assert!(answer.body.contains(r#"href="/log-in""#) && !answer.body.contains("log-out"), "{}", answer.body);
    let answer = browser.get(&service, "/log-in").await;
    assert_page(&answer, 200);
    for field in ["email", "password"] {
        assert!(answer.body.contains(&format!(r#"<label for="{field}">"#)), "{}", answer.body);
        assert!(answer.body.contains(&format!(r#"<input id="{field}" name="{field}""#)), "{}", answer.body);
    }

    assert_redirect(&browser.log_in(&service, ACCOUNT_ADMIN, PASSWORD).await, "/");
    let answer = browser.get(&service, "/").await;
    assert_page(&answer, 200);
    for text in
        ["Adam Account-Admin", ACCOUNT_ADMIN, "Sunnyside Farm", "account-admin", "Prosumer", "/log-out"]
    {
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
    }
    // The endpoints for programs let a session in as well.
    let answer = browser.get(&service, "/api/v3_0/users/me").await;
    assert!(answer.status == 200 && answer.body.contains(ACCOUNT_ADMIN), "{}", answer.body);

    let answer = browser.get(&service, "/log-out").await;
    assert_page(&answer, 200);
    assert!(answer.body.contains(r#"<form method="post" action="/log-out">"#), "{}", answer.body);
    let answer = browser.post(&service, "/log-out", "").await;
    assert_page(&answer, 200);
    assert!(answer.body.contains("You are logged out"), "{}", answer.body);
    assert_eq!(browser.cookie, None);
    assert!(!browser.get(&service, "/").await.body.contains("You are logged in"));
}

#[actix_web::test]
async fn a_failed_log_in_shows_the_form_again_and_does_not_say_why() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    let mut bodies = Vec::new();
    for email in [MEMBER, "nobody@sunnyside.example"] {
        let answer = browser.log_in(&service, email, "wrong").await;
        assert_page(&answer, 401);
        assert!(answer.header("www-authenticate").is_some());
        assert!(answer.body.contains("The email address or the password is wrong."), "{}", answer.body);
        assert!(
            answer.body.contains(r#"name="password""#) && !answer.body.contains("wrong\""),
            "{}",
            answer.body
        );
        let (form, _demo) = answer.body.split_once("<h2>").unwrap();
        bodies.push(form.replace(email, ""));
    }
    assert_eq!(bodies.first(), bodies.last());
    assert_eq!(browser.cookie, None);
}

#[actix_web::test]
async fn too_many_attempts_are_refused_whatever_the_password() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    for _ in 0..10 {
        assert_eq!(browser.log_in(&service, MEMBER, "wrong").await.status, 401);
    }
    let answer = browser.log_in(&service, MEMBER, PASSWORD).await;
    assert_page(&answer, 429);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(browser.cookie, None);
    // The log-in of programs counts the same attempts.
    let body = format!(r#"{{"email":"{MEMBER}","password":"{PASSWORD}"}}"#);
    let json = [("content-type", "application/json")];
    let answer = browser.send(&service, Method::POST, "/api/requestAuthToken", &json, &body).await;
    assert_eq!(answer.status, 429);
}

#[actix_web::test]
async fn the_log_in_leads_on_to_where_one_wanted_to_go_and_nowhere_else() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    // A denial links to the log-in with a way back to its page.
    let denied = browser.get(&service, "/log-out?a=1&b=%22").await;
    assert_page(&denied, 401);
    let link = "/log-in?next=%2Flog%2Dout%3Fa%3D1%26b%3D%2522";
    assert!(denied.body.contains(&format!(r#"href="{link}""#)), "{}", denied.body);
    let form = browser.get(&service, link).await.body;
    assert!(form.contains(r#"name="next" value="/log-out?a=1&amp;b=%22""#), "{form}");

    for (next, location) in [
        ("%2Flog-out%3Fa%3D1", "/log-out?a=1"),
        ("", "/"),
        ("log-out", "/"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%2F%09%2Fevil.example", "/"),
        ("%2F%0D%0ASet-Cookie:a=b", "/"),
        ("https:%2F%2Fevil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let form = Browser::default().get(&service, &format!("/log-in?next={next}")).await;
        assert_page(&form, 200);
        assert_eq!(form.body.contains(r#"name="next""#), location != "/", "{next}: {}", form.body);
        let mut browser = Browser::default();
        let submitted = format!("email={MEMBER}&password={PASSWORD}&next={next}");
        assert_redirect(&browser.post(&service, "/log-in", &submitted).await, location);
        // A user who is logged in needs no form.
        assert_redirect(&browser.get(&service, &format!("/log-in?next={next}")).await, location);
    }
}

#[actix_web::test]
async fn the_cookie_is_for_the_server_alone_and_for_tls() {
    let set_cookie = async |insecure_cookies| {
        let (service, _place) = service_with(SessionConfig { insecure_cookies, ..SessionConfig::default() });
        let answer = Browser::default().log_in(&service, MEMBER, PASSWORD).await;
        let set = answer.header("set-cookie").unwrap();
        let (name, rest) = set.split_once('=').unwrap();
        let mut attributes: Vec<_> = rest.split("; ").skip(1).map(str::to_owned).collect();
        attributes.sort();
        (name.to_owned(), attributes)
    };
    let (name, attributes) = set_cookie(false).await;
    assert_eq!(name, "__Host-energy-session");
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    let (name, attributes) = set_cookie(true).await;
    assert_eq!(name, "energy-session");
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

/// A proxy may put a name of its own into `Host`.
#[actix_web::test]
async fn behind_a_proxy_the_pages_have_the_origin_of_the_public_url() {
    let place = SERVER.database();
    let public_url = Some("https://energy.example.com".parse().unwrap());
    let service = Service::open(&Config { demo: true, public_url, ..place.config() }).unwrap();
    let own = [("host", "127.0.0.1:5000"), ("origin", "https://energy.example.com")];
    let form = format!("email={MEMBER}&password={PASSWORD}");
    let mut browser = Browser::default();
    for foreign in ["http://127.0.0.1:5000", "http://energy.example.com", "https://evil.example", "null"] {
        let from = [("host", "127.0.0.1:5000"), ("origin", foreign)];
        assert_page(&browser.send(&service, Method::POST, "/log-in", &from, &form).await, 403);
        assert_eq!(browser.cookie, None, "{foreign}");
    }
    assert_redirect(&browser.send(&service, Method::POST, "/log-in", &own, &form).await, "/");
    assert!(browser.cookie.as_ref().unwrap().starts_with("__Host-"));
    let foreign = [("host", "127.0.0.1:5000"), ("origin", "http://127.0.0.1:5000")];
    assert_page(&browser.send(&service, Method::POST, "/log-out", &foreign, "").await, 403);
    assert_page(&browser.send(&service, Method::POST, "/log-out", &own, "").await, 200);
    let document = browser.get(&service, "/api/v3_0/openapi.json").await.body;
    assert!(document.contains(r#""servers":[{"url":"https://energy.example.com"}]"#), "{document}");
}

/// The session is in the cookie here, so there is nothing to forget but the time of the log-out.
#[actix_web::test]
async fn a_copy_of_the_cookie_is_worth_nothing_after_the_log_out() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let mut other = Browser::logged_in(&service, MEMBER).await;
    let mut stranger = Browser::logged_in(&service, ADMIN).await;
    let mut copy = browser.clone();
    assert_eq!(copy.get(&service, "/log-out").await.status, 200);
    browser.post(&service, "/log-out", "").await;
    for logged_out in [&mut browser, &mut copy, &mut other] {
        assert_page(&logged_out.get(&service, "/log-out").await, 401);
        assert_eq!(logged_out.get(&service, "/api/v3_0/users/me").await.status, 401);
    }
    assert_eq!(stranger.get(&service, "/log-out").await.status, 200);
    // A user who logs in again is in.
    assert_eq!(browser.log_in(&service, MEMBER, PASSWORD).await.status, 303);
    assert_eq!(browser.get(&service, "/log-out").await.status, 200);
    assert_eq!(copy.get(&service, "/log-out").await.status, 401);
}

#[actix_web::test]
async fn a_deactivated_user_is_logged_out_for_good() {
    let (service, _place) = service();
    let mut member = Browser::logged_in(&service, MEMBER).await;
    let admin = token(&service, ADMIN).await;
    for (active, status) in [("false", 401), ("true", 401)] {
        let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
        let body = format!(r#"{{"active":{active}}}"#);
        let changed =
            Browser::default().send(&service, Method::PATCH, "/api/v3_0/users/1", &headers, &body).await;
        assert_eq!(changed.status, 200);
        assert_eq!(member.get(&service, "/log-out").await.status, status, "{active}");
    }
}

#[actix_web::test]
async fn another_site_neither_logs_in_nor_out() {
    let (service, _place) = service();
    let credentials = format!("email={MEMBER}&password={PASSWORD}");
    let mut member = Browser::logged_in(&service, MEMBER).await;
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ] {
        let mut browser = Browser::default();
        let answer = browser.send(&service, Method::POST, "/log-in", &headers, &credentials).await;
        assert_page(&answer, 403);
        assert_eq!(browser.cookie, None, "{headers:?}");
        assert_page(&member.send(&service, Method::POST, "/log-out", &headers, "").await, 403);
        assert_eq!(member.get(&service, "/log-out").await.status, 200, "{headers:?}");
        // Nor does it change anything by the endpoints for programs.
        let answer = member.send(&service, Method::PATCH, "/api/v3_0/users/1", &headers, "").await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    // A request without these headers is no browser's.
    let answer = Browser::default().send(&service, Method::POST, "/log-in", &[], &credentials).await;
    assert_redirect(&answer, "/");
}

#[actix_web::test]
async fn the_log_out_is_about_sessions_and_a_revoked_token_about_tokens() {
    let (service, _place) = service();
    let token = token(&service, MEMBER).await;
    let bearer = [("authorization", token.as_str())];
    let mut program = Browser::default();
    for method in [Method::GET, Method::POST] {
        assert_page(&program.send(&service, method, "/log-out", &bearer, "").await, 401);
    }
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    browser.post(&service, "/log-out", "").await;
    assert_eq!(program.send(&service, Method::GET, "/api/v3_0/users/me", &bearer, "").await.status, 200);

    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let path = "/api/v3_0/auth-tokens/current";
    let own = [("sec-fetch-site", "same-origin")];
    assert_eq!(browser.send(&service, Method::DELETE, path, &own, "").await.status, 401);
    let other = self::token(&service, MEMBER).await;
    assert_eq!(
        program.send(&service, Method::DELETE, path, &bearer, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(program.send(&service, Method::DELETE, path, &bearer, "").await.status, 401);
    assert_eq!(program.send(&service, Method::GET, "/api/v3_0/users/me", &bearer, "").await.status, 401);
    let other = [("authorization", other.as_str())];
    assert_eq!(program.send(&service, Method::GET, "/api/v3_0/users/me", &other, "").await.status, 200);
    assert_eq!(browser.get(&service, "/log-out").await.status, 200);
}

#[actix_web::test]
async fn a_token_is_good_for_thirty_days() {
    let (service, _place) = service();
    let token = token(&service, MEMBER).await;
    let bearer = [("authorization", token.as_str())];
    for (days, status) in [(29, 200), (30, 401)] {
        let issued_at = Instant::now().before(Duration::from_secs(days * 24 * 60 * 60));
        diesel::update(auth_tokens::table)
            .set(auth_tokens::created_at.eq(issued_at))
            .execute(&mut *service.database().connection().unwrap())
            .unwrap();
        let me = "/api/v3_0/users/me";
        let answer = Browser::default().send(&service, Method::GET, me, &bearer, "").await;
        assert_eq!(answer.status, status, "{days} days");
    }
    // The next log-in does away with it.
    self::token(&service, MEMBER).await;
    let left: i64 =
        auth_tokens::table.count().get_result(&mut *service.database().connection().unwrap()).unwrap();
    assert_eq!(left, 1);
}

#[actix_web::test]
async fn what_users_write_stays_text() {
    let (service, _place) = service();
    let name = r#"<script>alert("1")</script>"#;
    diesel::update(users::table.filter(users::email.eq(MEMBER)))
        .set(users::username.eq(name))
        .execute(&mut *service.database().connection().unwrap())
        .unwrap();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let answer = browser.get(&service, "/").await;
    assert_page(&answer, 200);
    assert!(answer.body.contains("<h1>&lt;script&gt;alert("), "{}", answer.body);
    // Also in the form that comes back.
    let submitted = "email=%22%3E%3Cscript%3E&password=x&next=%2F%22%3E%3Cscript%3E";
    let answer = Browser::default().post(&service, "/log-in", submitted).await;
    assert_page(&answer, 401);
    assert!(answer.body.contains("&quot;&gt;&lt;script&gt;"), "{}", answer.body);
}

#[actix_web::test]
async fn a_browser_is_denied_with_a_page_and_a_program_with_a_problem_document() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    for (path, status) in [("/api/v3_0/clients", 403), ("/api/v3_0/assets/99", 404), ("/nothing", 404)] {
        let answer = browser.get(&service, path).await;
        assert_page(&answer, status);
        assert_eq!(answer.header("vary"), Some("Accept"));
        let json = [("accept", "application/json")];
        let answer = browser.send(&service, Method::GET, path, &json, "").await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    // The log-in does not lead back to a denied POST.
    let answer = Browser::default().post(&service, "/log-out", "").await;
    assert_page(&answer, 401);
    assert!(answer.body.contains(r#"href="/log-in""#), "{}", answer.body);
}

#[actix_web::test]
async fn a_form_of_something_else_is_refused() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    for (form, status) in
        [("", 400), ("email=a", 400), ("email=a&password=b&roles=admin", 400), (&*"a".repeat(20_000), 413)]
    {
        assert_page(&browser.post(&service, "/log-in", form).await, status);
    }
}

#[actix_web::test]
async fn a_database_out_of_reach_is_503_and_nobody_is_logged_in_or_out() {
    let place = SERVER.database();
    let config = Config { demo: true, pool_size: 1, pool_wait: Duration::from_millis(20), ..place.config() };
    let service = Service::open(&config).unwrap();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let taken = service.database().connection().unwrap();
    for (method, path) in [(Method::GET, "/"), (Method::GET, "/log-in"), (Method::POST, "/log-out")] {
        assert_page(&browser.send(&service, method, path, &[], "").await, 503);
    }
    let mut anonymous = Browser::default();
    assert_page(&anonymous.log_in(&service, MEMBER, PASSWORD).await, 503);
    assert_eq!(anonymous.cookie, None);
    drop(taken);
    assert_eq!(browser.get(&service, "/log-out").await.status, 200);
}

#[actix_web::test]
async fn who_reviews_the_service_sees_its_guards_and_who_gets_in_where() {
    let (service, _place) = service();
    for (email, reviews) in [(ACCOUNT_ADMIN, false), (ADMIN, true), ("rita@platform.example", true)] {
        let mut browser = Browser::default();
        browser.log_in(&service, email, PASSWORD).await;
        let overview = browser.get(&service, "/").await.body;
        for (path, name, row) in [
            (
                "/guards",
                "Guards",
                "<li><strong>GET /api/v3_0/sensors/{sensor_id}</strong><div><code>permission_required_for_context(&quot;read&quot;, Sensor, id = &quot;sensor_id&quot;)</code></div><div><code>Sensor: read = asset.read</code></div></li>",
            ),
            (
                "/access-matrix",
                "Access matrix",
                r#"<th scope="row">GET /log-out</th><td class="no">401</td><td class="yes">yes</td>"#,
            ),
        ] {
            assert_eq!(overview.contains(&format!(r#"href="{path}""#)), reviews, "{email} {path}");
            let answer = browser.get(&service, path).await;
            assert_page(&answer, if reviews { 200 } else { 403 });
            assert_eq!(answer.body.contains(row), reviews, "{email} {path}: {}", answer.body);
            assert_eq!(answer.body.contains(&format!("<h1>{name}</h1>")), reviews);
        }
    }
    for path in ["/guards", "/access-matrix"] {
        assert_page(&Browser::default().get(&service, path).await, 401);
    }
}

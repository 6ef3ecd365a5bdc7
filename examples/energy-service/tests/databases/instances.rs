//! Two instances of the service that share a database in `PostgreSQL` and sessions in Redis: a change at one holds at the
//! other from the next request on.
//!
//! The Redis is that of `AUTH_TEST_REDIS_URL`, or else of this machine. Without one this is left out, with a line
//! that says so, unless `CI` is set.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{
    env,
    io::{self, Write as _},
};

use actix_web::http::{Method, StatusCode};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Config, Service, StartError,
    demo::PASSWORD,
    schema::{users, users_roles},
    sessions::{RedisUrl, SessionConfig, SessionError},
    test::{Server, TestDatabase},
};

use crate::browser::Browser;

const MEMBER: &str = "mia@sunnyside.example";
const ACCOUNT_ADMIN: &str = "adam@sunnyside.example";

struct Instances {
    here: Service,
    there: Service,
    // Last, so that it outlives the services.
    place: TestDatabase,
}

impl Instances {
    async fn open() -> Option<Self> {
        let url = env::var("AUTH_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let place = Server::Postgres.database();
        let config = Config { sessions: sessions(url.parse().unwrap()), demo: true, ..place.config() };
        let [here, there] = [(); 2].map(|()| Service::open(&config).unwrap());
        if let Err(error) = here.reach_sessions().await {
            assert!(env::var_os("CI").is_none(), "no Redis answers, and CI is set: {error}");
            // The harness captures `eprintln!`.
            let _ = writeln!(io::stderr(), "no Redis answers: a test of two instances is left out ({error})");
            return None;
        }
        Some(Self { here, there, place })
    }
}

fn sessions(redis: RedisUrl) -> SessionConfig {
    let key = Some("c3".repeat(64).parse().unwrap());
    SessionConfig { key, redis: Some(redis), ..SessionConfig::default() }
}

#[actix_web::test]
async fn a_log_in_and_a_log_out_hold_everywhere() {
    let Some(Instances { here, there, place: _place }) = Instances::open().await else { return };
    let mut browser = Browser::logged_in(&here, MEMBER).await;
    assert!(browser.get(&there, "/").await.body.contains(MEMBER));
    let mut copy = browser.clone();
    assert_eq!(browser.post(&there, "/log-out", "").await.status, 200);
    for service in [&here, &there] {
        assert_eq!(copy.get(service, "/log-out").await.status, 401);
        assert_eq!(copy.get(service, "/api/v3_0/users/me").await.status, 401);
    }
    assert_eq!(browser.log_in(&there, MEMBER, PASSWORD).await.status, 303);
    assert_eq!(browser.get(&here, "/log-out").await.status, 200);
}

/// As a request does that is under way at the log-out and stores its session after it: only the count is left of the
/// log-out.
#[actix_web::test]
async fn a_session_that_comes_back_after_the_log_out_is_nobodys() {
    let Some(Instances { here, there, place: _place }) = Instances::open().await else { return };
    let mut browser = Browser::logged_in(&here, MEMBER).await;
    diesel::update(users::table.filter(users::email.eq(MEMBER)))
        .set(users::log_outs.eq(users::log_outs + 1))
        .execute(&mut *there.database().connection().unwrap())
        .unwrap();
    assert_eq!(browser.get(&here, "/log-out").await.status, 401);
    assert_eq!(browser.get(&there, "/log-out").await.status, 401);
}

#[actix_web::test]
async fn a_log_in_gives_the_session_another_name_and_only_that_one_is_good() {
    let Some(Instances { here, there, place: _place }) = Instances::open().await else { return };
    let mut browser = Browser::logged_in(&here, MEMBER).await;
    let before = browser.clone();
    // Logged out, but not by this browser, which sends its cookie with the form.
    Browser::logged_in(&there, MEMBER).await.post(&there, "/log-out", "").await;
    assert_eq!(browser.log_in(&there, MEMBER, PASSWORD).await.status, 303);
    assert_ne!(browser.cookie, before.cookie);
    for service in [&here, &there] {
        assert_eq!(browser.get(service, "/log-out").await.status, 200);
        assert_eq!(before.clone().get(service, "/log-out").await.status, 401);
    }
}

#[actix_web::test]
async fn a_revoked_role_is_missing_everywhere() {
    let Some(Instances { here, there, place: _place }) = Instances::open().await else { return };
    let mut browser = Browser::logged_in(&here, ACCOUNT_ADMIN).await;
    for service in [&here, &there] {
        assert_eq!(browser.get(service, "/api/v3_0/roles").await.status, 200);
    }
    let adam: i32 = {
        let mut connection = here.database().connection().unwrap();
        users::table.filter(users::email.eq(ACCOUNT_ADMIN)).select(users::id).first(&mut *connection).unwrap()
    };
    diesel::delete(users_roles::table.filter(users_roles::user_id.eq(adam)))
        .execute(&mut *here.database().connection().unwrap())
        .unwrap();
    for service in [&there, &here] {
        assert_eq!(browser.get(service, "/api/v3_0/roles").await.status, 403);
        assert_eq!(browser.get(service, "/").await.status, 200);
    }
}

#[actix_web::test]
async fn a_revoked_token_is_refused_everywhere() {
    let Some(Instances { here, there, place: _place }) = Instances::open().await else { return };
    let mut program = Browser::default();
    let body = format!(r#"{{"email":"{MEMBER}","password":"{PASSWORD}"}}"#);
    let json = [("content-type", "application/json")];
    let answer = program.send(&here, Method::POST, "/api/requestAuthToken", &json, &body).await.body;
    let token = answer.split('"').nth(3).unwrap();
    let bearer = format!("Bearer {token}");
    let bearer = [("authorization", bearer.as_str())];
    let me = "/api/v3_0/users/me";
    assert_eq!(program.send(&there, Method::GET, me, &bearer, "").await.status, 200);
    let revoke = program.send(&there, Method::DELETE, "/api/v3_0/auth-tokens/current", &bearer, "").await;
    assert_eq!(revoke.status, 204);
    for service in [&here, &there] {
        assert_eq!(program.send(service, Method::GET, me, &bearer, "").await.status, 401);
    }
}

/// Nothing listens on the port.
#[actix_web::test]
async fn sessions_out_of_reach_are_no_log_ins() {
    let Some(Instances { here, place, .. }) = Instances::open().await else { return };
    let browser = Browser::logged_in(&here, MEMBER).await;
    let sessions = sessions("redis://127.0.0.1:9".parse().unwrap());
    let cut_off = Service::open(&Config { sessions, ..place.config() }).unwrap();
    let reached = cut_off.reach_sessions().await;
    assert!(matches!(reached, Err(StartError::Sessions(SessionError::Redis(_)))), "{reached:?}");
    for path in ["/log-out", "/", "/api/v3_0/users/me"] {
        let answer = browser.clone().get(&cut_off, path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::SERVICE_UNAVAILABLE, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(!answer.body.contains("edis"), "{path}: {}", answer.body);
    }
    // A request without a session needs no Redis.
    assert_eq!(Browser::default().get(&cut_off, "/").await.status, 200);
}

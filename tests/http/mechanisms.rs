//! Several mechanisms side by side: which of them a guard accepts, and the challenges of a 401.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};

use actix_web::{HttpRequest, Responder, get, test::TestRequest, web::ServiceConfig};
use auth_core::{
    Auth, CurrentUser, Subject, User, anonymous_user_required, auth_required, auth_required as also_by,
    mechanism::{Authenticated, BearerToken, Challenge, Mechanism, Rejection, Why},
    test,
};

use crate::{
    client::{Response, Service},
    fixture::{Member, World},
};

/// Takes a user's id, or `member-` and a member's, from the header `x-key`, where a guard names this mechanism.
struct Key;

impl Mechanism for Key {
    fn name(&self) -> &'static str {
        "key"
    }

    fn is_default(&self) -> bool {
        false
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        Some(match challenge.why {
            Why::Missing => "Key".to_owned(),
            Why::Rejected => "Key wrong".to_owned(),
            Why::Stale { within } => format!("Key stale {}", within.as_secs()),
        })
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        match request.headers().get("x-key").map(|key| key.to_str()) {
            None => Ok(None),
            Some(Ok("wrong") | Err(_)) => Err(Rejection::BadCredentials),
            Some(Ok(key)) => match key.strip_prefix("member-").map(str::parse) {
                Some(Ok(id)) => Ok(Some(Member::without_roles(id).into())),
                _ => Ok(Some(User::new(key).into())),
            },
        }
    }
}

#[auth_required]
#[get("/default")]
async fn by_default() -> impl Responder {
    "ok"
}

#[auth_required("key")]
#[get("/key")]
async fn by_key(user: CurrentUser) -> impl Responder {
    user.id().to_string()
}

#[auth_required("key", "token", within = "1 h")]
#[get("/either")]
async fn by_either() -> impl Responder {
    "ok"
}

#[auth_required("proxy")]
#[get("/proxy")]
async fn by_proxy() -> impl Responder {
    "ok"
}

/// Ours under another name authenticates by itself.
#[auth_required("token")]
#[also_by("key")]
#[get("/both")]
async fn by_both() -> impl Responder {
    "ok"
}

#[anonymous_user_required]
#[get("/anonymous")]
async fn anonymous() -> impl Responder {
    "ok"
}

fn service() -> Service {
    let token = BearerToken::<Member>::new(World::new().pool);
    let auth = Auth::builder().mechanism(token).mechanism(Key).build().unwrap();
    Service::start(move |app| {
        app.app_data(auth.clone()).service((by_default, by_key, by_either, by_proxy, by_both, anonymous));
    })
}

fn challenges(response: &Response) -> Vec<&str> {
    response.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

const TOKEN: (&str, &str) = ("authorization", "Bearer member");

#[test]
fn a_guard_accepts_the_mechanisms_that_it_names() {
    let service = service();
    let status = |path, headers: &[(&str, &str)]| service.send_with(path, headers).status.as_u16();
    assert_eq!(status("/default", &[TOKEN]), 200);
    assert_eq!(status("/default", &[("x-key", "1")]), 401);
    assert_eq!(status("/key", &[TOKEN]), 401);
    assert_eq!(status("/key", &[("x-key", "1")]), 200);
    assert_eq!(status("/both", &[("x-key", "1")]), 401);
    assert_eq!(status("/both", &[TOKEN]), 401);
}

#[test]
fn a_401_lists_what_the_route_accepts() {
    let service = service();
    let challenged = |path, headers: &[(&str, &str)]| {
        let response = service.send_with(path, headers);
        assert_eq!(response.status, 401);
        challenges(&response).join("; ")
    };
    assert_eq!(challenged("/default", &[]), "Bearer");
    assert_eq!(challenged("/key", &[]), "Key");
    assert_eq!(challenged("/either", &[]), "Bearer; Key");
    assert_eq!(challenged("/either", &[("x-key", "wrong")]), "Bearer; Key wrong");
    assert_eq!(
        challenged("/either", &[("authorization", "Bearer wrong")]),
        r#"Bearer error="invalid_token"; Key"#
    );
    // It is unknown when this one was authenticated, so it is not recent.
    assert_eq!(challenged("/either", &[("x-key", "1")]), "Bearer; Key stale 3600");
    assert_eq!(
        challenged("/either", &[TOKEN]),
        r#"Bearer error="insufficient_user_authentication", max_age=3600; Key"#
    );
}

#[test]
fn a_mechanism_that_is_not_configured_lets_nobody_in() {
    let service = service();
    assert_eq!(service.send_with("/proxy", &[TOKEN, ("x-key", "1")]).status, 500);
    assert_eq!(service.send_with("/proxy", &[]).status, 500);
}

#[test]
fn two_guards_on_a_handler_let_in_one_subject() {
    let service = service();
    assert_eq!(service.send_with("/both", &[TOKEN, ("x-key", "member-1")]).status, 200);
    assert_eq!(service.send_with("/both", &[TOKEN, ("x-key", "member-2")]).status, 401);
    assert_eq!(service.send_with("/both", &[TOKEN, ("x-key", "1")]).status, 401, "a subject of another type");
}

#[test]
fn wrong_credentials_are_not_nobodys() {
    let service = service();
    assert_eq!(service.send_with("/anonymous", &[]).status, 200);
    assert_eq!(service.send_with("/anonymous", &[TOKEN]).status, 403);
    assert_eq!(service.send_with("/anonymous", &[("authorization", "Bearer wrong")]).status, 401);
}

/// Has another name from one of its answers on, and finds a user whose log-in is from long ago.
struct Renamed {
    answers: AtomicUsize,
    from: usize,
}

impl Mechanism for Renamed {
    fn name(&self) -> &'static str {
        if self.answers.fetch_add(1, Ordering::SeqCst) < self.from { "one" } else { "other" }
    }

    async fn authenticate(&self, _: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        Ok(Some(Authenticated::from(User::new(1)).since(SystemTime::UNIX_EPOCH)))
    }
}

#[auth_required(within = "15 min", grace = "1 h")]
#[get("/recent")]
async fn recent() -> impl Responder {
    "recent"
}

#[actix_web::test]
async fn a_mechanism_that_is_not_found_again_makes_nobody_recent() {
    for from in 0..12 {
        let auth = Auth::builder().mechanism(Renamed { answers: AtomicUsize::new(0), from }).build().unwrap();
        let configure = |app: &mut ServiceConfig| _ = app.service(recent);
        let response = test::call(auth, configure, TestRequest::get().uri("/recent")).await;
        assert_eq!(response.status(), 401, "renamed from answer {from} on");
    }
}

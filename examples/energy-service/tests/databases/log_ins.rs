//! Log-ins: the user who is logged in after one, its duration, and the number of tokens.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    thread,
};

use actix_web::{http::Method, rt::System};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{Config, Service, database::Instant, demo::PASSWORD, schema::auth_tokens};
use futures_util::future::join_all;
use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt as _};

use super::{
    SERVER,
    models::token as stored_token,
    pages::{assert_page, assert_redirect, service, token},
};
use crate::browser::{Answer, Browser};

const MEMBER: &str = "mia@sunnyside.example";
const ADMIN: &str = "ada@platform.example";
const ME: &str = "/api/v3_0/users/me";

#[actix_web::test]
async fn who_logs_in_as_somebody_else_is_somebody_else() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let before = browser.cookie.clone();
    assert_redirect(&browser.log_in(&service, ADMIN, PASSWORD).await, "/");
    assert_ne!(browser.cookie, before);
    let page = browser.get(&service, "/").await.body;
    let logged_in = |email| page.contains(&format!("You are logged in as <strong>{email}"));
    assert!(logged_in(ADMIN) && !logged_in(MEMBER), "{page}");
    // Also a user who logs in again.
    let before = browser.cookie.clone();
    assert_redirect(&browser.log_in(&service, ADMIN, PASSWORD).await, "/");
    assert_ne!(browser.cookie, before);
    assert!(browser.get(&service, "/").await.body.contains(ADMIN));
}

#[actix_web::test]
async fn a_wrong_password_of_somebody_else_is_said_to_be_wrong() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    for (email, password) in [(ADMIN, "wrong"), (MEMBER, "wrong"), ("nobody@x", PASSWORD)] {
        let answer = browser.log_in(&service, email, password).await;
        assert_page(&answer, 401);
        assert!(answer.body.contains("The email address or the password is wrong."), "{}", answer.body);
        assert!(browser.get(&service, "/").await.body.contains(MEMBER));
    }
    // Another site can log no user out or in.
    let foreign = [("sec-fetch-site", "cross-site")];
    let form = format!("email={ADMIN}&password={PASSWORD}");
    assert_page(&browser.send(&service, Method::POST, "/log-in", &foreign, &form).await, 403);
    assert!(browser.get(&service, "/").await.body.contains(MEMBER));
    // Credentials of a program do not count here, right or wrong.
    let wrong = [("authorization", "Bearer wrong")];
    assert_redirect(&browser.send(&service, Method::POST, "/log-in", &wrong, &form).await, "/");
}

/// Does something when the log says that a password was right: after the comparison, and before the log-in.
struct Meanwhile(Arc<dyn Fn() + Send + Sync>);

impl<S: tracing::Subscriber> Layer<S> for Meanwhile {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut text = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
            let _ = write!(text, "{field}={value:?} ");
        });
        if text.contains("message=log-in") && text.contains("outcome=\"allow\"") {
            (self.0)();
        }
    }
}

/// Sends requests of the admin, from a thread of their own: the one of the caller is in the middle of a log-in.
fn by_admin(service: &Service, bearer: &str, requests: &[(Method, &str, &str)]) {
    let (service, bearer) = (service.clone(), bearer.to_owned());
    let requests: Vec<_> = requests
        .iter()
        .map(|(method, path, body)| (method.clone(), (*path).to_owned(), (*body).to_owned()))
        .collect();
    let done = thread::spawn(move || {
        System::new().block_on(async move {
            for (method, path, body) in requests {
                let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
                let answer = Browser::default().send(&service, method, &path, &headers, &body).await;
                assert!(answer.status.is_success(), "{path}: {}", answer.body);
            }
        });
    });
    done.join().unwrap();
}

/// The answer to a log-in during which something else takes place.
async fn log_in_while(
    service: &Service,
    browser: &mut Browser,
    meanwhile: impl Fn() + Send + Sync + 'static,
) -> Answer {
    let subscriber = Registry::default().with(Meanwhile(Arc::new(meanwhile)));
    let _guard = tracing::subscriber::set_default(subscriber);
    browser.log_in(service, MEMBER, PASSWORD).await
}

const DEACTIVATE: (Method, &str, &str) = (Method::PATCH, "/api/v3_0/users/1", r#"{"active":false}"#);
const ACTIVATE: (Method, &str, &str) = (Method::PATCH, "/api/v3_0/users/1", r#"{"active":true}"#);

#[actix_web::test]
async fn a_log_in_that_a_deactivation_overtakes_does_not_count_after_the_next_activation() {
    let (service, _place) = service();
    let bearer = token(&service, ADMIN).await;
    let mut browser = Browser::default();
    let (other, admin) = (service.clone(), bearer.clone());
    log_in_while(&service, &mut browser, move || by_admin(&other, &admin, &[DEACTIVATE])).await;
    assert_eq!(browser.get(&service, ME).await.status, 401);
    by_admin(&service, &bearer, &[ACTIVATE]);
    assert_eq!(browser.get(&service, ME).await.status, 401);

    // Both within one log-in.
    let other = service.clone();
    log_in_while(&service, &mut browser, move || by_admin(&other, &bearer, &[DEACTIVATE, ACTIVATE])).await;
    assert_eq!(browser.get(&service, ME).await.status, 401);
    assert_redirect(&browser.log_in(&service, MEMBER, PASSWORD).await, "/");
    assert_eq!(browser.get(&service, ME).await.status, 200);
}

#[actix_web::test]
async fn a_token_that_a_deactivation_overtakes_does_not_count_after_the_next_activation() {
    let (service, _place) = service();
    let bearer = token(&service, ADMIN).await;
    let other = service.clone();
    let subscriber = Registry::default().with(Meanwhile(Arc::new(move || {
        by_admin(&other, &bearer, &[DEACTIVATE, ACTIVATE]);
    })));
    let guard = tracing::subscriber::set_default(subscriber);
    let body = format!(r#"{{"email":"{MEMBER}","password":"{PASSWORD}"}}"#);
    let json = [("content-type", "application/json")];
    let answer = Browser::default().send(&service, Method::POST, "/api/requestAuthToken", &json, &body).await;
    drop(guard);
    assert_eq!(answer.status, 401, "{}", answer.body);
}

/// Also if the clocks of two instances differ.
#[actix_web::test]
async fn a_log_out_ends_each_log_in_before_it_and_none_after_it() {
    let (service, _place) = service();
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let mut browser = Browser::logged_in(&service, MEMBER).await;
        for (before, copy) in &mut sessions {
            let _: &mut Browser = copy;
            assert_eq!(copy.get(&service, ME).await.status, 401, "{before}");
        }
        sessions.push((sessions.len(), browser.clone()));
        assert_eq!(browser.get(&service, ME).await.status, 200);
        assert_page(&browser.post(&service, "/log-out", "").await, 200);
    }
    let mut last = Browser::logged_in(&service, MEMBER).await;
    assert_eq!(last.get(&service, ME).await.status, 200);
}

/// As many as [`MAX_TOKENS`](energy_service::auth::MAX_TOKENS).
const TOKENS: i64 = 10;

fn tokens(service: &Service) -> i64 {
    let connection = &mut *service.database().connection().unwrap();
    auth_tokens::table.filter(auth_tokens::user_id.eq(1)).count().get_result(connection).unwrap()
}

#[actix_web::test]
async fn of_the_tokens_of_a_user_the_newest_stay() {
    let place = SERVER.database();
    let service = Service::open(&Config { demo: true, ..place.config() }).unwrap();
    let of_admin = token(&service, ADMIN).await;
    let old: Vec<_> = {
        let connection = &mut *service.database().connection().unwrap();
        (0..60).map(|_| format!("Bearer {}", stored_token(MEMBER, connection).as_str())).collect()
    };
    assert_eq!(tokens(&service), 60);
    // At once, and fewer than there may be attempts.
    let new = join_all((0..6).map(|_| token(&service, MEMBER))).await;
    assert_eq!(tokens(&service), TOKENS);
    let counts = async |bearer: &str| {
        Browser::default().send(&service, Method::GET, ME, &[("authorization", bearer)], "").await.status
            == 200
    };
    for bearer in &new {
        assert!(counts(bearer).await);
    }
    let (gone, kept) = old.split_at(56);
    for bearer in gone {
        assert!(!counts(bearer).await);
    }
    for bearer in kept {
        assert!(counts(bearer).await);
    }
    assert!(counts(&of_admin).await, "others keep theirs");
    // One by one, too.
    let newest = token(&service, MEMBER).await;
    assert_eq!(tokens(&service), TOKENS);
    assert!(counts(&newest).await && !counts(kept.first().unwrap()).await);
}

/// Of a clock that goes back, as of another instance.
#[actix_web::test]
async fn a_new_token_counts_though_all_others_are_from_the_future() {
    let (service, _place) = service();
    {
        let connection = &mut *service.database().connection().unwrap();
        for _ in 0..TOKENS {
            stored_token(MEMBER, connection);
        }
        let Instant(now) = Instant::now();
        let future = Instant(now + chrono::TimeDelta::hours(1));
        diesel::update(auth_tokens::table.filter(auth_tokens::user_id.eq(1)))
            .set(auth_tokens::created_at.eq(future))
            .execute(connection)
            .unwrap();
    }
    let newest = token(&service, MEMBER).await;
    assert_eq!(tokens(&service), TOKENS);
    let answer =
        Browser::default().send(&service, Method::GET, ME, &[("authorization", newest.as_str())], "").await;
    assert_eq!(answer.status, 200);
}

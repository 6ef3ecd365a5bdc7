//! The pages for requests that were denied.

use actix_web::http::Method;

use super::pages::{assert_page, service, token};
use crate::browser::Browser;

/// Reads everything, and reviews the service.
const READER: &str = "rita@platform.example";
const MEMBER: &str = "mia@sunnyside.example";

#[actix_web::test]
async fn a_denial_says_as_whom_one_is_logged_in_and_leads_on() {
    let (service, _place) = service();
    for (email, path, status) in [
        (MEMBER, "/assets/1/delete", 403),
        (MEMBER, "/guards", 403),
        (MEMBER, "/assets/99", 404),
        (READER, "/assets/1/edit", 403),
    ] {
        let mut browser = Browser::logged_in(&service, email).await;
        let denied = browser.get(&service, path).await;
        assert_page(&denied, status);
        for part in [
            &format!("You are logged in as <strong>{email}</strong>."),
            r#"<nav aria-label="Main">"#,
            r#"href="/log-out""#,
        ] {
            assert!(denied.body.contains(part), "{path}: {}", denied.body);
        }
    }
    // By a token, too, in whatever shows HTML.
    let token = token(&service, MEMBER).await;
    let headers = [("authorization", token.as_str())];
    let denied = Browser::default().send(&service, Method::GET, "/guards", &headers, "").await;
    assert_page(&denied, 403);
    assert!(denied.body.contains(MEMBER) && !denied.body.contains("/log-out"), "{}", denied.body);
}

#[actix_web::test]
async fn a_denial_leads_those_who_review_the_service_to_its_reason_and_nobody_else() {
    let (service, _place) = service();
    for (path, decisions) in [
        ("/assets/1/edit", "/assets/1/decisions"),
        ("/sensors/4/delete", "/sensors/4/decisions"),
        ("/assets/3/sensors/new", "/assets/3/decisions"),
    ] {
        let mut reader = Browser::logged_in(&service, READER).await;
        let denied = reader.get(&service, path).await;
        assert_page(&denied, 403);
        let link = format!(r#"<a href="{decisions}">Why?</a>"#);
        assert!(denied.body.contains(&link) && denied.body.contains(r#"href="/guards""#), "{}", denied.body);
        // Where the link leads, the reason is.
        let page = reader.get(&service, decisions).await;
        assert_page(&page, 200);
        assert!(page.body.contains("Not met"), "{}", page.body);
    }
    for (email, path) in
        [(MEMBER, "/assets/3"), (MEMBER, "/assets/1/delete"), ("sven@bakery.example", "/sensors/1")]
    {
        let denied = Browser::logged_in(&service, email).await.get(&service, path).await;
        assert_page(&denied, 403);
        assert!(!denied.body.contains("Why?") && !denied.body.contains("/guards"), "{}", denied.body);
    }
    // A missing object has no decisions.
    let missing = Browser::logged_in(&service, READER).await.get(&service, "/assets/99").await;
    assert_page(&missing, 404);
    assert!(!missing.body.contains("Why?"), "{}", missing.body);
}

#[actix_web::test]
async fn a_denial_without_a_log_in_names_nobody() {
    let (service, _place) = service();
    for (headers, status) in [
        (&[][..], 401),
        (&[("authorization", "Bearer nobody")], 401),
        (&[("cookie", "energy-session=x")], 401),
    ] {
        let denied = Browser::default().send(&service, Method::GET, "/assets/1", headers, "").await;
        assert_page(&denied, status);
        assert!(
            !denied.body.contains("You are logged in") && !denied.body.contains("<nav"),
            "{}",
            denied.body
        );
    }
    // Nor does one that another site caused, with the cookie of a session.
    let mut member = Browser::logged_in(&service, MEMBER).await;
    let foreign = [("sec-fetch-site", "cross-site")];
    let denied = member.send(&service, Method::POST, "/log-out", &foreign, "").await;
    assert_page(&denied, 403);
    assert!(!denied.body.contains(MEMBER), "{}", denied.body);
}

//! The pages of accounts, and the logs of accounts and users.

use actix_web::http::Method;

use super::super::pages::{assert_page, service, token};
use super::{ACCOUNT_ADMIN, ADMIN, MEMBER, USERS, links, may};
use crate::browser::Browser;

#[actix_web::test]
async fn accounts_show_users_and_logs_to_who_may_see_them() {
    let (service, _place) = service();
    let admin = token(&service, ADMIN).await;
    let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
    let rename = r#"{"username":"Mia <i>"}"#;
    let renamed =
        Browser::default().send(&service, Method::PATCH, "/api/v3_0/users/1", &headers, rename).await;
    assert_eq!(renamed.status, 200, "{}", renamed.body);
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        for account in 1..=4 {
            let path = format!("/accounts/{account}");
            let page = browser.get(&service, &path).await;
            assert_page(&page, if may(&mut browser, &service, &path, "read").await { 200 } else { 403 });
            let log = format!("{path}/audit-log");
            let allowed = may(&mut browser, &service, &log, "read").await;
            assert_page(&browser.get(&service, &log).await, if allowed { 200 } else { 403 });
            if page.status == 200 {
                assert_eq!(links(&page).contains(&log), allowed, "{log} by {email}");
            }
        }
        let own = if email == MEMBER { "/accounts/3" } else { "/accounts" };
        let page = browser.get(&service, own).await;
        assert_page(&page, 200);
        for user in 1..=6 {
            let log = format!("/users/{user}/audit-log");
            let allowed = may(&mut browser, &service, &log, "read").await;
            let page = browser.get(&service, &log).await;
            assert_page(&page, if allowed { 200 } else { 403 });
            if allowed && user == 1 {
                let entry = "<strong>Ada Admin</strong> changed the user 1: username.";
                assert!(page.body.contains(entry), "{}", page.body);
            }
        }
    }
    let mut member = Browser::logged_in(&service, MEMBER).await;
    let page = member.get(&service, "/accounts/3").await;
    for text in ["Mia &lt;i&gt;</a> (you)", "Adam Account-Admin", ACCOUNT_ADMIN, "Prosumer"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    // Her own log, and no other user's. Of the consultancy she may not even know the name.
    let links = links(&page);
    assert!(links.contains("/users/1/audit-log") && !links.contains("/users/2/audit-log"), "{links:?}");
    assert!(!page.body.contains("Bright"), "{}", page.body);
}

#[actix_web::test]
async fn a_log_is_read_page_by_page() {
    let (service, _place) = service();
    let admin = token(&service, ADMIN).await;
    let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
    for index in 0..51 {
        let body = format!(r#"{{"username":"Mia {index}"}}"#);
        Browser::default().send(&service, Method::PATCH, "/api/v3_0/users/1", &headers, &body).await;
    }
    let mut member = Browser::logged_in(&service, MEMBER).await;
    let first = member.get(&service, "/users/1/audit-log").await;
    assert_eq!(first.body.matches("<td><strong>Ada Admin</strong> changed").count(), 50, "{}", first.body);
    let older = links(&first).into_iter().find(|link| link.contains("before=")).unwrap();
    let second = member.get(&service, &older).await;
    assert_eq!(second.body.matches("<td><strong>Ada Admin</strong> changed").count(), 1, "{}", second.body);
    assert!(!links(&second).iter().any(|link| link.contains("before=")), "{}", second.body);
}

/// Who saves a form that was shown before changes only what they changed.
#[actix_web::test]
async fn a_form_that_is_old_brings_nothing_back() {
    let (service, _place) = service();
    let admin = token(&service, ADMIN).await;
    let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
    let change = async |path: &str, body: &str| {
        let changed = Browser::default().send(&service, Method::PATCH, path, &headers, body).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        changed.body
    };
    let mut owner = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    let form = owner.get(&service, "/users/1/edit").await.body;
    assert!(form.contains(r#"<input type="hidden" name="active_before" value="true">"#), "{form}");
    change("/api/v3_0/users/1", r#"{"active":false}"#).await;
    let saved = owner.post(&service, "/users/1/edit", "username=Mia+M&active=true&active_before=true").await;
    assert_eq!(saved.status, 303);
    let user = change("/api/v3_0/users/1", r#"{"username":"Mia"}"#).await;
    assert!(user.contains(r#""active":false"#), "{user}");

    let mut admin = Browser::logged_in(&service, ADMIN).await;
    change("/api/v3_0/accounts/3", r#"{"consultancy_account_id":null}"#).await;
    let form = "consultancy_account_id=2&consultancy_before=2&name=Sunnyside";
    assert_eq!(admin.post(&service, "/accounts/3/edit", form).await.status, 303);
    let account = change("/api/v3_0/accounts/3", r#"{"name":"Sunnyside Farm"}"#).await;
    assert!(account.contains(r#""consultancy_account_id":null"#), "{account}");
    let form = "consultancy_account_id=4&consultancy_before=2&name=Sunnyside";
    assert_eq!(admin.post(&service, "/accounts/3/edit", form).await.status, 409);
}

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

/// A form that was opened before another change would bring back what was changed.
#[actix_web::test]
async fn a_form_of_an_old_row_changes_nothing() {
    let (service, _place) = service();
    let admin = token(&service, ADMIN).await;
    let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
    let mut browser = Browser::logged_in(&service, ADMIN).await;
    for (page, change, sent, stays) in [
        ("/users/1", r#"{"active":false}"#, "username=M&active=true", r#""active":false"#),
        (
            "/accounts/3",
            r#"{"consultancy_account_id":null}"#,
            "name=S&consultancy_account_id=2",
            r#""consultancy_account_id":null"#,
        ),
        ("/assets/1", r#"{"latitude":1.5}"#, "name=R&latitude=52&longitude=4", r#""latitude":1.5"#),
        ("/sensors/1", r#"{"unit":"W"}"#, "name=p&unit=kW", r#""unit":"W""#),
    ] {
        let version = async |browser: &mut Browser| {
            let form = browser.get(&service, &format!("{page}/edit")).await.body;
            let (_, rest) = form.split_once(r#"name="version" value=""#).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let old = version(&mut browser).await;
        let row = format!("/api/v3_0{page}");
        let program = Browser::default().send(&service, Method::PATCH, &row, &headers, change).await;
        assert_eq!(program.status, 200, "{}", program.body);
        let save = |version: String| format!("{sent}&version={version}");
        let path = format!("{page}/edit");
        assert_page(&browser.post(&service, &path, &save(old.clone())).await, 409);
        // Not the second time either.
        assert_page(&browser.post(&service, &path, &save(old)).await, 409);
        let kept = browser.get(&service, &row).await.body;
        assert!(kept.contains(stays), "{kept}");
        let new = version(&mut browser).await;
        assert_eq!(browser.post(&service, &path, &save(new)).await.status, 303, "{page}");
    }
}

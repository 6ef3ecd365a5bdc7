//! The pages that explain decisions.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::schema::users;

use super::super::pages::{assert_page, service};
use super::{ADMIN, ASSETS, MEMBER, SENSORS, USERS, may};
use crate::browser::{Answer, Browser};

const MISSING: i32 = 99;

/// The answer of a page of decisions to each action, in its order: may the user?
fn said(page: &Answer) -> Vec<bool> {
    let headings = page.body.split("<h2>").skip(1).map(|rest| rest.split_once("</h2>").unwrap().0);
    headings.map(|heading| heading.rsplit_once(": ").unwrap().1 == "yes").collect()
}

#[actix_web::test]
async fn decisions_are_explained_as_they_are() {
    let (service, _place) = service();
    let permissions = ["read", "update", "delete", "create-children"];
    let objects = ASSETS.map(|id| format!("/assets/{id}")).into_iter();
    let objects: Vec<_> = objects.chain(SENSORS.map(|id| format!("/sensors/{id}"))).collect();
    let mut admin = Browser::logged_in(&service, ADMIN).await;
    for (id, email) in (1..).zip(USERS) {
        let mut browser = Browser::logged_in(&service, email).await;
        for object in &objects {
            let mut decided = Vec::new();
            for permission in permissions {
                decided.push(may(&mut browser, &service, object, permission).await);
            }
            // By an admin, about the user.
            let page = admin.get(&service, &format!("{object}/decisions?user={id}")).await;
            assert_page(&page, 200);
            assert_eq!(said(&page), decided, "{object} of {email}");
            // In words: no term is left as it is declared.
            assert!(!page.body.contains("</span> <code>"), "{object}: {}", page.body);
            // By the user, if the user may read the object.
            let page = browser.get(&service, &format!("{object}/decisions")).await;
            assert_page(&page, if decided[0] { 200 } else { 403 });
            if decided[0] {
                assert_eq!(said(&page), decided, "{object} of {email}");
            }
        }
    }
}

#[actix_web::test]
async fn decisions_about_others_are_for_who_may_read_them() {
    let (service, _place) = service();
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        // Everybody may read the public asset.
        for id in 1..=6 {
            let allowed = may(&mut browser, &service, &format!("/users/{id}"), "read").await;
            let page = browser.get(&service, &format!("/assets/4/decisions?user={id}")).await;
            assert_page(&page, if allowed { 200 } else { 403 });
            let choice = format!(r#"<option value="{id}""#);
            let offered = browser.get(&service, "/assets/4/decisions").await.body.contains(&choice);
            assert_eq!(offered, allowed, "{id} to {email}");
        }
        assert_page(&browser.get(&service, &format!("/assets/4/decisions?user={MISSING}")).await, 404);
        for wrong in ["user=x", "user=", "user=1&user=2", "who=1"] {
            assert_page(&browser.get(&service, &format!("/assets/4/decisions?{wrong}")).await, 400);
        }
    }
    // A colleague's asset is not enough: the asset has to be readable, too.
    let mut member = Browser::logged_in(&service, MEMBER).await;
    assert_page(&member.get(&service, "/assets/3/decisions?user=2").await, 403);
    {
        let connection = &mut *service.database().connection().unwrap();
        diesel::update(users::table.find(2)).set(users::active.eq(false)).execute(connection).unwrap();
    }
    let page = member.get(&service, "/assets/1/decisions?user=2").await;
    assert_page(&page, 200);
    assert!(page.body.contains("Adam Account-Admin may do nothing"), "{}", page.body);
}

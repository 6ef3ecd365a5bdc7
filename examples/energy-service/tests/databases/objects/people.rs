//! The forms that change users, their roles, and accounts: each for those for whom its endpoint works, with the fields that they
//! may change.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Service,
    schema::{accounts, roles, users, users_roles},
};

use super::super::pages::{assert_page, assert_redirect, service};
use super::{ACCOUNT_ADMIN, ADMIN, CONSULTANT, MEMBER, READER, STRANGER, USERS, links, may};
use crate::browser::Browser;

fn user(service: &Service, id: i32) -> (String, bool) {
    let connection = &mut *service.database().connection().unwrap();
    users::table.find(id).select((users::username, users::active)).first(connection).unwrap()
}

fn account(service: &Service, id: i32) -> (String, Option<i32>) {
    let connection = &mut *service.database().connection().unwrap();
    let columns = (accounts::name, accounts::consultancy_account_id);
    accounts::table.find(id).select(columns).first(connection).unwrap()
}

fn roles_of(service: &Service, id: i32) -> Vec<String> {
    let connection = &mut *service.database().connection().unwrap();
    let held = users_roles::table.inner_join(roles::table).filter(users_roles::user_id.eq(id));
    held.order(roles::name).select(roles::name).load(connection).unwrap()
}

#[actix_web::test]
async fn users_and_accounts_are_changed_by_those_who_may() {
    let (service, _place) = service();
    let (mut shown, mut hidden) = (0, 0);
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        let objects = (1..=6).map(|id| (format!("/users/{id}"), "username"));
        for (object, field) in objects.chain((1..=4).map(|id| (format!("/accounts/{id}"), "name"))) {
            let what = format!("{object} by {email}");
            let page = browser.get(&service, &object).await;
            let may_read = may(&mut browser, &service, &object, "read").await;
            assert_page(&page, if may_read { 200 } else { 403 });
            let allowed = may(&mut browser, &service, &object, "update").await;
            let edit = format!("{object}/edit");
            assert_eq!(links(&page).contains(&edit), allowed, "{what}");
            assert_page(&browser.get(&service, &edit).await, if allowed { 200 } else { 403 });
            let answer = browser.post(&service, &edit, &format!("{field}=Renamed")).await;
            if allowed {
                shown += 1;
                assert_redirect(&answer, &format!("{object}?done=saved"));
                let done = browser.get(&service, &format!("{object}?done=saved")).await;
                assert_page(&done, 200);
                assert!(done.body.contains("<h1>Renamed</h1>") && done.body.contains("Saved."), "{what}");
            } else {
                hidden += 1;
                assert_page(&answer, 403);
                // Before the form is read.
                assert_page(&browser.post(&service, &edit, "wrong=1").await, 403);
            }
        }
    }
    assert_eq!((shown, hidden), (24, 36), "what the demo is about");
}

#[actix_web::test]
async fn a_form_has_the_fields_that_its_reader_may_change_and_no_other_counts() {
    let (service, _place) = service();
    for (email, id, may_activate) in [
        (MEMBER, 1, false),
        (ACCOUNT_ADMIN, 1, true),
        // Nobody deactivates themselves.
        (ACCOUNT_ADMIN, 2, false),
        (CONSULTANT, 1, true),
        (CONSULTANT, 2, true),
        (ADMIN, 1, true),
        (ADMIN, 5, false),
        (ADMIN, 6, true),
    ] {
        let what = format!("user {id} by {email}");
        let mut browser = Browser::logged_in(&service, email).await;
        let path = format!("/users/{id}/edit");
        let form = browser.get(&service, &path).await;
        assert_page(&form, 200);
        assert_eq!(form.body.contains(r#"name="active""#), may_activate, "{what}: {}", form.body);
        let (name, _) = user(&service, id);
        let answer = browser.post(&service, &path, &format!("username={name}&active=false")).await;
        if may_activate {
            assert_redirect(&answer, &format!("/users/{id}?done=saved"));
            assert_eq!(user(&service, id), (name.clone(), false), "{what}");
            let page = browser.get(&service, &format!("/users/{id}")).await;
            assert!(page.body.contains("No: may not log in"), "{what}: {}", page.body);
            browser.post(&service, &path, &format!("username={name}&active=true")).await;
        } else {
            assert!([403, 409].contains(&answer.status.as_u16()), "{what}: {}", answer.body);
        }
        assert_eq!(user(&service, id), (name, true), "{what}");
    }
    for (email, may_change) in [(MEMBER, false), (ACCOUNT_ADMIN, false), (CONSULTANT, false), (ADMIN, true)] {
        let mut browser = Browser::logged_in(&service, email).await;
        let form = browser.get(&service, "/accounts/3/edit").await;
        assert_page(&form, 200);
        let there = form.body.contains(r#"name="consultancy_account_id""#);
        assert_eq!(there, may_change, "{email}: {}", form.body);
        let submitted = "name=Sunnyside+Farm&consultancy_account_id=4";
        let answer = browser.post(&service, "/accounts/3/edit", submitted).await;
        assert_eq!(answer.status.as_u16(), if may_change { 303 } else { 403 }, "{email}: {}", answer.body);
        let consultancy = if may_change { 4 } else { 2 };
        assert_eq!(account(&service, 3), ("Sunnyside Farm".to_owned(), Some(consultancy)), "{email}");
    }
    let mut admin = Browser::logged_in(&service, ADMIN).await;
    let nobody = "name=Sunnyside+Farm&consultancy_account_id=";
    assert_redirect(&admin.post(&service, "/accounts/3/edit", nobody).await, "/accounts/3?done=saved");
    assert_eq!(account(&service, 3).1, None);
    for (path, form, problem) in [
        ("/accounts/3/edit", "name=+", "Name is empty."),
        ("/accounts/3/edit", "name=x&consultancy_account_id=99", "Consultancy is not an account."),
        ("/users/1/edit", "username=+", "Name is empty."),
    ] {
        let answer = admin.post(&service, path, form).await;
        assert_page(&answer, 400);
        assert!(answer.body.contains(problem) && answer.body.contains("<form"), "{}", answer.body);
    }
    for form in ["", "name=x&email=y", "username=x&roles=admin", "username=x&active=perhaps"] {
        assert_page(&admin.post(&service, "/users/1/edit", form).await, 400);
    }
    assert_eq!(user(&service, 1).0, "Mia Member");
}

/// For every user and every role: a button is there exactly where it works.
#[actix_web::test]
async fn roles_are_given_and_taken_by_those_who_may() {
    let (service, _place) = service();
    let (mut shown, mut hidden) = (0, 0);
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        for id in 1..=6 {
            let before = roles_of(&service, id);
            for role in ["admin", "admin-reader", "account-admin", "consultant"] {
                let what = format!("{role} of user {id} by {email}");
                let page = browser.get(&service, &format!("/users/{id}")).await;
                let field = format!(r#"<input type="hidden" name="role" value="{role}">"#);
                let is_offered = page.status == 200 && page.body.contains(&field);
                let is_held = before.iter().any(|held| held == role);
                let actions = if is_held { ["revoke", "grant"] } else { ["grant", "revoke"] };
                for (action, becomes) in actions.into_iter().zip([!is_held, is_held]) {
                    let path = format!("/users/{id}/roles");
                    let answer = browser.post(&service, &path, &format!("role={role}&action={action}")).await;
                    if is_offered {
                        shown += 1;
                        assert_redirect(&answer, &format!("/users/{id}?done=saved"));
                        let has = roles_of(&service, id).iter().any(|held| held == role);
                        assert_eq!(has, becomes, "{what}");
                    } else {
                        hidden += 1;
                        assert_page(&answer, 403);
                    }
                }
                assert_eq!(roles_of(&service, id), before, "{what}");
            }
        }
    }
    // Three of each other user by the admin, the consultant of the account by its admin, the account-admin of two by
    // their consultant; each given and taken.
    assert_eq!((shown, hidden), ((5 * 3 + 1 + 2) * 2, (6 * 6 * 4 - 18) * 2), "what the demo is about");
    let mut admin = Browser::logged_in(&service, ADMIN).await;
    for wrong in ["", "role=consultant", "role=consultant&action=destroy", "role=x&action=grant&x=y"] {
        assert_page(&admin.post(&service, "/users/1/roles", wrong).await, 400);
    }
    // A role that does not exist is one that may not be changed.
    assert_page(&admin.post(&service, "/users/1/roles", "role=gardener&action=grant").await, 403);
    // Readers see the roles, and no buttons.
    let page = Browser::logged_in(&service, READER).await.get(&service, "/users/2").await;
    assert_page(&page, 200);
    assert!(page.body.contains("account-admin") && !page.body.contains("<form"), "{}", page.body);
    assert_page(&Browser::logged_in(&service, STRANGER).await.get(&service, "/users/2").await, 403);
}

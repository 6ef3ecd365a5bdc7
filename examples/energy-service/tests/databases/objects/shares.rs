//! The page of an asset's shares.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Service,
    database::Instant,
    models::AssetShare,
    schema::{asset_shares, users},
};

use super::super::pages::{assert_page, assert_redirect, service};
use super::{ACCOUNT_ADMIN, ADMIN, CONSULTANT, MEMBER, READER, STRANGER, links};
use crate::browser::Browser;

const SHARES: &str = "/assets/1/shares";
const WITH_SVEN: &str = "with=user&number=4&can_update=false&expires_at=";
const WITH_BAKERY: &str = "with=account&number=4&can_update=true&expires_at=2999-12-31";

fn shares(service: &Service) -> Vec<AssetShare> {
    let connection = &mut *service.database().connection().unwrap();
    asset_shares::table.order(asset_shares::id).load(connection).unwrap()
}

#[actix_web::test]
async fn an_owner_shares_an_asset_until_a_day_and_ends_that() {
    let (service, _place) = service();
    let mut owner = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    assert!(links(&owner.get(&service, "/assets/1").await).contains(SHARES));
    let page = owner.get(&service, SHARES).await;
    assert_page(&page, 200);
    assert!(page.body.contains("There are no shares that you may see."), "{}", page.body);
    assert!(page.body.contains(r#"name="expires_at" type="date""#), "{}", page.body);

    assert_redirect(&owner.post(&service, SHARES, WITH_SVEN).await, "/assets/1/shares?done=shared");
    assert_redirect(&owner.post(&service, SHARES, WITH_BAKERY).await, "/assets/1/shares?done=shared");
    let [with_user, with_account] = &shares(&service)[..] else { panic!("{:?}", shares(&service)) };
    assert_eq!((with_user.user_id, with_user.can_update, with_user.expires_at), (Some(4), false, None));
    assert_eq!((with_account.account_id, with_account.can_update), (Some(4), true));
    // The last day is a part of it.
    assert_eq!(with_account.expires_at.map(|Instant(end)| end.to_string()).unwrap(), "3000-01-01 00:00:00");
    let page = owner.get(&service, "/assets/1/shares?done=shared").await;
    assert_page(&page, 200);
    // Whose names the owner may not know.
    for text in ["Shared.", "User 4", "Account 4", "see and change it", "without an end", "1 Jan 3000, 00:00"]
    {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let mut stranger = Browser::logged_in(&service, STRANGER).await;
    let edit = "name=Roof&latitude=&longitude=";
    assert_redirect(&stranger.post(&service, "/assets/1/edit", edit).await, "/assets/1?done=saved");

    for share in [with_account, with_user] {
        let end = format!("/asset-shares/{}/delete", share.id);
        assert!(page.body.contains(&format!(r#"action="{end}""#)), "{}", page.body);
        assert_redirect(&owner.post(&service, &end, "").await, "/assets/1/shares?done=ended");
        assert_page(&owner.post(&service, &end, "").await, 404);
    }
    assert!(shares(&service).is_empty());
    assert_page(&stranger.get(&service, "/assets/1").await, 403);
}

#[actix_web::test]
async fn a_receiver_sees_the_own_share_and_gives_it_up() {
    let (service, _place) = service();
    let mut owner = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    owner.post(&service, SHARES, WITH_SVEN).await;
    owner.post(&service, SHARES, WITH_BAKERY).await;
    let [with_user, with_account] = shares(&service)[..] else { panic!("{:?}", shares(&service)) };
    let end_of = |share: &AssetShare| format!("/asset-shares/{}/delete", share.id);

    let mut stranger = Browser::logged_in(&service, STRANGER).await;
    let page = stranger.get(&service, SHARES).await;
    assert_page(&page, 200);
    for text in ["Sven Stranger (you)", "Harbour Bakery (your account)"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    // The share of the account is for its admin to end.
    assert!(page.body.contains(&end_of(&with_user)) && !page.body.contains(&end_of(&with_account)));
    assert!(!page.body.contains(r#"name="with""#), "{}", page.body);
    assert_page(&stranger.post(&service, &end_of(&with_account), "").await, 403);
    // By the share of the account, the asset is still seen.
    assert_redirect(&stranger.post(&service, &end_of(&with_user), "").await, "/assets/1/shares?done=ended");
    {
        let connection = &mut *service.database().connection().unwrap();
        let give =
            "INSERT INTO users_roles (user_id, role_id) SELECT 4, id FROM roles WHERE name = 'account-admin'";
        diesel::sql_query(give).execute(connection).unwrap();
    }
    assert_redirect(&stranger.post(&service, &end_of(&with_account), "").await, "/assets?done=ended");
    assert_page(&stranger.get(&service, SHARES).await, 403);
    assert_page(&stranger.get(&service, "/assets?done=ended").await, 200);
    // The owner reads in the log of the asset who ended it.
    assert!(shares(&service).is_empty());
}

#[actix_web::test]
async fn nobody_else_shares_or_ends_a_share() {
    let (service, _place) = service();
    let mut owner = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    owner.post(&service, SHARES, WITH_SVEN).await;
    let end = format!("/asset-shares/{}/delete", shares(&service)[0].id);
    for (email, sees_page) in [(MEMBER, true), (CONSULTANT, true), (READER, true), (STRANGER, true)] {
        let mut browser = Browser::logged_in(&service, email).await;
        let page = browser.get(&service, SHARES).await;
        assert_page(&page, if sees_page { 200 } else { 403 });
        assert!(!page.body.contains(r#"name="with""#), "{email}: {}", page.body);
        assert_eq!(page.body.contains(&end), email == STRANGER, "{email}: {}", page.body);
        assert_page(&browser.post(&service, SHARES, WITH_BAKERY).await, 403);
        assert_page(&browser.post(&service, SHARES, "wrong=1").await, 403);
        if email != STRANGER {
            assert_page(&browser.post(&service, &end, "").await, 403);
        }
    }
    for path in [SHARES, &end] {
        assert_page(&Browser::default().post(&service, path, WITH_BAKERY).await, 401);
    }
    assert_eq!(shares(&service).len(), 1);
    // Another site shares nothing, and ends nothing.
    let mut admin = Browser::logged_in(&service, ADMIN).await;
    for (path, form) in [(SHARES, WITH_BAKERY), (&end, "")] {
        let foreign = [("sec-fetch-site", "cross-site")];
        let answer = admin.send(&service, actix_web::http::Method::POST, path, &foreign, form).await;
        assert_page(&answer, 403);
    }
    assert_eq!(shares(&service).len(), 1);
    assert_redirect(&admin.post(&service, &end, "").await, "/assets/1/shares?done=ended");
}

#[actix_web::test]
async fn a_share_that_is_wrong_is_not_made() {
    let (service, _place) = service();
    let mut owner = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    for (form, problem) in [
        ("with=user&number=99&can_update=false&expires_at=", "Number is that of no user."),
        ("with=account&number=99&can_update=false&expires_at=", "Number is that of no account."),
        ("with=user&number=x&can_update=false&expires_at=", "Number is not a whole number."),
        ("with=user&number=4&can_update=false&expires_at=2001-01-01", "Last day is past."),
        ("with=user&number=4&can_update=false&expires_at=soon", "Last day is not a date."),
    ] {
        let answer = owner.post(&service, SHARES, form).await;
        assert_page(&answer, 400);
        assert!(answer.body.contains(problem), "{problem}: {}", answer.body);
    }
    for form in [
        "",
        "with=nobody&number=4&can_update=false&expires_at=",
        "with=user&number=4&can_update=x&expires_at=",
    ] {
        assert_page(&owner.post(&service, SHARES, form).await, 400);
    }
    assert!(shares(&service).is_empty());
    // What ended is still listed, and said to have ended.
    owner.post(&service, SHARES, WITH_SVEN).await;
    {
        let connection = &mut *service.database().connection().unwrap();
        let past = "UPDATE asset_shares SET expires_at = '2001-01-01 00:00:00'";
        diesel::sql_query(past).execute(connection).unwrap();
        let named = diesel::update(users::table.find(4)).set(users::username.eq("<b>Sven"));
        named.execute(connection).unwrap();
    }
    let page = Browser::logged_in(&service, ADMIN).await.get(&service, SHARES).await;
    assert_page(&page, 200);
    assert!(page.body.contains("&lt;b&gt;Sven") && page.body.contains("(has ended)"), "{}", page.body);
}

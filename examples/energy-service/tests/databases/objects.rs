//! The pages of assets, sensors and accounts: each user sees the content of the endpoints for programs, and the buttons
//! that work for them.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

mod accounts;
mod charts;
mod decisions;
mod forms;
mod people;
mod shares;

use std::collections::BTreeSet;

use actix_web::http::Method;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SelectableHelper};
use energy_service::{
    Service,
    models::{Asset, Sensor},
    schema::{assets, sensors, users},
};
use serde_json::Value;

use super::pages::{assert_page, assert_redirect, service, token};
use crate::browser::{Answer, Browser};

const MEMBER: &str = "mia@sunnyside.example";
const ACCOUNT_ADMIN: &str = "adam@sunnyside.example";
const CONSULTANT: &str = "cora@bright.example";
const STRANGER: &str = "sven@bakery.example";
const ADMIN: &str = "ada@platform.example";
const READER: &str = "rita@platform.example";
const USERS: [&str; 6] = [MEMBER, ACCOUNT_ADMIN, CONSULTANT, STRANGER, ADMIN, READER];

const ASSETS: [i32; 4] = [1, 2, 3, 4];
const SENSORS: [i32; 6] = [1, 2, 3, 4, 5, 6];

/// The target of a button, and the permission that it takes.
const BUTTONS_OF_ASSET: [(&str, &str); 3] =
    [("edit", "update"), ("delete", "delete"), ("sensors/new", "create-children")];
const BUTTONS_OF_SENSOR: [(&str, &str); 3] =
    [("edit", "update"), ("delete", "delete"), ("measurements/new", "create-children")];

/// Where the links of the page lead.
fn links(answer: &Answer) -> BTreeSet<String> {
    let rest = answer.body.split("href=\"").skip(1);
    rest.map(|rest| rest.split_once('"').unwrap().0.replace("&amp;", "&")).collect()
}

async fn json(browser: &mut Browser, service: &Service, path: &str) -> Value {
    serde_json::from_str(&browser.get(service, &format!("/api/v3_0{path}")).await.body).unwrap()
}

/// The answer of the endpoint for user interfaces.
async fn may(browser: &mut Browser, service: &Service, object: &str, permission: &str) -> bool {
    let path = format!("/api/v3_0{object}/permissions/{permission}");
    match browser.get(service, &path).await.status.as_u16() {
        204 => true,
        403 => false,
        status => panic!("{path}: {status}"),
    }
}

fn name_of(service: &Service, asset: i32) -> String {
    let connection = &mut *service.database().connection().unwrap();
    assets::table.find(asset).select(assets::name).first(connection).unwrap()
}

fn rename(service: &Service, asset: i32, name: &str) {
    let connection = &mut *service.database().connection().unwrap();
    diesel::update(assets::table.find(asset)).set(assets::name.eq(name)).execute(connection).unwrap();
}

/// One more of the same account, to be deleted.
fn copy_of_asset(service: &Service, asset: i32) -> i32 {
    let connection = &mut *service.database().connection().unwrap();
    let original = assets::table.find(asset).select(Asset::as_select()).first(connection).unwrap();
    let values = (assets::name.eq("copy"), assets::account_id.eq(original.account_id));
    diesel::insert_into(assets::table).values(values).execute(connection).unwrap();
    connection.last_id().unwrap()
}

fn copy_of_sensor(service: &Service, sensor: i32) -> i32 {
    let connection = &mut *service.database().connection().unwrap();
    let original = sensors::table.find(sensor).select(Sensor::as_select()).first(connection).unwrap();
    let values = (
        sensors::asset_id.eq(original.asset_id),
        sensors::name.eq("copy"),
        sensors::unit.eq(""),
        sensors::event_resolution_minutes.eq(15),
    );
    diesel::insert_into(sensors::table).values(values).execute(connection).unwrap();
    connection.last_id().unwrap()
}

/// A form that is right. Each measurement is of another time.
fn form(button: &str, count: usize) -> String {
    match button {
        "edit" => "name=renamed&latitude=52.37&longitude=4.9".to_owned(),
        "edit of a sensor" => "name=renamed&unit=W".to_owned(),
        "sensors/new" => "name=new&unit=&event_resolution_minutes=15".to_owned(),
        "measurements/new" => {
            format!("event_start=2001-01-01T{:02}:{:02}&event_value=1.5", count / 60, count % 60)
        }
        _ => String::new(),
    }
}

/// For every user, every asset and every sensor: a page shows a button exactly where pressing it works.
#[actix_web::test]
async fn a_button_is_there_exactly_for_whom_it_works() {
    let (service, _place) = service();
    let objects = ASSETS.map(|id| (format!("/assets/{id}"), BUTTONS_OF_ASSET)).into_iter();
    let objects: Vec<_> =
        objects.chain(SENSORS.map(|id| (format!("/sensors/{id}"), BUTTONS_OF_SENSOR))).collect();
    let (mut shown, mut hidden) = (0, 0);
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        for (object, buttons) in &objects {
            let page = browser.get(&service, object).await;
            let may_read = may(&mut browser, &service, object, "read").await;
            assert_page(&page, if may_read { 200 } else { 403 });
            for (button, permission) in buttons {
                let what = format!("{button} of {object} by {email}");
                let allowed = may(&mut browser, &service, object, permission).await;
                let there = links(&page).contains(&format!("{object}/{button}"));
                assert_eq!(there, allowed, "{what}");
                if allowed {
                    shown += 1;
                } else {
                    hidden += 1;
                }

                // A copy is deleted.
                let id: i32 = object.rsplit('/').next().unwrap().parse().unwrap();
                let target = match (*button, object.starts_with("/assets")) {
                    ("delete", true) => format!("/assets/{}", copy_of_asset(&service, id)),
                    ("delete", false) => format!("/sensors/{}", copy_of_sensor(&service, id)),
                    _ => object.clone(),
                };
                let path = format!("{target}/{button}");
                assert_page(&browser.get(&service, &path).await, if allowed { 200 } else { 403 });
                let kind = if *button == "edit" && object.starts_with("/sensors") {
                    "edit of a sensor"
                } else {
                    button
                };
                let answer = browser.post(&service, &path, &form(kind, shown)).await;
                if allowed {
                    assert_eq!(answer.status, 303, "{what}: {}", answer.body);
                    let done = browser.get(&service, answer.header("location").unwrap()).await;
                    assert_page(&done, 200);
                    assert!(done.body.contains(r#"role="status""#), "{what}: {}", done.body);
                } else {
                    assert_page(&answer, 403);
                    // Before the form is read.
                    assert_page(&browser.post(&service, &path, "wrong=1").await, 403);
                }
                if *button == "delete" {
                    let expected = if allowed { 404 } else { page.status.as_u16() };
                    assert_page(&browser.get(&service, &target).await, expected);
                }
            }
        }
    }
    assert_eq!((shown, hidden), (70, 110), "what the demo is about");
}

#[actix_web::test]
async fn the_lists_are_those_of_the_endpoints() {
    let (service, _place) = service();
    for email in USERS {
        let mut browser = Browser::logged_in(&service, email).await;
        for kind in ["assets", "accounts"] {
            let page = browser.get(&service, &format!("/{kind}")).await;
            assert_page(&page, 200);
            let list = json(&mut browser, &service, &format!("/{kind}")).await;
            let readable: BTreeSet<_> =
                list.as_array().unwrap().iter().map(|row| format!("/{kind}/{}", row["id"])).collect();
            let of_kind = format!("/{kind}/");
            let shown: BTreeSet<_> = links(&page)
                .into_iter()
                .filter(|link| link.strip_prefix(&of_kind).is_some_and(|id| id.parse::<i32>().is_ok()))
                .collect();
            assert_eq!(shown, readable, "{kind} of {email}");
        }
        // A user who may create an asset in some account gets the link.
        let offered = links(&browser.get(&service, "/assets").await).contains("/assets/new");
        let page = browser.get(&service, "/assets/new").await;
        assert_page(&page, if offered { 200 } else { 403 });
        assert_eq!(offered, [ACCOUNT_ADMIN, CONSULTANT, ADMIN].contains(&email), "{email}");
        for account in 1..=4 {
            let allowed =
                may(&mut browser, &service, &format!("/accounts/{account}"), "create-children").await;
            let choice = format!(r#"<option value="{account}""#);
            assert_eq!(page.body.contains(&choice), allowed, "{email} in {account}");
            let form = format!("account_id={account}&name=new&latitude=&longitude=");
            let status = browser.post(&service, "/assets/new", &form).await.status;
            assert_eq!(status.as_u16(), if allowed { 303 } else { 403 }, "{email} in {account}");
        }
        let form = "account_id=&name=public&latitude=&longitude=";
        let status = browser.post(&service, "/assets/new", form).await.status;
        assert_eq!(status.as_u16(), if email == ADMIN { 303 } else { 403 }, "{email}");
    }
}

#[actix_web::test]
async fn a_list_has_pages_and_a_filter() {
    let (service, _place) = service();
    let rows: Vec<_> = (0..45)
        .map(|index| (assets::name.eq(format!("{index:02} & more")), assets::account_id.eq(3)))
        .collect();
    {
        let connection = &mut *service.database().connection().unwrap();
        for row in rows {
            diesel::insert_into(assets::table).values(row).execute(connection).unwrap();
        }
    }
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let first = browser.get(&service, "/assets?filter=%26+MORE").await;
    assert_page(&first, 200);
    assert!(first.body.contains("45 of 48.") && first.body.contains("Page 1 of 3"), "{}", first.body);
    let next = "/assets?page=2&filter=%26%20MORE";
    assert!(links(&first).contains(next), "{}", first.body);
    let second = browser.get(&service, next).await;
    assert!(
        second.body.contains("20 &amp; more") && !second.body.contains("19 &amp; more"),
        "{}",
        second.body
    );
    let nothing = browser.get(&service, "/assets?filter=no+such+name").await;
    assert_page(&nothing, 200);
    assert!(nothing.body.contains("Nothing of what you may see has such a name."), "{}", nothing.body);
    for wrong in ["page=0", "page=x", "no-such-parameter=1", "done=hacked", "filter=%00"] {
        assert_page(&browser.get(&service, &format!("/assets?{wrong}")).await, 400);
    }
}

#[actix_web::test]
async fn what_people_enter_is_text() {
    let (service, _place) = service();
    let name = r#"<script>alert("1")</script>'&"#;
    rename(&service, 1, name);
    {
        let connection = &mut *service.database().connection().unwrap();
        let sensor = sensors::table.find(1);
        let set = (sensors::name.eq(name), sensors::unit.eq("<b>\"'&"));
        diesel::update(sensor).set(set).execute(connection).unwrap();
        diesel::update(users::table.find(1)).set(users::username.eq(name)).execute(connection).unwrap();
    }
    let mut browser = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    let filter = "/assets?filter=%3Cscript%3E";
    for path in [
        "/assets",
        filter,
        "/assets/1",
        "/assets/1/edit",
        "/assets/1/delete",
        "/assets/1/sensors/new",
        "/assets/1/decisions",
        "/sensors/1",
        "/sensors/1?from=%3Cscript%3E",
        "/sensors/1/edit",
        "/sensors/1/delete",
        "/sensors/1/measurements/new",
        "/sensors/1/decisions",
        "/accounts/3",
        "/users/1",
        "/users/1/edit",
        "/users/1/audit-log",
        "/assets/1/shares",
    ] {
        let page = browser.get(&service, path).await;
        assert_page(&page, if path.contains("from") { 400 } else { 200 });
        assert!(page.body.contains("&lt;script&gt;") && !page.body.contains("<b>"), "{path}: {}", page.body);
    }
    let answer =
        browser.post(&service, "/assets/1/edit", "name=%3Cb%3E&latitude=%3Cscript%3E&longitude=").await;
    assert_page(&answer, 400);
    assert!(answer.body.contains(r#"value="&lt;script&gt;""#), "{}", answer.body);
}

#[actix_web::test]
async fn a_denial_says_nothing_of_what_is_there() {
    let (service, _place) = service();
    let mut stranger = Browser::logged_in(&service, STRANGER).await;
    for (one, other) in [
        ("/assets/1", "/assets/2"),
        ("/assets/1/edit", "/assets/2/edit"),
        ("/assets/1/decisions", "/assets/2/decisions"),
        ("/assets/1?no-such-parameter", "/assets/2?from=x"),
        ("/sensors/1", "/sensors/2"),
        ("/sensors/1/measurements/new", "/sensors/2/measurements/new"),
        ("/accounts/3", "/accounts/2"),
        ("/accounts/3/audit-log", "/accounts/4/audit-log"),
        ("/users/1", "/users/2"),
        ("/users/1/edit", "/users/2/edit"),
        ("/users/1/audit-log", "/users/2/audit-log"),
        ("/assets/1/shares", "/assets/2/shares"),
    ] {
        let (one, other) = (stranger.get(&service, one).await, stranger.get(&service, other).await);
        assert_page(&one, 403);
        assert_eq!(one.body, other.body);
        let everywhere = ["#content", "/", "/accounts", "/assets", "/icon.svg", "/log-out", "/style.css"];
        assert_eq!(links(&one), everywhere.map(str::to_owned).into());
    }
    for path in
        ["/assets/99", "/assets/x", "/sensors/99", "/sensors/99/edit", "/accounts/99", "/users/99/audit-log"]
    {
        assert_page(&stranger.get(&service, path).await, 404);
    }
    let mut anonymous = Browser::default();
    for path in
        ["/assets", "/assets/1", "/assets/99", "/assets/new", "/sensors/1", "/accounts", "/accounts/3"]
    {
        let page = anonymous.get(&service, path).await;
        assert_page(&page, 401);
        assert!(page.body.contains("/log-in?next=%2F"), "{path}: {}", page.body);
    }
    // The whole of which a public asset is a part, and its account.
    {
        let connection = &mut *service.database().connection().unwrap();
        let public = assets::table.find(4);
        diesel::update(public).set(assets::parent_asset_id.eq(1)).execute(connection).unwrap();
    }
    let page = stranger.get(&service, "/assets/4").await;
    assert_page(&page, 200);
    assert!(!page.body.contains("Part of") && !page.body.contains("/assets/1\""), "{}", page.body);
    let mut member = Browser::logged_in(&service, MEMBER).await;
    assert!(links(&member.get(&service, "/assets/4").await).contains("/assets/1"));
    assert!(links(&member.get(&service, "/assets/1").await).contains("/assets/4"));
}

#[actix_web::test]
async fn a_token_lets_in_as_well() {
    let (service, _place) = service();
    let token = token(&service, MEMBER).await;
    let bearer = [("authorization", token.as_str())];
    let mut program = Browser::default();
    for (path, status) in [("/assets", 200), ("/assets/1", 200), ("/sensors/1", 200), ("/assets/3", 403)] {
        let page = program.send(&service, Method::GET, path, &bearer, "").await;
        assert_page(&page, status);
        assert!(!links(&page).contains("/log-out"), "{}", page.body);
    }
    let edited = program.send(&service, Method::POST, "/assets/1/edit", &bearer, &form("edit", 0)).await;
    assert_redirect(&edited, "/assets/1?done=saved");
}

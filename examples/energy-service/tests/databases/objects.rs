//! The pages of assets, sensors and accounts: each user sees the content of the endpoints for programs, and the buttons
//! that work for them.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::collections::BTreeSet;

use actix_web::http::Method;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    Service,
    models::{Asset, Sensor},
    schema::{assets, measurements, sensors, users},
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
const MISSING: i32 = 99;

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
    let original: Asset = assets::table.find(asset).first(connection).unwrap();
    let values = (assets::name.eq("copy"), assets::account_id.eq(original.account_id));
    diesel::insert_into(assets::table).values(values).execute(connection).unwrap();
    connection.last_id().unwrap()
}

fn copy_of_sensor(service: &Service, sensor: i32) -> i32 {
    let connection = &mut *service.database().connection().unwrap();
    let original: Sensor = sensors::table.find(sensor).first(connection).unwrap();
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
                list["data"].as_array().unwrap().iter().map(|row| format!("/{kind}/{}", row["id"])).collect();
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
        "/users/1/audit-log",
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
async fn another_site_changes_nothing() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, ADMIN).await;
    let forms = [
        ("/assets/new", "account_id=3&name=new&latitude=&longitude=".to_owned()),
        ("/assets/1/edit", form("edit", 0)),
        ("/assets/1/delete", String::new()),
        ("/assets/1/sensors/new", form("sensors/new", 0)),
        ("/sensors/1/edit", form("edit of a sensor", 0)),
        ("/sensors/1/delete", String::new()),
        ("/sensors/1/measurements/new", form("measurements/new", 0)),
    ];
    let count = |service: &Service| -> (i64, i64, i64) {
        let connection = &mut *service.database().connection().unwrap();
        let counts = (
            assets::table.count().get_result(connection),
            sensors::table.count().get_result(connection),
            measurements::table.count().get_result(connection),
        );
        (counts.0.unwrap(), counts.1.unwrap(), counts.2.unwrap())
    };
    let before = count(&service);
    for (path, form) in &forms {
        for header in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let answer = browser.send(&service, Method::POST, path, &[header], form).await;
            assert_page(&answer, 403);
        }
        // Nor does a link to an action of forms alone.
        let answer =
            browser.send(&service, Method::PUT, path, &[("sec-fetch-site", "same-origin")], form).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    assert_eq!(count(&service), before);
    assert_eq!(name_of(&service, 1), "Solar roof");
    assert_redirect(&browser.post(&service, forms[1].0, &forms[1].1).await, "/assets/1?done=saved");
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
        ("/users/1/audit-log", "/users/2/audit-log"),
    ] {
        let (one, other) = (stranger.get(&service, one).await, stranger.get(&service, other).await);
        assert_page(&one, 403);
        assert_eq!(one.body, other.body);
        assert_eq!(
            links(&one),
            BTreeSet::from(["/".to_owned(), "/style.css".to_owned(), "#content".to_owned()])
        );
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
async fn a_form_that_is_wrong_is_shown_again_and_changes_nothing() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, ACCOUNT_ADMIN).await;
    let long = "x".repeat(81);
    for (path, form, field, problem) in [
        (
            "/assets/1/edit",
            format!("name={long}&latitude=&longitude="),
            "name",
            "Name is longer than 80 characters.",
        ),
        ("/assets/1/edit", "name=+&latitude=&longitude=".to_owned(), "name", "Name is empty."),
        (
            "/assets/1/edit",
            "name=x&latitude=90.5&longitude=".to_owned(),
            "latitude",
            "Latitude is not between -90 and 90.",
        ),
        (
            "/assets/1/edit",
            "name=x&latitude=&longitude=east".to_owned(),
            "longitude",
            "Longitude is not a number.",
        ),
        (
            "/assets/new",
            format!("account_id=3&name={long}&latitude=&longitude="),
            "name",
            "Name is longer than 80 characters.",
        ),
        (
            "/assets/1/sensors/new",
            "name=x&unit=&event_resolution_minutes=0".to_owned(),
            "event_resolution_minutes",
            "Resolution in minutes is not between 1 and 527040.",
        ),
        ("/sensors/1/edit", format!("name=x&unit={long}"), "unit", "Unit is longer than 20 characters."),
        (
            "/sensors/1/measurements/new",
            "event_start=yesterday&event_value=1".to_owned(),
            "event_start",
            "Time is not a date with a time.",
        ),
        (
            "/sensors/1/measurements/new",
            "event_start=2026-01-01T00:00&event_value=inf".to_owned(),
            "event_value",
            "Value in kW is not a number.",
        ),
    ] {
        let answer = browser.post(&service, path, &form).await;
        assert_page(&answer, 400);
        let told = format!(r#"<p class="error" id="{field}-error">{problem}</p>"#);
        assert!(answer.body.contains(&told), "{told}: {}", answer.body);
        assert_eq!(answer.body.matches(r#"aria-invalid="true""#).count(), 1, "{}", answer.body);
        assert!(answer.body.contains(r#"role="alert""#), "{}", answer.body);
    }
    assert_eq!(name_of(&service, 1), "Solar roof");
    // An error that belongs to no field.
    let measurement = "event_start=2026-01-01T00:00&event_value=1";
    let path = "/sensors/1/measurements/new";
    assert_redirect(
        &browser.post(&service, path, measurement).await,
        "/sensors/1?until=2026-01-01&done=recorded",
    );
    let twice = browser.post(&service, path, measurement).await;
    assert_page(&twice, 409);
    assert!(
        twice.body.contains("There is a measurement of one of these instants already."),
        "{}",
        twice.body
    );
    for form in ["", "name=x", "name=x&latitude=&longitude=&account_id=4", "name=x&latitude=&longitude=&x=y"]
    {
        assert_page(&browser.post(&service, "/assets/1/edit", form).await, 400);
    }
    assert_eq!(name_of(&service, 1), "Solar roof");
}

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
                let entry = "changed the user 1: username";
                assert!(page.body.contains(entry) && page.body.contains("Ada Admin"), "{}", page.body);
            }
        }
    }
    let mut member = Browser::logged_in(&service, MEMBER).await;
    let page = member.get(&service, "/accounts/3").await;
    for text in ["Mia &lt;i&gt; (you)", "Adam Account-Admin", ACCOUNT_ADMIN, "Prosumer"] {
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
    assert_eq!(first.body.matches("<td>changed").count(), 50, "{}", first.body);
    let older = links(&first).into_iter().find(|link| link.contains("before=")).unwrap();
    let second = member.get(&service, &older).await;
    assert_eq!(second.body.matches("<td>changed").count(), 1, "{}", second.body);
    assert!(!links(&second).iter().any(|link| link.contains("before=")), "{}", second.body);
}

#[actix_web::test]
async fn a_sensor_is_drawn_with_the_same_figures_as_a_table() {
    let (service, _place) = service();
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    // A week of four an hour.
    let page = browser.get(&service, "/sensors/1").await;
    assert_page(&page, 200);
    assert!(
        page.body.contains(r#"role="img" aria-labelledby="chart-title chart-description""#),
        "{}",
        page.body
    );
    assert!(page.body.contains("672 measurements"), "{}", page.body);
    assert_eq!(page.body.matches(r#"<th scope="row">"#).count(), 7 * 24 * 4, "{}", page.body);
    let form = page.body.split(r#"name="until""#).nth(1).unwrap();
    let last = form.split(r#"value=""#).nth(1).unwrap().split_once('"').unwrap().0;
    let page = browser.get(&service, &format!("/sensors/1?from={last}&until={last}")).await;
    assert_eq!(page.body.matches(r#"<th scope="row">"#).count(), 24 * 4, "{}", page.body);
    assert_eq!(page.body.matches("<path").count(), 1, "{}", page.body);
    let page = browser.get(&service, "/sensors/1?from=2001-01-01&until=2001-01-02").await;
    assert!(page.body.contains("There are no measurements of these days.") && !page.body.contains("<svg"));
    for (wrong, field) in
        [("from=x", "from"), ("from=2026-01-02&until=2026-01-01", "until"), ("until=9999-12-31", "until")]
    {
        let page = browser.get(&service, &format!("/sensors/1?{wrong}")).await;
        assert_page(&page, 400);
        assert!(page.body.contains(&format!(r#"id="{field}-error""#)), "{wrong}: {}", page.body);
    }
}

#[actix_web::test]
async fn a_measurement_far_from_all_others_does_not_hide_them_and_the_largest_is_drawn() {
    let (service, _place) = service();
    let admin = token(&service, ADMIN).await;
    let headers = [("content-type", "application/json"), ("authorization", admin.as_str())];
    let mut browser = Browser::logged_in(&service, MEMBER).await;
    let record = async |body: &str| {
        let path = "/api/v3_0/sensors/1/measurements";
        let answer = Browser::default().send(&service, Method::POST, path, &headers, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    };
    record(r#"[{"event_start":"2131-05-06T07:00:00Z","event_value":1e307}]"#).await;
    let page = browser.get(&service, "/sensors/1").await;
    assert!(page.body.contains("672 measurements") && page.body.contains("<path"), "{}", page.body);
    assert!(
        page.body
            .contains(r#"There are measurements after these days, <a href="/sensors/1?until=2131-05-06">"#)
    );

    let page = browser.get(&service, "/sensors/1?until=2131-05-06").await;
    assert_page(&page, 200);
    assert!(page.body.contains("<circle") && page.body.contains("1e307"), "{}", page.body);
    for wrong in ["inf", "NaN"] {
        assert!(!page.body.contains(wrong), "{wrong}: {}", page.body);
    }
    assert!(!page.body.contains("There are measurements after these days"));
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

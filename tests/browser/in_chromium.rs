//! The pages as people use them.

use std::time::Duration;

use actix_web::rt::time::sleep;
use serde_json::{Value, json};
use thirtyfour::{By, Key};

use crate::browser::chromium::Window;

const PASSWORD: &str = energy_service::demo::PASSWORD;

async fn log_in(window: &Window, email: &str) {
    window.go("/log-in").await;
    window.tab_to("Email address").await;
    window.press(email).await;
    window.tab_to("Password").await;
    window.press(PASSWORD).await;
    window.enter().await;
    assert_eq!(window.path().await, "/");
}

/// Follows the link, or presses the button, that is called so.
async fn follow(window: &Window, name: &str) {
    window.tab_to(name).await;
    window.enter().await;
}

#[actix_web::test]
async fn the_keyboard_is_enough() {
    let Some(window) = Window::open().await else { return };
    log_in(&window, "adam@sunnyside.example").await;

    // The first element that gets the focus leads past the navigation.
    window.tab_to("Skip to the content").await;
    window.press(Key::Enter).await;
    assert_eq!(window.path().await, "/#content");
    follow(&window, "Your assets and public ones").await;
    assert_eq!(window.path().await, "/assets");

    // An asset is filtered, seen, renamed.
    window.tab_to("Name contains").await;
    window.press("solar").await;
    window.enter().await;
    assert_eq!(window.path().await, "/assets?filter=solar");
    follow(&window, "Solar roof").await;
    follow(&window, "Edit").await;
    window.tab_to("Name").await;
    window.press("South roof").await;
    follow(&window, "Save").await;
    assert_eq!(window.path().await, "/assets/1?done=saved");
    let page = window.driver.find(By::Tag("main")).await.unwrap().text().await.unwrap();
    assert!(page.contains("South roof") && page.contains("Saved."), "{page}");

    // A sensor is added, and measures something.
    follow(&window, "Add a sensor").await;
    window.tab_to("What it measures").await;
    window.press("voltage").await;
    window.tab_to("Unit").await;
    window.press("V").await;
    window.enter().await;
    follow(&window, "Record a measurement").await;
    window.tab_to("Value in V").await;
    window.press("230.5").await;
    window.enter().await;
    assert!(window.path().await.ends_with("&done=recorded"), "{}", window.path().await);
    window.tab_to("The figures as a table").await;
    window.press(Key::Enter).await;
    let page = window.driver.find(By::Tag("main")).await.unwrap().text().await.unwrap();
    assert!(page.contains("230.5"), "{page}");

    // It is deleted, after a question.
    follow(&window, "Delete").await;
    assert!(window.path().await.ends_with("/delete"));
    follow(&window, "Delete it").await;
    assert_eq!(window.path().await, "/assets/1?done=deleted");

    // Forbidden actions have no button; a page explains them.
    follow(&window, "Assets").await;
    follow(&window, "Weather station").await;
    assert!(window.driver.find(By::LinkText("Edit")).await.is_err());
    follow(&window, "Who may do what, and why").await;
    let page = window.driver.find(By::Tag("main")).await.unwrap().text().await.unwrap();
    assert!(page.contains("Change the asset: no"), "{page}");

    follow(&window, "Log out").await;
    // Past the link of the same name.
    window.tab_to("Skip to the content").await;
    window.press(Key::Enter).await;
    follow(&window, "Log out").await;
    window.go("/assets").await;
    assert_eq!(window.driver.title().await.unwrap(), "Not logged in – Energy service");
}

/// The text of the element, once it contains this.
async fn until_it_says(window: &Window, selector: &str, text: &str) {
    let script = format!("return document.querySelector('{selector}')?.textContent ?? ''");
    let mut said = Value::Null;
    for _ in 0..300 {
        said = window.ask(&script).await;
        if said.as_str().is_some_and(|said| said.contains(text)) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{selector} does not say {text:?}, but {said}");
}

/// As a program does: a sensor records something.
fn record(window: &Window, sensor: u32, events: &Value) {
    let send = |path: &str, token: Option<&str>, body: &Value| -> Value {
        let mut request = ureq::post(format!("{}/api/{path}", window.base)).content_type("application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = request.send(body.to_string()).unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&answer).unwrap_or_default()
    };
    let credentials = json!({ "email": "adam@sunnyside.example", "password": PASSWORD });
    let token = send("requestAuthToken", None, &credentials)["auth_token"].as_str().unwrap().to_owned();
    send(&format!("v3_0/sensors/{sensor}/measurements"), Some(&token), events);
}

#[actix_web::test]
async fn a_chart_shows_what_is_measured_at_the_moment() {
    let Some(window) = Window::open().await else { return };
    log_in(&window, "mia@sunnyside.example").await;
    window.go("/sensors/1?from=2026-01-01&until=2026-01-02").await;
    until_it_says(&window, "#live-status", "Live").await;
    until_it_says(&window, "#measured", "There are no measurements of these days.").await;

    // Where there was nothing, a chart appears.
    record(&window, 1, &json!([{ "event_start": "2026-01-01T10:00:00Z", "event_value": 1.25 }]));
    until_it_says(&window, "#measured figcaption", "One measurement.").await;
    window.tab_to("The figures as a table").await;
    window.press(Key::Enter).await;

    // What is unfolded stays so, and what has the focus keeps it.
    record(&window, 1, &json!([{ "event_start": "2026-01-01T10:15:00Z", "event_value": 77.5 }]));
    until_it_says(&window, "#measured figcaption", "2 measurements.").await;
    until_it_says(&window, "details[open] table", "77.5").await;
    assert_eq!(window.ask("return document.activeElement.tagName").await, "SUMMARY");
    assert_eq!(faults(&window).await, Vec::<Value>::new());

    // The last one of all is shown, too.
    record(&window, 1, &json!([{ "event_start": "2040-02-03T04:05:00Z", "event_value": 1 }]));
    until_it_says(&window, "#last", "3 Feb 2040, 04:05 UTC").await;
    until_it_says(&window, "#later", "3 Feb 2040, 04:05 UTC").await;
    let log = window.driver.browser_log().await.unwrap();
    assert!(log.is_empty(), "the browser complains: {log:?}");
}

#[actix_web::test]
async fn a_form_says_what_is_wrong_next_to_the_field() {
    let Some(window) = Window::open().await else { return };
    log_in(&window, "mia@sunnyside.example").await;
    window.go("/assets/1/edit").await;
    window.tab_to("Latitude").await;
    window.press("95").await;
    window.enter().await;
    let found = window
        .ask(
            "const field = document.activeElement;
             return {
                 field: field.id,
                 invalid: field.getAttribute('aria-invalid'),
                 value: field.value,
                 described: field.getAttribute('aria-describedby').split(' ')
                     .map(id => document.getElementById(id).textContent).join(' '),
                 alert: document.querySelector('[role=alert]').textContent,
             };",
        )
        .await;
    let expected = json!({
        "field": "latitude",
        "invalid": "true",
        "value": "95",
        "described": "Latitude is not between -90 and 90. In degrees, north is positive. May be left empty.",
        "alert": "Something in the form is wrong.",
    });
    assert_eq!(found, expected);
    assert_eq!(faults(&window).await, Vec::<Value>::new());
    window.take_picture("form-with-an-error").await;
}

/// The pages of each user, and the name of each picture.
const PAGES: [(&str, &[(&str, &str)]); 3] = [
    (
        "adam@sunnyside.example",
        &[
            ("/", "overview"),
            ("/assets", "assets"),
            ("/assets?filter=nothing%20like%20this", "no-assets"),
            ("/assets/2", "asset"),
            ("/assets/1/edit", "edit-asset"),
            ("/assets/1/delete", "delete-asset"),
            ("/assets/new", "new-asset"),
            ("/assets/1/decisions", "decisions"),
            ("/sensors/1", "sensor"),
            ("/sensors/3/decisions?user=1", "decisions-of-a-colleague"),
            ("/sensors/1/measurements/new", "new-measurement"),
            ("/accounts/3", "account"),
            ("/log-out", "log-out"),
        ],
    ),
    (
        "ada@platform.example",
        &[
            ("/accounts", "accounts"),
            ("/sensors/6?from=2026-01-01&until=2026-01-02", "sensor-without-measurements"),
        ],
    ),
    (
        "rita@platform.example",
        &[
            ("/sensors/6", "public-sensor"),
            ("/assets/3", "asset-of-others"),
            ("/guards", "guards"),
            ("/access-matrix", "access-matrix"),
        ],
    ),
];

#[actix_web::test]
async fn every_page_is_sound_at_every_width_light_and_dark() {
    let Some(window) = Window::open().await else { return };
    window.go("/log-in").await;
    look_around(&window, "log-in").await;
    for (email, pages) in PAGES {
        log_in(&window, email).await;
        for (path, name) in pages {
            window.go(path).await;
            look_around(&window, name).await;
        }
        let log = window.driver.browser_log().await.unwrap();
        assert!(log.is_empty(), "the browser complains: {log:?}");
        window.driver.delete_all_cookies().await.unwrap();
    }
}

async fn look_around(window: &Window, name: &str) {
    for scheme in ["light", "dark"] {
        for width in [320, 400, 1200] {
            window.look(width, scheme).await;
            assert_eq!(faults(window).await, Vec::<Value>::new(), "{name}, {width} px wide, {scheme}");
            if width > 320 {
                window.take_picture(&format!("{name}-{width}-{scheme}")).await;
            }
        }
    }
}

async fn faults(window: &Window) -> Vec<Value> {
    window.ask(include_str!("faults.js")).await.as_array().unwrap().clone()
}

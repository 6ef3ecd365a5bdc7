//! The pages as people use them.

mod pages;

use std::time::Duration;

use actix_web::rt::time::sleep;
use serde_json::{Value, json};
use thirtyfour::{By, Key};

use self::pages::{faults, log_in};
use crate::browser::{chromium::Window, program::Program};

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
    let path = format!("/sensors/{sensor}/measurements");
    Program::logged_in(window, "adam@sunnyside.example").send("POST", &path, events);
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
async fn heads_of_long_pages_stay() {
    let Some(window) = Window::open().await else { return };
    log_in(&window, "rita@platform.example").await;
    for width in [320, 1280] {
        window.look(width, "light").await;
        // A table in its frame, down and to the right.
        window.go("/access-matrix").await;
        let stays = window
            .ask(
                "const frames = [...document.querySelectorAll('.scrolling')];
                 const frame = frames.reduce((one, other) => one.scrollHeight > other.scrollHeight ? one : other);
                 frame.scrollTo(200, 700);
                 const box = element => element.getBoundingClientRect();
                 const outer = box(frame), [head, row] = ['thead th', 'tbody th'].map(one => box(frame.querySelector(one)));
                 return [frame.scrollTop, head.top - outer.top, head.left - outer.left, row.left - outer.left];",
            )
            .await;
        assert_eq!(stays, json!([700, 0, 0, 0]), "{width}");
        window.go("/guards").await;
        let top = window
            .ask(
                "const sections = [...document.querySelectorAll('section')];
                 const section = sections.reduce((one, other) => one.offsetHeight > other.offsetHeight ? one : other);
                 scrollTo(0, section.offsetTop + section.offsetHeight / 2);
                 return Math.round(section.querySelector('h2').getBoundingClientRect().top);",
            )
            .await;
        assert_eq!(top, json!(0), "{width}");
    }
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
    pages::look_around(&window, "form-with-an-error").await;
}

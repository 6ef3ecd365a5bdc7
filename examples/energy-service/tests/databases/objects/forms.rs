//! Forms that change nothing: those that another site sends, and those that are wrong.

use actix_web::http::Method;
use diesel::{QueryDsl, RunQueryDsl};
use energy_service::{
    Service,
    schema::{assets, measurements, sensors},
};

use super::super::pages::{assert_page, assert_redirect, service};
use super::{ACCOUNT_ADMIN, ADMIN, form, name_of};
use crate::browser::Browser;

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
        ("/accounts/3/edit", "name=new".to_owned()),
        ("/users/1/edit", "username=new&active=false".to_owned()),
        ("/users/1/roles", "role=consultant&action=grant".to_owned()),
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

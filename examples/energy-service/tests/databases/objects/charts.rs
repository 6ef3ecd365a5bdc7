//! The measurements of a sensor, drawn and as a table.

use actix_web::http::Method;

use super::super::pages::{assert_page, service, token};
use super::{ADMIN, MEMBER};
use crate::browser::Browser;

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

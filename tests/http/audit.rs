//! Denials of users in the audit log of the energy service.

use std::{
    thread,
    time::{Duration, Instant},
};

use actix_web::{
    App,
    dev::Service as _,
    test::{TestRequest, init_service},
};
use diesel::{connection::SimpleConnection, prelude::*};
use energy_service::schema::audit_log;
use serde_json::{Value, json};

use super::{SERVER, demo::Energy};
use crate::client::bearer;

impl Energy {
    /// The log, once everything is in it, as `ada` sees it; the earliest first.
    fn denials(&self, pattern: &str) -> Vec<Value> {
        self.real.flush().unwrap();
        let mut log: Vec<Value> =
            serde_json::from_value(self.send("ada", "GET", pattern, None).json()).unwrap();
        log.reverse();
        log
    }

    fn events_of(&self, user: &str) -> Vec<String> {
        let log = self.denials(&format!("/users/{{user {user}}}/audit-log"));
        log.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    }

    fn execute(&self, statement: &str) {
        self.real.database().connection().unwrap().batch_execute(statement).unwrap();
    }
}

#[test]
fn the_log_says_what_was_tried_and_why_not() {
    let energy = Energy::start();
    for (method, pattern, status) in [
        ("PATCH", "/assets/{asset Oven}", 403),
        ("GET", "/assets/99999", 404),
        ("GET", "/roles", 403),
        ("DELETE", "/users/{user mia}", 403),
        ("POST", "/accounts", 403),
        ("GET", "/sensors/a%0Ab%00%E2%80%AE", 404),
    ] {
        assert_eq!(energy.send("mia", method, pattern, None).status, status, "{method} {pattern}");
    }
    let (oven, mia) = (energy.id_of("asset Oven"), energy.id_of("user mia"));
    let expected = [
        format!("was denied update on Asset {oven} (no-match): PATCH /api/v3_0/assets/{{asset_id}}"),
        "was denied read on Asset 99999 (not-found): GET /api/v3_0/assets/{asset_id}".to_owned(),
        "was denied by roles_accepted (no-match): GET /api/v3_0/roles".to_owned(),
        format!("was denied delete on User {mia} (no-match): DELETE /api/v3_0/users/{{user_id}}"),
        "was denied create-children on Platform (no-match): POST /api/v3_0/accounts".to_owned(),
        r#"was denied read on Sensor no id "a\nb\0\u{202e}" (not-found): GET /api/v3_0/sensors/{sensor_id}"#
            .to_owned(),
    ];
    assert_eq!(energy.events_of("mia"), expected);

    let log = energy.denials("/users/{user mia}/audit-log");
    let account = energy.id_of("account Sunnyside Farm");
    for entry in &log {
        assert_eq!([&entry["active_user_id"], &entry["affected_user_id"]], [mia, mia]);
        assert_eq!(entry["active_user_name"], "Mia Member");
        assert_eq!(entry["affected_account_id"], account);
    }
    assert_eq!(energy.denials("/accounts/{account Sunnyside Farm}/audit-log"), log, "who runs the account");
    assert_eq!(energy.denials("/accounts/{account Harbour Bakery}/audit-log"), [Value::Null; 0]);
}

#[test]
fn a_rule_that_a_handler_applies_itself_is_stored_without_its_name() {
    let energy = Energy::start();
    assert_eq!(energy.http.send("GET", "/assets/new", Some(&bearer("mia")), None).status, 403);
    let granted = json!({"grant": ["admin-reader", "account-admin"]});
    for _ in 0..2 {
        assert_eq!(energy.send("adam", "PATCH", "/users/{user mia}/roles", Some(&granted)).status, 403);
    }
    let mia = energy.id_of("user mia");
    let roles = "PATCH /api/v3_0/users/{user_id}/roles, 2 times";
    assert_eq!(energy.events_of("adam"), [format!("was denied update on User {mia} (no-match): {roles}")]);
    assert_eq!(
        energy.events_of("mia"),
        ["was denied by a place for a new asset (no-match): GET /assets/new"],
        "where it names no object"
    );
}

#[test]
fn who_reads_what_a_user_was_denied() {
    let energy = Energy::start();
    energy.send("mia", "GET", "/assets/{asset Oven}", None);
    energy.real.flush().unwrap();
    for (log, readers) in [
        ("/users/{user mia}/audit-log", [401, 200, 200, 200, 403, 200, 200]),
        ("/accounts/{account Sunnyside Farm}/audit-log", [401, 403, 200, 200, 403, 200, 200]),
        ("/audit-log/1", [401, 403, 403, 403, 403, 200, 200]),
    ] {
        energy.assert_statuses("GET", log, None, readers);
    }
    for reader in ["mia", "adam", "cora", "ada", "rita"] {
        let log = energy.send(reader, "GET", "/users/{user mia}/audit-log", None).json();
        let oven = energy.id_of("asset Oven");
        let event = format!("was denied read on Asset {oven} (no-match): GET /api/v3_0/assets/{{asset_id}}");
        assert_eq!(log[0]["event"], event, "{reader}");
    }
}

#[test]
fn what_was_allowed_and_what_nobody_was_denied_is_not_stored() {
    let energy = Energy::start();
    assert_eq!(energy.send("mia", "GET", "/assets/{asset Solar roof}", None).status, 200);
    assert_eq!(energy.send("mia", "GET", "/users/me", None).status, 200);
    assert_eq!(energy.send("", "GET", "/assets/{asset Solar roof}", None).status, 401);
    assert_eq!(energy.send("no such token", "GET", "/assets/{asset Solar roof}", None).status, 401);
    energy.real.flush().unwrap();
    let entries: i64 =
        audit_log::table.count().get_result(&mut energy.real.database().connection().unwrap()).unwrap();
    assert_eq!(entries, 0);
}

#[test]
fn equal_denials_are_one_entry() {
    let energy = Energy::start();
    for _ in 0..5 {
        energy.send("mia", "GET", "/roles", None);
        energy.send("sven", "GET", "/roles", None);
    }
    let event = "was denied by roles_accepted (no-match): GET /api/v3_0/roles";
    assert_eq!(energy.events_of("mia"), [format!("{event}, 5 times")]);
    assert_eq!(energy.events_of("sven"), [format!("{event}, 5 times")]);
    energy.send("mia", "GET", "/roles", None);
    assert_eq!(energy.events_of("mia"), [format!("{event}, 5 times"), event.to_owned()]);
}

#[test]
fn a_user_who_tries_everything_makes_few_entries_and_hides_nothing() {
    let energy = Energy::start();
    let probe = |ids: std::ops::Range<u32>| {
        for id in ids {
            energy.send("mia", "GET", &format!("/assets/{id}"), None);
        }
    };
    probe(1000..1100);
    energy.send("mia", "GET", "/assets/{asset Oven}", None);
    energy.send("mia", "DELETE", "/assets/{asset Oven}", None);
    energy.send("adam", "GET", "/assets/{asset Oven}", None);
    probe(1100..1200);
    let oven = energy.id_of("asset Oven");
    let route = "/api/v3_0/assets/{asset_id}";
    let expected = [
        format!("was denied read on Asset 1000 (not-found): GET {route}"),
        format!("was denied read on Asset 1001 (not-found): GET {route}"),
        format!("was denied read on Asset 1002 (not-found): GET {route}"),
        format!("was denied read on Asset {oven} (no-match): GET {route}"),
        format!("was denied delete on Asset {oven} (no-match): DELETE {route}"),
        format!("was denied read on Asset (not-found): GET {route}, 197 times more"),
    ];
    assert_eq!(energy.events_of("mia"), expected);
    assert_eq!(energy.events_of("adam").len(), 1, "nobody takes the place of another");
}

#[test]
fn a_client_writes_no_words_into_the_log() {
    let energy = Energy::start();
    let oven = energy.id_of("asset Oven");
    for id in [
        format!("{oven:0>300}"),
        "3%20(no-match):%20DELETE%20by%20Adam".to_owned(),
        format!("3%20(no-match):%20DELETE%20by%20Adam{}", "%20".repeat(300)),
    ] {
        energy.send("mia", "GET", &format!("/assets/{id}"), None);
    }
    let route = "/api/v3_0/assets/{asset_id}";
    let spaces = " ".repeat(27);
    let expected = [
        format!("was denied read on Asset {oven} (no-match): GET {route}"),
        format!(r#"was denied read on Asset no id "3 (no-match): DELETE by Adam" (not-found): GET {route}"#),
        format!(
            r#"was denied read on Asset no id "3 (no-match): DELETE by Adam{spaces}…" (not-found): GET {route}"#
        ),
    ];
    assert_eq!(energy.events_of("mia"), expected);
}

#[test]
fn a_failure_is_told_without_its_cause() {
    let energy = Energy::start();
    energy.execute("ALTER TABLE sensors RENAME TO gone");
    assert_eq!(energy.send("mia", "GET", "/sensors/1", None).status, 503);
    let event = "got no answer about read on Sensor 1 (unavailable): GET /api/v3_0/sensors/{sensor_id}";
    assert_eq!(energy.events_of("mia"), [event]);
}

#[test]
fn what_a_failing_database_does_not_store_is_stored_later() {
    let energy = Energy::start();
    energy.execute("ALTER TABLE audit_log RENAME TO gone");
    for _ in 0..3 {
        assert_eq!(energy.send("mia", "GET", "/roles", None).status, 403);
        assert!(energy.real.flush().is_err());
    }
    energy.execute("ALTER TABLE gone RENAME TO audit_log");
    let event = "was denied by roles_accepted (no-match): GET /api/v3_0/roles";
    assert_eq!(energy.events_of("mia"), [event.to_owned(), format!("{event}, 2 times")]);
}

#[test]
fn a_user_who_is_no_more_is_in_the_way_of_nobody() {
    let energy = Energy::start();
    energy.send("mia", "GET", "/roles", None);
    energy.send("sven", "GET", "/roles", None);
    assert_eq!(energy.send("ada", "DELETE", "/users/{user mia}", None).status, 204);
    assert_eq!(energy.events_of("sven").len(), 1);
    let farm = energy.denials("/accounts/{account Sunnyside Farm}/audit-log");
    assert_eq!(farm.len(), 1, "that the user was deleted: {farm:?}");
}

#[actix_web::test]
async fn what_is_left_is_stored_when_the_service_ends() {
    let place = SERVER.database();
    let config = energy_service::Config { demo: true, ..place.config() };
    let service = energy_service::Service::open(&config).unwrap();
    let database = service.database().clone();
    {
        let app = init_service(App::new().configure(|app| service.configure(app))).await;
        let log_in = TestRequest::post()
            .uri("/api/requestAuthToken")
            .set_json(serde_json::json!({
                "email": "mia@sunnyside.example",
                "password": energy_service::demo::PASSWORD,
            }))
            .to_request();
        let answer: Value = actix_web::test::call_and_read_body_json(&app, log_in).await;
        let denied = TestRequest::get()
            .uri("/api/v3_0/roles")
            .insert_header(("authorization", format!("Bearer {}", answer["auth_token"].as_str().unwrap())));
        assert_eq!(app.call(denied.to_request()).await.unwrap().status(), 403);
    }
    let stored =
        || -> i64 { audit_log::table.count().get_result(&mut database.connection().unwrap()).unwrap() };
    assert_eq!(stored(), 0, "it waits for the interval");
    drop(service);
    // The thread ends by itself, soon; how soon does not matter.
    let begun = Instant::now();
    while stored() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the denial got lost");
        thread::sleep(Duration::from_millis(10));
    }
}

//! The energy service as its users see it: the access of each user to the demo world.
//!
//! The expected answers stand in these tables and never come from the attributes: deleting one turns this red.

use std::sync::{Arc, Mutex};

use actix_web::{
    App,
    dev::Service as _,
    http::Method,
    test::{TestRequest, init_service},
};
use auth_core::mechanism::TokenHash;
use diesel::{connection::InstrumentationEvent, prelude::*};
use energy_service::{
    demo::PASSWORD,
    schema::{asset_audit_log, auth_tokens, roles, users, users_roles},
};
use serde_json::json;

use super::{
    SERVER,
    demo::{CALLERS, Energy, log_in},
};
use crate::{client::bearer, phases::untouchable};

/// The users who may read the objects of Sunnyside Farm.
const SUNNYSIDE_READ: [u16; 7] = [401, 200, 200, 200, 403, 200, 200];

#[test]
fn who_may_read() {
    let energy = Energy::start();
    let week = "/measurements?start=2000-01-01T00:00:00Z&end=2100-01-01T00:00:00Z";
    for (pattern, expected) in [
        ("/accounts/{account Sunnyside Farm}", SUNNYSIDE_READ),
        ("/accounts/{account Harbour Bakery}", [401, 403, 403, 403, 200, 200, 200]),
        ("/users/{user mia}", [401, 200, 200, 200, 403, 200, 200]),
        ("/users/{user adam}", [401, 200, 200, 200, 403, 200, 200]),
        ("/users/{user sven}", [401, 403, 403, 403, 200, 200, 200]),
        ("/assets/{asset Solar roof}", SUNNYSIDE_READ),
        ("/assets/{asset Oven}", [401, 403, 403, 403, 200, 200, 200]),
        ("/assets/{asset Weather station}", [401, 200, 200, 200, 200, 200, 200]),
        ("/sensors/{sensors-of Solar roof}", SUNNYSIDE_READ),
        ("/sensors/{sensors-of Weather station}", [401, 200, 200, 200, 200, 200, 200]),
    ] {
        energy.assert_statuses("GET", pattern, None, expected);
    }
    let measurements = format!("/sensors/{{sensors-of Solar roof}}{week}");
    energy.assert_statuses("GET", &measurements, None, SUNNYSIDE_READ);
    // 400 to callers who may open a socket there, and send no upgrade.
    let live = "/sensors/{sensors-of Solar roof}/measurements/live";
    energy.assert_statuses("GET", live, None, [401, 400, 400, 400, 403, 400, 400]);
    energy.assert_statuses(
        "GET",
        "/sensors/99999/measurements/live",
        None,
        [401, 404, 404, 404, 404, 404, 404],
    );
    for kind in ["accounts", "users", "assets", "sensors"] {
        energy.assert_statuses("GET", &format!("/{kind}/99999"), None, [401, 404, 404, 404, 404, 404, 404]);
        energy.assert_statuses("GET", &format!("/{kind}/x"), None, [401, 404, 404, 404, 404, 404, 404]);
    }
}

#[test]
fn who_may_change() {
    let energy = Energy::start();
    for (pattern, expected) in [
        ("/accounts/{account Sunnyside Farm}", [401, 200, 200, 200, 403, 200, 403]),
        ("/users/{user mia}", [401, 200, 200, 200, 403, 200, 403]),
        ("/users/{user adam}", [401, 403, 200, 200, 403, 200, 403]),
        ("/assets/{asset Solar roof}", [401, 200, 200, 200, 403, 200, 403]),
        ("/assets/{asset Weather station}", [401, 403, 403, 403, 403, 200, 403]),
        ("/sensors/{sensors-of Solar roof}", [401, 403, 200, 200, 403, 200, 403]),
    ] {
        energy.assert_statuses("PATCH", pattern, Some(&json!({})), expected);
        // A caller who may not change it does not learn either what is wrong with the body.
        let with_a_wrong_body = expected.map(|status| if status == 200 { 400 } else { status });
        energy.assert_statuses("PATCH", pattern, Some(&json!({"id": 1})), with_a_wrong_body);
    }
}

#[test]
fn who_may_delete() {
    for (pattern, expected) in [
        ("/assets/{asset Solar roof}", [401, 403, 204, 204, 403, 204, 403]),
        ("/sensors/{sensors-of Solar roof}", [401, 403, 204, 204, 403, 204, 403]),
        ("/assets/{asset Weather station}", [401, 403, 403, 403, 403, 204, 403]),
    ] {
        // Two callers who may: each needs an object to delete.
        let mut energy = Energy::start();
        for (caller, status) in CALLERS.into_iter().zip(expected) {
            let path = energy.path(pattern);
            assert_eq!(
                energy.send(caller, "DELETE", pattern, None).status,
                status,
                "DELETE {pattern} by {caller}"
            );
            if status == 204 {
                let again = energy.http.send("DELETE", &path, Some(&bearer(caller)), None);
                assert_eq!(again.status, 404);
                energy = Energy::start();
            }
        }
    }
}

#[test]
fn who_may_create_below() {
    let energy = Energy::start();
    let sensor = json!({"name": "new", "unit": "kW", "event_resolution_minutes": 15});
    let allowed = [401, 201, 201, 201, 403, 201, 403];
    energy.assert_statuses("POST", "/assets/{asset Solar roof}/sensors", Some(&sensor), allowed);
    let only_admins = [401, 403, 403, 403, 403, 201, 403];
    energy.assert_statuses("POST", "/assets/{asset Weather station}/sensors", Some(&sensor), only_admins);

    let pattern = "/sensors/{sensors-of Solar roof}/measurements";
    for (year, (caller, status)) in (2100..).zip(CALLERS.into_iter().zip(allowed)) {
        let events = json!([{"event_start": format!("{year}-01-01T00:00:00+01:00"), "event_value": 1.5}]);
        assert_eq!(energy.send(caller, "POST", pattern, Some(&events)).status, status, "{caller}");
    }
}

#[test]
fn who_may_create_an_asset_in_the_account_that_the_body_names() {
    let energy = Energy::start();
    let sunnyside = json!({"name": "new", "account_id": energy.id_of("account Sunnyside Farm")});
    energy.assert_statuses("POST", "/assets", Some(&sunnyside), [401, 403, 201, 201, 403, 201, 403]);
    let public = json!({"name": "new"});
    energy.assert_statuses("POST", "/assets", Some(&public), [401, 403, 403, 403, 403, 201, 403]);
    let nowhere = json!({"name": "new", "account_id": 99_999});
    energy.assert_statuses("POST", "/assets", Some(&nowhere), [401, 404, 404, 404, 404, 404, 404]);
    // Nor may a new asset become a part of another account's.
    let inside = json!({
        "name": "new",
        "account_id": energy.id_of("account Sunnyside Farm"),
        "parent_asset_id": energy.id_of("asset Oven"),
    });
    energy.assert_statuses("POST", "/assets", Some(&inside), [401, 403, 403, 403, 403, 201, 403]);
}

/// An anonymous caller gets an answer without a look at the body, which panics here when it is polled.
#[actix_web::test]
async fn nobody_sends_a_body() {
    let place = SERVER.database();
    let service = energy_service::Service::open(&place.config()).unwrap();
    let app = init_service(App::new().configure(|app| service.configure(app))).await;
    for (method, path) in [
        (Method::POST, "/assets"),
        (Method::POST, "/assets/1/sensors"),
        (Method::POST, "/sensors/1/measurements"),
        (Method::PATCH, "/accounts/1"),
        (Method::PATCH, "/users/1"),
        (Method::PATCH, "/assets/1"),
        (Method::PATCH, "/sensors/1"),
        (Method::POST, "/accounts"),
        (Method::POST, "/accounts/1/users"),
        (Method::PATCH, "/users/1/roles"),
    ] {
        let request = TestRequest::with_uri(&format!("/api/v3_0{path}"))
            .method(method.clone())
            .insert_header(("content-type", "application/json"));
        let (request, _) = request.to_request().replace_payload(untouchable());
        assert_eq!(app.call(request).await.unwrap().status(), 401, "{method} {path}");
    }
}

#[test]
fn who_sees_how_much_in_a_list() {
    let energy = Energy::start();
    for (pattern, expected) in [
        ("/accounts", [1, 1, 2, 1, 4, 4]),
        ("/users", [2, 2, 3, 1, 6, 6]),
        ("/assets", [3, 3, 3, 2, 4, 4]),
        ("/sensors", [5, 5, 5, 3, 6, 6]),
    ] {
        energy.assert_statuses("GET", pattern, None, [401, 200, 200, 200, 200, 200, 200]);
        for (caller, expected) in CALLERS.into_iter().skip(1).zip(expected) {
            let all = energy.send(caller, "GET", pattern, None).json();
            let list = energy.send(caller, "GET", &format!("{pattern}?page=1"), None).json();
            assert_eq!(all, list["data"], "{pattern} by {caller}");
            assert_eq!(list["num-records"], expected, "{pattern} by {caller}");
            assert_eq!(list["data"].as_array().unwrap().len(), expected, "{pattern} by {caller}");
        }
    }
}

#[test]
fn who_has_the_roles() {
    let energy = Energy::start();
    for (pattern, expected) in [
        ("/users/me", [401, 200, 200, 200, 200, 200, 200]),
        ("/roles", [401, 403, 200, 200, 403, 200, 403]),
        ("/clients", [401, 403, 403, 200, 403, 200, 403]),
        ("/portfolio", [401, 200, 200, 403, 200, 200, 403]),
    ] {
        energy.assert_statuses("GET", pattern, None, expected);
    }
}

#[test]
fn a_row_moves_nowhere_by_a_change() {
    let energy = Energy::start();
    for (pattern, field) in [
        ("/assets/{asset Solar roof}", "account_id"),
        ("/users/{user mia}", "account_id"),
        ("/users/{user mia}", "password_hash"),
        ("/accounts/{account Sunnyside Farm}", "id"),
        ("/sensors/{sensors-of Solar roof}", "asset_id"),
    ] {
        let response = energy.send("ada", "PATCH", pattern, Some(&json!({ field: 1 })));
        assert_eq!(response.status, 400, "{pattern} {field}");
    }
}

#[test]
fn a_log_in_gives_a_token_of_which_only_the_hash_is_stored() {
    let energy = Energy::start();
    let answer = log_in(&energy, "mia@sunnyside.example", PASSWORD);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(answer["user_id"], energy.id_of("user mia"));
    let token = answer["auth_token"].as_str().unwrap();
    assert_eq!(energy.send(token, "GET", "/users/me", None).json()["id"], answer["user_id"]);

    let mut connection = energy.real.database().connection().unwrap();
    let stored: Vec<Vec<u8>> =
        auth_tokens::table.select(auth_tokens::token_hash).load(&mut connection).unwrap();
    assert!(stored.contains(&TokenHash::of(token).as_bytes().to_vec()));
    assert!(!stored.contains(&token.as_bytes().to_vec()));
}

#[test]
fn a_refused_log_in_does_not_say_why() {
    let energy = Energy::start();
    diesel::update(users::table.filter(users::email.like("sven@%")))
        .set(users::active.eq(false))
        .execute(&mut energy.real.database().connection().unwrap())
        .unwrap();
    let wrong_password = log_in(&energy, "mia@sunnyside.example", "wrong");
    let unknown = log_in(&energy, "nobody@sunnyside.example", PASSWORD);
    let inactive = log_in(&energy, "sven@bakery.example", PASSWORD);
    for response in [&wrong_password, &unknown, &inactive] {
        assert_eq!(response.status, 401);
        assert_eq!(response.body, wrong_password.body);
    }
    assert_eq!(energy.send("sven", "GET", "/users/me", None).status, 401, "the token of an inactive user");
}

#[test]
fn statements_are_few_and_none_is_for_strangers() {
    let energy = Energy::start();
    let statements = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&statements);
    energy.real.database().connection().unwrap().set_instrumentation(
        move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let query = query.to_string();
                // The pool tries a connection to a server before it lends it.
                if !query.starts_with("SELECT 1 ") {
                    recorded.lock().unwrap().push(query);
                }
            }
        },
    );
    for pattern in [
        "/accounts/{account Sunnyside Farm}",
        "/users/{user mia}",
        "/assets/{asset Solar roof}",
        "/sensors/{sensors-of Solar roof}",
    ] {
        for (caller, status, expected) in [("mia", 200, 2), ("sven", 403, 2), ("", 401, 0)] {
            let path = energy.path(pattern);
            statements.lock().unwrap().clear();
            let authorization = (!caller.is_empty()).then(|| bearer(caller));
            let response = energy.http.send("GET", &path, authorization.as_deref(), None);
            assert_eq!(response.status, status);
            let asked = statements.lock().unwrap();
            assert_eq!(asked.len(), expected, "one authenticates, one loads the context: {asked:#?}");
        }
    }
}

#[test]
fn whoever_guesses_passwords_is_stopped_and_no_other() {
    let energy = Energy::start();
    for _ in 0..3 {
        assert_eq!(log_in(&energy, "mia@sunnyside.example", PASSWORD).status, 200);
    }
    for guess in 0..10 {
        assert_eq!(log_in(&energy, "mia@sunnyside.example", &guess.to_string()).status, 401);
    }
    let refused = log_in(&energy, "Mia@sunnyside.example", PASSWORD);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["status"], 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(log_in(&energy, "sven@bakery.example", PASSWORD).status, 200);
    assert_eq!(energy.send("mia", "GET", "/users/me", None).status, 200, "who is logged in stays so");
}

#[test]
fn nobody_deactivates_themselves_and_only_admins_deactivate_admins() {
    let energy = Energy::start();
    let off = json!({"active": false});
    for (caller, pattern) in [("mia", "/users/{user mia}"), ("ada", "/users/{user ada}")] {
        assert_eq!(energy.send(caller, "PATCH", pattern, Some(&off)).status, 409, "{caller}");
        assert_eq!(energy.send(caller, "GET", "/users/me", None).json()["active"], true, "{caller}");
    }
    for role in ["admin", "admin-reader"] {
        let mia = energy.id_of("user mia");
        {
            let connection = &mut *energy.real.database().connection().unwrap();
            let id: i32 =
                roles::table.filter(roles::name.eq(role)).select(roles::id).first(connection).unwrap();
            diesel::delete(users_roles::table.filter(users_roles::user_id.eq(mia)))
                .execute(connection)
                .unwrap();
            diesel::insert_into(users_roles::table)
                .values((users_roles::user_id.eq(mia), users_roles::role_id.eq(id)))
                .execute(connection)
                .unwrap();
        }
        for active in [false, true] {
            for (caller, status) in [("adam", 403), ("cora", 403), ("ada", 200)] {
                let answer =
                    energy.send(caller, "PATCH", "/users/{user mia}", Some(&json!({"active": active})));
                assert_eq!(answer.status, status, "{caller} {role} {active}");
            }
        }
        let name = json!({"username": "Mia"});
        assert_eq!(energy.send("adam", "PATCH", "/users/{user mia}", Some(&name)).status, 200);
    }
}

#[test]
fn a_hundred_roles_are_changed_at_once_at_most() {
    let energy = Energy::start();
    let roles = |numbers: std::ops::Range<u32>| numbers.map(|number| number.to_string()).collect::<Vec<_>>();
    for (granted, revoked, status) in [(100, 0, 403), (101, 0, 400), (50, 50, 403), (50, 51, 400)] {
        let body = json!({"grant": roles(0..granted), "revoke": roles(1000..1000 + revoked)});
        assert_eq!(energy.send("ada", "PATCH", "/users/{user mia}/roles", Some(&body)).status, status);
    }
}

#[test]
fn a_name_is_seen_as_it_is_written() {
    let energy = Energy::start();
    for name in
        ["\u{200B}", "Solar\u{202E} roof", "\u{2066}Solar roof", "\u{FEFF}Solar roof", "Solar\u{2028}roof"]
    {
        let answer = energy.send("adam", "PATCH", "/assets/{asset Solar roof}", Some(&json!({"name": name})));
        assert_eq!(answer.status, 400, "{name:?}");
    }
    // One that would end the quotation in the log does not.
    let name = "x\", deleted the asset \"y";
    let created = energy.send("ada", "POST", "/assets", Some(&json!({"name": name})));
    assert_eq!(created.status, 201);
    let events: Vec<String> = asset_audit_log::table
        .select(asset_audit_log::event)
        .load(&mut energy.real.database().connection().unwrap())
        .unwrap();
    let expected = format!(r#"created the asset {}, "x\", deleted the asset \"y""#, created.json()["id"]);
    assert_eq!(events.last(), Some(&expected));
}

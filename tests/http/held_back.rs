//! Requests that are under way while their sender loses what they were let in for.

use std::{sync::mpsc, thread, time::Duration};

use diesel::{
    connection::{Connection as _, InstrumentationEvent},
    prelude::*,
};
use energy_service::{
    database::Connection,
    demo::PASSWORD,
    schema::{auth_tokens, users, users_roles},
};
use serde_json::json;

use super::energy::{Energy, log_in};
use crate::client::Begun;

const PATIENCE: Duration = Duration::from_secs(60);

/// Tells of each statement that ended, on the only connection that there is.
fn statements(energy: &Energy) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    energy.real.database().connection().unwrap().set_instrumentation(
        move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery { query, .. } = event {
                let query = query.to_string();
                // The pool tries a connection to a server before it lends it.
                if !query.starts_with("SELECT 1 ") {
                    drop(sender.send(query));
                }
            }
        },
    );
    receiver
}

/// Begins a request with the first byte of its body, and waits until its guard has found the caller and the context.
fn begin(energy: &Energy, caller: &str, method: &str, pattern: &str, body: &str) -> Begun {
    let path = energy.path(pattern);
    let ended = statements(energy);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {caller}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        body.len(),
        &body[..1]
    );
    let begun = energy.http.begin(head.as_bytes());
    for _ in 0..2 {
        ended.recv_timeout(PATIENCE).unwrap();
    }
    begun
}

fn change(energy: &Energy, change: impl FnOnce(&mut Connection) -> QueryResult<usize>) {
    change(&mut energy.real.database().connection().unwrap()).unwrap();
}

/// Requests of `adam`, the account-admin, each of which changes something.
fn changes(energy: &Energy) -> [(&'static str, &'static str, String, u16); 9] {
    let sensor = energy.id_of("sensors-of Solar roof");
    [
        ("PATCH", "/accounts/{account Sunnyside Farm}", json!({"name": "Sunnyside Farm"}).to_string(), 200),
        (
            "POST",
            "/accounts/{account Sunnyside Farm}/users",
            json!({"email": "held@x.example", "username": "Held", "password": PASSWORD}).to_string(),
            201,
        ),
        ("PATCH", "/users/{user mia}", json!({"username": "held"}).to_string(), 200),
        ("PATCH", "/users/{user mia}/roles", json!({"grant": ["consultant"]}).to_string(), 200),
        (
            "PATCH",
            "/assets/{asset Solar roof}",
            json!({"name": "Solar roof", "latitude": 1}).to_string(),
            200,
        ),
        ("PUT", "/assets/{asset Battery}/flex-model", json!({"sensor": sensor}).to_string(), 200),
        (
            "POST",
            "/assets/{asset Battery}/sensors",
            json!({"name": "held", "unit": "", "event_resolution_minutes": 15}).to_string(),
            201,
        ),
        ("PATCH", "/sensors/{sensors-of Solar roof}", json!({"unit": "W"}).to_string(), 200),
        (
            "POST",
            "/sensors/{sensors-of Solar roof}/measurements",
            json!([{"event_start": "2100-01-01T00:00:00Z", "event_value": 1}]).to_string(),
            201,
        ),
    ]
}

#[test]
fn a_body_that_comes_after_its_sender_lost_a_role_changes_nothing() {
    let energy = Energy::start();
    let adam = energy.id_of("user adam");
    let roles: Vec<(i32, i32)> = users_roles::table
        .filter(users_roles::user_id.eq(adam))
        .load(&mut energy.real.database().connection().unwrap())
        .unwrap();
    for (method, pattern, body, admitted) in changes(&energy) {
        let begun = begin(&energy, "adam", method, pattern, &body);
        change(&energy, |connection| {
            diesel::delete(users_roles::table.filter(users_roles::user_id.eq(adam))).execute(connection)
        });
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(403), "{method} {pattern}");
        change(&energy, |connection| {
            let given =
                |&(user, role): &(i32, i32)| (users_roles::user_id.eq(user), users_roles::role_id.eq(role));
            diesel::insert_into(users_roles::table)
                .values(roles.iter().map(given).next().unwrap())
                .execute(connection)
        });
        // Else it is served, so nothing but the role was wrong, and nothing was stored before.
        let begun = begin(&energy, "adam", method, pattern, &body);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(admitted), "{method} {pattern}");
    }
}

#[test]
fn a_body_that_comes_after_its_sender_is_logged_out_changes_nothing() {
    let energy = Energy::start();
    let adam = energy.id_of("user adam");
    let active = |active: bool| {
        change(&energy, |connection| {
            diesel::update(users::table.find(adam)).set(users::active.eq(active)).execute(connection)
        });
    };
    for (method, pattern, body, _) in changes(&energy) {
        let begun = begin(&energy, "adam", method, pattern, &body);
        active(false);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(401), "{method} {pattern}");
        active(true);
    }
    // A token that is revoked is gone, whether or not its user comes back.
    let (method, pattern, body, _) = &changes(&energy)[0];
    let begun = begin(&energy, "adam", method, pattern, body);
    change(&energy, |connection| {
        diesel::delete(auth_tokens::table.filter(auth_tokens::user_id.eq(adam))).execute(connection)
    });
    assert_eq!(begun.end(&body.as_bytes()[1..]), Some(401));
}

/// The password is compared while nobody holds the only connection.
#[test]
fn a_log_in_under_way_does_not_outlast_a_deactivation() {
    let energy = Energy::start();
    let mia = energy.id_of("user mia");
    let ended = statements(&energy);
    let answer = thread::scope(|scope| {
        let answer = scope.spawn(|| log_in(&energy, "mia@sunnyside.example", PASSWORD));
        ended.recv_timeout(PATIENCE).unwrap();
        let off = energy.send("adam", "PATCH", "/users/{user mia}", Some(&json!({"active": false})));
        assert_eq!(off.status, 200);
        answer.join().unwrap()
    });
    let on = energy.send("adam", "PATCH", "/users/{user mia}", Some(&json!({"active": true})));
    assert_eq!((on.status.as_u16(), on.json()["id"] == mia), (200, true));
    // Whichever came first.
    if answer.status == 200 {
        let token = answer.json()["auth_token"].as_str().unwrap().to_owned();
        assert_eq!(energy.send(&token, "GET", "/users/me", None).status, 401);
    } else {
        assert_eq!(answer.status, 401);
    }
}

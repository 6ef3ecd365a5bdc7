//! Requests that are under way while their sender loses the right by which they were let in.

use std::{sync::mpsc, thread, time::Duration};

use diesel::{
    connection::{Connection as _, InstrumentationEvent},
    prelude::*,
};
use energy_service::{
    database::{Connection, Database, Location},
    demo::PASSWORD,
    schema::{accounts, assets, auth_tokens, users, users_roles},
};
use serde_json::json;

use super::demo::{Energy, log_in};
use crate::client::{Begun, bearer};

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

/// Requests of the users who run Sunnyside Farm or look after it, and may give this role; each changes something.
fn changes(energy: &Energy, role: &str) -> [(&'static str, &'static str, String, u16); 12] {
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
        ("PATCH", "/users/{user mia}/roles", json!({"grant": [role]}).to_string(), 200),
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
        ("PATCH", "/assets/{asset Solar roof}", json!({"attributes": {}}).to_string(), 200),
        ("PATCH", "/sensors/{sensors-of Solar roof}", json!({"attributes": {}}).to_string(), 200),
        (
            "DELETE",
            "/sensors/{sensors-of Solar roof}/data",
            json!({"until": "2001-01-01T00:00:00Z"}).to_string(),
            204,
        ),
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
    let changes = changes(&energy, "consultant");
    // The last one is decided by what its sender is by then.
    let [by_roles @ .., _] = &changes;
    for (method, pattern, body, admitted) in by_roles {
        let begun = begin(&energy, "adam", method, pattern, body);
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
        let begun = begin(&energy, "adam", method, pattern, body);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(*admitted), "{method} {pattern}");
    }
}

/// All users of the account record measurements, with or without a role.
#[test]
fn a_measurement_is_decided_by_what_its_sender_is_when_it_has_arrived() {
    let energy = Energy::start();
    let (adam, bakery) = (energy.id_of("user adam"), energy.id_of("account Harbour Bakery"));
    let [.., (method, pattern, body, recorded)] = changes(&energy, "consultant");
    let begun = begin(&energy, "adam", method, pattern, &body);
    change(&energy, |connection| {
        diesel::update(users::table.find(adam)).set(users::account_id.eq(bakery)).execute(connection)
    });
    assert_eq!(begun.end(&body.as_bytes()[1..]), Some(403), "of another account by then");
    let farm = energy.id_of("account Sunnyside Farm");
    change(&energy, |connection| {
        diesel::update(users::table.find(adam)).set(users::account_id.eq(farm)).execute(connection)
    });
    let begun = begin(&energy, "adam", method, pattern, &body);
    change(&energy, |connection| {
        diesel::delete(users_roles::table.filter(users_roles::user_id.eq(adam))).execute(connection)
    });
    assert_eq!(begun.end(&body.as_bytes()[1..]), Some(recorded), "without the role that he had");
}

/// The sender keeps their roles, and the account gets another consultancy.
#[test]
fn a_body_that_comes_after_its_object_left_the_senders_reach_changes_nothing() {
    let energy = Energy::start();
    let (farm, bright) = (energy.id_of("account Sunnyside Farm"), energy.id_of("account Bright Consultancy"));
    let consultancy = |id: Option<i32>| {
        change(&energy, |connection| {
            diesel::update(accounts::table.find(farm))
                .set(accounts::consultancy_account_id.eq(id))
                .execute(connection)
        });
    };
    let nothing = [
        ("PATCH", "/accounts/{account Sunnyside Farm}"),
        ("PATCH", "/users/{user mia}"),
        ("PATCH", "/assets/{asset Solar roof}"),
        ("PATCH", "/sensors/{sensors-of Solar roof}"),
        ("PUT", "/assets/{asset Battery}/flex-model"),
    ]
    .map(|(method, pattern)| (method, pattern, "{}".to_owned(), 200));
    for (method, pattern, body, admitted) in changes(&energy, "account-admin").into_iter().chain(nothing) {
        let begun = begin(&energy, "cora", method, pattern, &body);
        consultancy(None);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(403), "{method} {pattern}");
        consultancy(Some(bright));
        let begun = begin(&energy, "cora", method, pattern, &body);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(admitted), "{method} {pattern}");
    }
}

/// A deletion has no body to hold back. The test holds back its only connection instead: as soon as the guard has found
/// the caller and the context, another change goes first.
#[test]
fn a_deletion_that_comes_after_its_object_left_the_senders_reach_deletes_nothing() {
    for pattern in ["/assets/{asset Battery}", "/sensors/{sensors-of Solar roof}"] {
        let energy = Energy::start();
        if *energy.place.location() == Location::Memory {
            // A database in memory is not opened once more.
            return;
        }
        let (farm, bright) =
            (energy.id_of("account Sunnyside Farm"), energy.id_of("account Bright Consultancy"));
        let others = Database::open(energy.place.location(), 1, PATIENCE).unwrap();
        let consultancy = move |id: Option<i32>| {
            diesel::update(accounts::table.find(farm))
                .set(accounts::consultancy_account_id.eq(id))
                .execute(&mut others.connection().unwrap())
                .unwrap();
        };
        let path = energy.path(pattern);
        let delete = || energy.http.send("DELETE", &path, Some(&bearer("cora")), None).status;
        let take = consultancy.clone();
        let mut ended = 0;
        energy.real.database().connection().unwrap().set_instrumentation(
            move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::FinishQuery { query, .. } = event
                    && !query.to_string().starts_with("SELECT 1 ")
                {
                    ended += 1;
                    if ended == 2 {
                        take(None);
                    }
                }
            },
        );
        assert_eq!(delete(), 403, "{pattern}");
        assert_eq!(energy.http.send("GET", &path, Some(&bearer("ada")), None).status, 200, "{pattern}");
        consultancy(Some(bright));
        assert_eq!(delete(), 204, "{pattern}");
    }
}

#[test]
fn a_body_that_comes_after_its_object_is_gone_is_404() {
    let energy = Energy::start();
    let asset = energy.id_of("asset Oven");
    let pattern = "/assets/{asset Oven}";
    let body = json!({"name": "Oven"}).to_string();
    let begun = begin(&energy, "sven", "PATCH", pattern, &body);
    change(&energy, |connection| diesel::delete(assets::table.find(asset)).execute(connection));
    assert_eq!(begun.end(&body.as_bytes()[1..]), Some(404));
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
    for (method, pattern, body, _) in changes(&energy, "consultant") {
        let begun = begin(&energy, "adam", method, pattern, &body);
        active(false);
        assert_eq!(begun.end(&body.as_bytes()[1..]), Some(401), "{method} {pattern}");
        active(true);
    }
    // A token that is revoked is gone, whether or not its user comes back.
    let (method, pattern, body, _) = &changes(&energy, "consultant")[0];
    let begun = begin(&energy, "adam", method, pattern, body);
    change(&energy, |connection| {
        diesel::delete(auth_tokens::table.filter(auth_tokens::user_id.eq(adam))).execute(connection)
    });
    assert_eq!(begun.end(&body.as_bytes()[1..]), Some(401));
}

/// The password is compared while no request holds the only connection.
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

//! Accounts, users and roles that come and go in the energy service, and the log that tells of it.
//!
//! As in `energy.rs`, the expected answers stand in these tables and never come from the attributes.

use diesel::prelude::*;
use energy_service::schema::{asset_audit_log, audit_log};
use serde_json::{Value, json};

use super::demo::{CALLERS, Energy, log_in};
use crate::client::Response;

const ONLY_ADMINS_READ: [u16; 7] = [401, 403, 403, 403, 403, 200, 200];

impl Energy {
    /// The entries of a log as `ada` sees them, the latest first.
    fn log(&self, pattern: &str) -> Vec<Value> {
        let response = self.send("ada", "GET", pattern, None);
        assert_eq!(response.status, 200, "{pattern}");
        serde_json::from_value(response.json()).unwrap()
    }

    /// All events, with the name of the user who caused each.
    fn events(&self) -> Vec<(String, Option<String>)> {
        let connection = &mut self.real.database().connection().unwrap();
        let mut events = audit_log::table
            .select((audit_log::event, audit_log::active_user_name))
            .load(connection)
            .unwrap();
        let of_assets = asset_audit_log::table
            .select((asset_audit_log::event, asset_audit_log::active_user_name))
            .load(connection);
        events.extend(of_assets.unwrap());
        events
    }

    fn number_of_entries(&self) -> usize {
        self.events().len()
    }
}

#[test]
fn who_sees_the_roles_of_a_user() {
    let energy = Energy::start();
    for (pattern, expected) in [
        ("/users/{user mia}/roles", [401, 200, 200, 200, 403, 200, 200]),
        ("/users/{user sven}/roles", [401, 403, 403, 403, 200, 200, 200]),
        ("/users/99999/roles", [401, 404, 404, 404, 404, 404, 404]),
    ] {
        energy.assert_statuses("GET", pattern, None, expected);
    }
    assert_eq!(energy.send("mia", "GET", "/users/{user adam}/roles", None).json(), json!(["account-admin"]));
}

#[test]
fn who_changes_which_role() {
    for (pattern, role, expected) in [
        ("/users/{user mia}/roles", "consultant", [401, 403, 200, 403, 403, 200, 403]),
        ("/users/{user mia}/roles", "account-admin", [401, 403, 403, 200, 403, 200, 403]),
        ("/users/{user mia}/roles", "admin-reader", [401, 403, 403, 403, 403, 200, 403]),
        ("/users/{user mia}/roles", "admin", [401, 403, 403, 403, 403, 403, 403]),
        ("/users/{user mia}/roles", "no such role", [401, 403, 403, 403, 403, 403, 403]),
        ("/users/{user mia}/roles", "", [401, 403, 403, 403, 403, 403, 403]),
        // No users change their own roles, and none those of another account.
        ("/users/{user adam}/roles", "consultant", [401, 403, 403, 403, 403, 200, 403]),
        ("/users/{user ada}/roles", "consultant", [401, 403, 403, 403, 403, 403, 403]),
        ("/users/{user sven}/roles", "account-admin", [401, 403, 403, 403, 403, 200, 403]),
    ] {
        for change in ["grant", "revoke"] {
            let energy = Energy::start();
            energy.assert_statuses("PATCH", pattern, Some(&json!({ change: [role] })), expected);
        }
    }
    let energy = Energy::start();
    let pattern = "/users/{user mia}/roles";
    // A caller who may not change the user does not learn what is wrong with the body.
    for wrong in [json!({}), json!({ "grant": ["consultant"], "revoke": ["consultant"] }), json!({ "id": 1 })]
    {
        energy.assert_statuses("PATCH", pattern, Some(&wrong), [401, 400, 400, 400, 403, 400, 403]);
    }
    let both = json!({ "grant": ["consultant", "account-admin"] });
    energy.assert_statuses("PATCH", pattern, Some(&both), [401, 403, 403, 403, 403, 200, 403]);
}

#[test]
fn a_role_that_does_not_exist_is_refused_as_any_other() {
    let energy = Energy::start();
    let refused = |role: &str| {
        energy.send("ada", "PATCH", "/users/{user mia}/roles", Some(&json!({ "grant": [role] }))).body
    };
    assert_eq!(refused("no such role"), refused("admin"));
    assert!(!refused("admin").contains("admin"));
    assert_eq!(energy.number_of_entries(), 0);
}

#[test]
fn a_change_of_roles_counts_from_the_next_request_on() {
    let energy = Energy::start();
    let pattern = "/users/{user adam}/roles";
    assert_eq!(energy.send("adam", "GET", "/roles", None).status, 200);
    let revoked = energy.send("ada", "PATCH", pattern, Some(&json!({ "revoke": ["account-admin"] })));
    assert_eq!(revoked.json(), json!([]));
    assert_eq!(energy.send("adam", "GET", "/roles", None).status, 403);
    let granted = json!({ "grant": ["consultant", "account-admin"] });
    for _ in 0..2 {
        let granted = energy.send("ada", "PATCH", pattern, Some(&granted));
        assert_eq!(granted.json(), json!(["account-admin", "consultant"]));
    }
    assert_eq!(energy.send("adam", "GET", "/roles", None).status, 200);
    // The second time nothing changed.
    let events: Vec<_> =
        energy.log("/users/{user adam}/audit-log").iter().map(|entry| entry["event"].clone()).collect();
    let adam = energy.id_of("user adam");
    assert_eq!(
        events,
        [
            format!(
                "changed the roles of the user {adam}: granted \"account-admin\", granted \"consultant\""
            ),
            format!("changed the roles of the user {adam}: revoked \"account-admin\""),
        ]
    );
}

#[test]
fn who_reads_the_log() {
    let energy = Energy::start();
    energy.send("adam", "PATCH", "/users/{user mia}", Some(&json!({ "username": "Mia" })));
    energy.send("mia", "PATCH", "/assets/{asset Solar roof}", Some(&json!({ "name": "Roof" })));
    for (pattern, expected) in [
        ("/accounts/{account Sunnyside Farm}/audit-log", [401, 403, 200, 200, 403, 200, 200]),
        ("/accounts/{account Harbour Bakery}/audit-log", ONLY_ADMINS_READ),
        ("/users/{user mia}/audit-log", [401, 200, 200, 200, 403, 200, 200]),
        ("/users/{user adam}/audit-log", [401, 403, 200, 200, 403, 200, 200]),
        ("/users/{user sven}/audit-log", [401, 403, 403, 403, 200, 200, 200]),
        ("/audit-log/1", ONLY_ADMINS_READ),
        ("/asset-audit-log/1", ONLY_ADMINS_READ),
    ] {
        energy.assert_statuses("GET", pattern, None, expected);
    }
    for pattern in
        ["/accounts/99999/audit-log", "/users/99999/audit-log", "/audit-log/99999", "/asset-audit-log/99999"]
    {
        energy.assert_statuses("GET", pattern, None, [401, 404, 404, 404, 404, 404, 404]);
    }
    let entry = energy.send("ada", "GET", "/audit-log/1", None).json();
    let mia = energy.id_of("user mia");
    assert_eq!(entry["event"], format!("changed the user {mia}: username"));
    assert_eq!(entry["active_user_id"], energy.id_of("user adam"));
    assert_eq!(entry["active_user_name"], "Adam Account-Admin");
    assert_eq!(entry["affected_user_id"], mia);
    assert_eq!(entry["affected_account_id"], energy.id_of("account Sunnyside Farm"));
    assert!(entry["event_datetime"].as_str().unwrap().ends_with('Z'), "{entry}");
    for log in ["/users/{user mia}/audit-log", "/accounts/{account Sunnyside Farm}/audit-log"] {
        assert_eq!(energy.send("ada", "GET", log, None).json(), json!([entry]));
    }
    let entry = energy.send("ada", "GET", "/asset-audit-log/1", None).json();
    assert_eq!(entry["affected_asset_id"], energy.id_of("asset Roof"));
    assert_eq!(entry["active_user_name"], "Mia");
}

#[test]
fn a_log_is_read_by_pages() {
    let energy = Energy::start();
    for name in ["one", "two", "three"] {
        energy.send("ada", "PATCH", "/accounts/{account Harbour Bakery}", Some(&json!({ "name": name })));
        energy.send(
            "ada",
            "PATCH",
            &format!("/accounts/{{account {name}}}"),
            Some(&json!({ "name": "Harbour Bakery" })),
        );
    }
    let log = "/accounts/{account Harbour Bakery}/audit-log";
    let all = energy.log(log);
    assert_eq!(all.len(), 6);
    let first = energy.log(&format!("{log}?limit=4"));
    let rest = energy.log(&format!("{log}?limit=4&before={}", first[3]["id"]));
    assert_eq!([first, rest].concat(), all);
    for wrong in ["limit=0", "limit=101", "limit=x", "before=", "page=2"] {
        // A caller who may not read does not learn what is wrong either.
        let expected = [401, 403, 403, 403, 403, 400, 400];
        energy.assert_statuses("GET", &format!("{log}?{wrong}"), None, expected);
    }
}

#[test]
fn who_creates_an_account() {
    let energy = Energy::start();
    let (bright, bakery) =
        (energy.id_of("account Bright Consultancy"), energy.id_of("account Harbour Bakery"));
    let create = |caller: &str, consultancy: Value| -> Response {
        let body = json!({ "name": "new", "consultancy_account_id": consultancy });
        energy.send(caller, "POST", "/accounts", Some(&body))
    };
    energy.assert_statuses(
        "POST",
        "/accounts",
        Some(&json!({ "name": "new" })),
        [401, 403, 403, 201, 403, 201, 403],
    );
    let wrong = [401, 403, 403, 400, 403, 400, 403];
    for body in [json!({ "name": " " }), json!({ "name": "new", "id": 1 }), json!([])] {
        energy.assert_statuses("POST", "/accounts", Some(&body), wrong);
    }

    let client = create("cora", Value::Null);
    assert_eq!(client.json()["consultancy_account_id"], bright);
    let location = client.header("location").unwrap().strip_prefix("/api/v3_0").unwrap();
    assert_eq!(without_buttons(energy.send("cora", "GET", location, None).json()), client.json());
    assert_eq!(create("cora", json!(bright)).status, 201);
    // Not another account's consultants.
    assert_eq!(create("cora", json!(bakery)).status, 403);
    assert_eq!(create("cora", json!(99_999)).status, 403);
    assert_eq!(create("ada", json!(bakery)).json()["consultancy_account_id"], bakery);
    assert_eq!(create("ada", Value::Null).json()["consultancy_account_id"], Value::Null);
    assert_eq!(create("ada", json!(99_999)).status, 400);

    let entries = energy.log(&format!("{location}/audit-log"));
    let id = &client.json()["id"];
    assert_eq!(entries[0]["event"], format!("created the account {id}, \"new\""));
}

#[test]
fn who_deletes_an_account() {
    let energy = Energy::start();
    let new = energy.send("cora", "POST", "/accounts", Some(&json!({ "name": "new" })));
    let path = new.header("location").unwrap().strip_prefix("/api/v3_0").unwrap();
    let unknown = format!("{path}?force=true");
    energy.assert_statuses("DELETE", &unknown, None, [401, 403, 403, 403, 403, 400, 403]);
    energy.assert_statuses("DELETE", path, None, [401, 403, 403, 403, 403, 204, 404]);
    energy.assert_statuses("DELETE", path, None, [401, 404, 404, 404, 404, 404, 404]);

    let entries = energy.number_of_entries();
    for in_use in ["account Sunnyside Farm", "account Bright Consultancy"] {
        let refused = energy.send("ada", "DELETE", &format!("/accounts/{{{in_use}}}"), None);
        assert_eq!(refused.status, 409, "{in_use}");
        assert_eq!(energy.number_of_entries(), entries, "what was not done is not told");
    }
    let last = energy.send("ada", "GET", &format!("/audit-log/{entries}"), None).json();
    let id = &new.json()["id"];
    assert_eq!(last["event"], format!("deleted the account {id}, \"new\""));
    assert_eq!(last["affected_account_id"], Value::Null);
}

#[test]
fn who_creates_a_user() {
    let energy = Energy::start();
    let pattern = "/accounts/{account Sunnyside Farm}/users";
    let body = |email: &str| json!({ "email": email, "username": "New", "password": "correct horse" });
    for (caller, status) in CALLERS.into_iter().zip([401, 403, 201, 201, 403, 201, 403]) {
        let body = body(&format!("by-{caller}@sunnyside.example"));
        assert_eq!(energy.send(caller, "POST", pattern, Some(&body)).status, status, "{caller}");
    }
    for wrong in [
        json!({ "email": "no-address", "username": "New", "password": "correct horse" }),
        json!({ "email": "new@sunnyside.example", "username": "", "password": "correct horse" }),
        json!({ "email": "new@sunnyside.example", "username": "New", "password": "short" }),
        json!({ "email": "new@sunnyside.example", "username": "New" }),
        json!({ "email": "new@sunnyside.example", "username": "New", "password": "correct horse", "roles": ["admin"] }),
    ] {
        energy.assert_statuses("POST", pattern, Some(&wrong), [401, 403, 400, 400, 403, 400, 403]);
    }

    let new = energy.send("adam", "POST", pattern, Some(&body("new@sunnyside.example")));
    let user = new.json();
    assert_eq!(user["account_id"], energy.id_of("account Sunnyside Farm"));
    assert_eq!(user["active"], true);
    assert_eq!((user.get("password"), user.get("password_hash")), (None, None));
    let path = new.header("location").unwrap().strip_prefix("/api/v3_0").unwrap();
    assert_eq!(without_buttons(energy.send("adam", "GET", path, None).json()), user);
    assert_eq!(energy.send("adam", "GET", &format!("{path}/roles"), None).json(), json!([]));
    assert_eq!(log_in(&energy, "new@sunnyside.example", "correct horse").status, 200);

    let entries = energy.number_of_entries();
    let again = energy.send("cora", "POST", pattern, Some(&body("New@Sunnyside.example")));
    assert_eq!(again.status, 409);
    assert_eq!(energy.number_of_entries(), entries, "what was not done is not told");
    let log = energy.log(&format!("{path}/audit-log"));
    assert_eq!(log[0]["event"], format!("created the user {}, \"New\"", user["id"]));
    assert_eq!(log[0]["active_user_name"], "Adam Account-Admin");
}

#[test]
fn who_deletes_a_user() {
    let energy = Energy::start();
    energy.send("mia", "PATCH", "/users/{user mia}", Some(&json!({ "username": "M" })));
    let mia = energy.id_of("user mia");
    let path = format!("/users/{mia}");
    let unknown = format!("{path}?force=true");
    energy.assert_statuses("DELETE", &unknown, None, [401, 403, 403, 403, 403, 400, 403]);
    energy.assert_statuses("DELETE", &path, None, [401, 403, 403, 403, 403, 204, 404]);
    assert_eq!(energy.send("mia", "GET", "/users/me", None).status, 401);
    assert_eq!(energy.send("ada", "GET", &path, None).status, 404);
    assert_eq!(energy.send("ada", "DELETE", "/users/{user ada}", None).status, 409);

    // The user is gone, and the log still tells of her.
    let log = energy.log("/accounts/{account Sunnyside Farm}/audit-log");
    let told: Vec<_> = log
        .iter()
        .map(|entry| {
            assert_eq!(entry["affected_user_id"], Value::Null);
            (entry["event"].as_str().unwrap(), entry["active_user_name"].as_str().unwrap())
        })
        .collect();
    let (deleted, changed) =
        (format!("deleted the user {mia}, \"M\""), format!("changed the user {mia}: username"));
    assert_eq!(told, [(deleted.as_str(), "Ada Admin"), (changed.as_str(), "Mia Member")]);
    assert_eq!(log[1]["active_user_id"], Value::Null);
}

#[test]
fn each_change_is_told_once_and_a_refused_one_never() {
    let energy = Energy::start();
    let (farm, roof) = (energy.id_of("account Sunnyside Farm"), energy.id_of("asset Solar roof"));
    let sensor = energy.id_of("sensors-of Solar roof");
    let new_asset = json!({ "name": "New", "account_id": farm });
    let new_sensor = json!({ "name": "new", "unit": "", "event_resolution_minutes": 15 });
    for (method, path, body, event) in [
        (
            "PATCH",
            format!("/accounts/{farm}"),
            json!({ "name": "Farm" }),
            format!("changed the account {farm}: name"),
        ),
        (
            "PATCH",
            "/users/1".to_owned(),
            json!({ "username": "M", "active": true }),
            "changed the user 1: username, activated".to_owned(),
        ),
        ("POST", "/assets".to_owned(), new_asset, "created the asset 5, \"New\"".to_owned()),
        (
            "PATCH",
            format!("/assets/{roof}"),
            json!({ "name": "Roof", "latitude": null }),
            format!("changed the asset {roof}: name, latitude"),
        ),
        (
            "PUT",
            format!("/assets/{roof}/flex-model"),
            json!({ "sensor": sensor }),
            format!("changed the asset {roof}: flex-model"),
        ),
        ("POST", format!("/assets/{roof}/sensors"), new_sensor, "created the sensor 7, \"new\"".to_owned()),
        (
            "PATCH",
            format!("/sensors/{sensor}"),
            json!({ "unit": "W" }),
            format!("changed the sensor {sensor}: unit"),
        ),
        (
            "DELETE",
            format!("/sensors/{sensor}"),
            Value::Null,
            format!("deleted the sensor {sensor}, \"power\""),
        ),
        ("DELETE", format!("/assets/{roof}"), Value::Null, format!("deleted the asset {roof}, \"Roof\"")),
    ] {
        let before = energy.events();
        assert_eq!(energy.send("sven", method, &path, Some(&body)).status, 403);
        let wrong = energy.send(
            "adam",
            method,
            &format!("{path}?no-such-field"),
            Some(&json!({ "sensor": "no such sensor" })),
        );
        assert_eq!(wrong.status, 400);
        if method == "PATCH" {
            assert_eq!(energy.send("adam", method, &path, Some(&json!({}))).status, 200);
        }
        assert_eq!(energy.events(), before, "{method} {path}");

        let status = energy.send("adam", method, &path, Some(&body)).status;
        assert!(status.is_success(), "{method} {path}: {status}");
        let mut told = energy.events();
        told.retain(|event| !before.contains(event));
        assert_eq!(told, [(event, Some("Adam Account-Admin".to_owned()))], "{method} {path}");
    }
}

#[test]
fn a_mistaken_query_deletes_nothing() {
    let energy = Energy::start();
    let allowed_but_wrong = [401, 403, 400, 400, 403, 400, 403];
    for pattern in ["/assets/{asset Solar roof}", "/sensors/{sensors-of Solar roof}"] {
        energy.assert_statuses("DELETE", &format!("{pattern}?dry_run=true"), None, allowed_but_wrong);
        assert_eq!(energy.send("mia", "GET", pattern, None).status, 200);
    }
}

#[test]
fn who_is_shown_which_button() {
    let energy = Energy::start();
    for (pattern, [create_children, read, update, delete]) in [
        (
            "/accounts/{account Sunnyside Farm}",
            [
                [401, 403, 204, 204, 403, 204, 403],
                [401, 204, 204, 204, 403, 204, 204],
                [401, 204, 204, 204, 403, 204, 403],
                [401, 403, 403, 403, 403, 204, 403],
            ],
        ),
        (
            "/platform",
            [
                [401, 403, 403, 204, 403, 204, 403],
                [401, 403, 403, 403, 403, 204, 204],
                [401, 403, 403, 403, 403, 204, 403],
                [401, 403, 403, 403, 403, 204, 403],
            ],
        ),
        (
            "/sensors/{sensors-of Solar roof}",
            [
                [401, 204, 204, 204, 403, 204, 403],
                [401, 204, 204, 204, 403, 204, 204],
                [401, 403, 204, 204, 403, 204, 403],
                [401, 403, 204, 204, 403, 204, 403],
            ],
        ),
    ] {
        let permissions = format!("{pattern}/permissions");
        energy.assert_statuses("GET", &format!("{permissions}/create-children"), None, create_children);
        energy.assert_statuses("GET", &format!("{permissions}/read"), None, read);
        energy.assert_statuses("GET", &format!("{permissions}/update"), None, update);
        energy.assert_statuses("GET", &format!("{permissions}/delete"), None, delete);
    }
    assert_eq!(energy.send("ada", "GET", "/platform/permissions/publish", None).status, 404);
    assert_eq!(energy.send("ada", "GET", "/sensors/99999/permissions/read", None).status, 404);
}

/// A row by itself, without what its reader may do with it.
fn without_buttons(mut row: Value) -> Value {
    assert!(row.as_object_mut().unwrap().remove("_can").is_some(), "{row}");
    row
}

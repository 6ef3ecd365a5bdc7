//! The bounds that the document declares are those that hold: a value within them is taken, and one beyond is answered 400,
//! with the name of the field.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    models::token,
    requests::{ADMIN, Answer, Client},
};

/// The operations with a body, a path to which an admin sends it, and a right one.
fn bodies() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let user = json!({"email": "new@x", "username": "New", "password": "password"});
    let asset = json!({
        "name": "x", "account_id": 3, "latitude": 0.0, "longitude": 0.0, "parent_asset_id": null, "inherits_access": false,
    });
    let share = json!({"can_update": true, "expires_at": "2100-01-01T00:00:00Z"});
    let event = json!({"event_start": "2020-01-01T00:00:00Z", "event_value": 1.0});
    vec![
        ("post", "/accounts", "/accounts", json!({"name": "x", "consultancy_account_id": null})),
        ("patch", "/accounts/{account_id}", "/accounts/3", json!({"name": "x"})),
        ("post", "/accounts/{account_id}/users", "/accounts/3/users", user),
        ("patch", "/users/{user_id}", "/users/1", json!({"username": "x"})),
        (
            "patch",
            "/users/{user_id}/roles",
            "/users/1/roles",
            json!({"grant": ["admin-reader"], "revoke": []}),
        ),
        ("post", "/assets", "/assets", asset),
        (
            "patch",
            "/assets/{asset_id}",
            "/assets/1",
            json!({"name": "x", "latitude": 1.0, "longitude": null}),
        ),
        (
            "post",
            "/assets/{asset_id}/sensors",
            "/assets/1/sensors",
            json!({"name": "x", "unit": "", "event_resolution_minutes": 15}),
        ),
        (
            "post",
            "/sensors",
            "/sensors",
            json!({"name": "x", "unit": "", "event_resolution": "PT15M", "generic_asset_id": 1}),
        ),
        (
            "post",
            "/sensors/{sensor_id}/data",
            "/sensors/1/data",
            json!({"start": "2020-01-02T00:00:00Z", "duration": "PT15M", "values": [1.0], "unit": "kW"}),
        ),
        ("patch", "/sensors/{sensor_id}", "/sensors/1", json!({"name": "x", "unit": "x"})),
        ("post", "/sensors/{sensor_id}/measurements", "/sensors/1/measurements", json!([event])),
        ("put", "/assets/{asset_id}/flex-model", "/assets/1/flex-model", json!({})),
        (
            "put",
            "/assets/{asset_id}/inherits-access",
            "/assets/1/inherits-access",
            json!({"inherits_access": true}),
        ),
        ("put", "/assets/{asset_id}/shares/users/{user_id}", "/assets/1/shares/users/4", share.clone()),
        ("put", "/assets/{asset_id}/shares/accounts/{account_id}", "/assets/1/shares/accounts/4", share),
        (
            "put",
            "/accounts/{account_id}/consultants",
            "/accounts/3/consultants",
            json!({"assigned_only": true}),
        ),
        (
            "put",
            "/accounts/{account_id}/consultants/{user_id}",
            "/accounts/3/consultants/3",
            json!({"assigned": true}),
        ),
    ]
}

/// The operations with parameters of the query, and a path that has the others.
const QUERIES: [(&str, &str); 9] = [
    ("/accounts", "/accounts?"),
    ("/users", "/users?"),
    ("/assets", "/assets?"),
    ("/sensors", "/sensors?"),
    ("/accounts/{account_id}/audit-log", "/accounts/3/audit-log?"),
    ("/users/{user_id}/audit-log", "/users/1/audit-log?"),
    ("/assets/{asset_id}/shares", "/assets/1/shares?"),
    ("/sensors/{sensor_id}/measurements", "/sensors/1/measurements?"),
    ("/sensors/{sensor_id}/data", "/sensors/1/data?"),
];

struct Documented {
    client: Client,
    token: String,
    document: Value,
}

impl Documented {
    async fn new() -> Self {
        let client = Client::of(|config| config);
        let token = token(ADMIN, &mut client.service.database().connection().unwrap()).as_str().to_owned();
        let document = client.send(None, Method::GET, "/api/v3_0/openapi.json", None).await.body;
        Self { client, token, document }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let method = method.to_uppercase().parse().unwrap();
        let body = body.map(Value::to_string);
        self.client.send(Some(&self.token), method, &format!("/api/v3_0{path}"), body.as_deref()).await
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    fn body_of(&self, method: &str, template: &str) -> &Value {
        let operation = &self.document["paths"][format!("/api/v3_0{template}")][method];
        self.resolved(&operation["requestBody"]["content"]["application/json"]["schema"])
    }
}

/// Values at the bounds of a schema, and values beyond them.
fn values(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut within, mut beyond) = (Vec::new(), Vec::new());
    let integer = schema["type"] == "integer" || schema["format"] == "int32" || schema["format"] == "int64";
    for (bound, step) in [("minimum", -1), ("maximum", 1)] {
        if let Some(limit) = schema[bound].as_i64().filter(|_| integer) {
            within.push(json!(limit));
            beyond.push(json!(limit + step));
        } else if let Some(limit) = schema[bound].as_f64() {
            within.push(json!(limit));
            beyond.push(json!(limit + f64::from(i32::try_from(step).unwrap()) * 0.1));
        }
    }
    let text = |length: u64| json!("é".repeat(usize::try_from(length).unwrap()));
    if let Some(length) = schema["minLength"].as_u64().filter(|length| *length > 0) {
        beyond.push(text(length - 1));
    }
    if let Some(length) = schema["maxLength"].as_u64() {
        within.push(text(length));
        beyond.push(text(length + 1));
    }
    (within, beyond)
}

/// Fields without bounds of their own, with the reason.
const UNBOUNDED: [(&str, &str); 11] = [
    ("account_id", "an id"),
    ("asset_id", "an id"),
    ("parent_asset_id", "an id"),
    ("consultancy_account_id", "an id"),
    ("before", "an id"),
    ("generic_asset_id, root", "an id"),
    (
        "active, all_accessible, assigned, assigned_only, can_update, include_public, inherits_access",
        "a boolean",
    ),
    ("start, end, expires_at, prior", "an instant"),
    ("duration, event_resolution, resolution", "a duration"),
    ("sort_by, sort_dir, fields, unit, generic_asset_type_id", "one of a few"),
    (
        "attributes, flex_context, flex_model, sensors_to_show, sensors_to_show_as_kpis",
        "a document, whose length has a bound as it is stored",
    ),
];

fn is_unbounded(name: &str) -> bool {
    UNBOUNDED.iter().any(|(names, _)| names.split(", ").any(|unbounded| unbounded == name))
}

#[actix_web::test]
async fn what_is_beyond_the_bounds_of_a_body_is_refused_with_the_name_of_the_field() {
    let documented = Documented::new().await;
    let mut tried = 0;
    for (method, template, path, right) in bodies() {
        let schema = documented.body_of(method, template);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let property = documented.resolved(property);
            let (within, beyond) = values(property);
            assert!(
                is_unbounded(name) || !beyond.is_empty() || property["maxItems"].is_u64(),
                "{method} {template} says no bounds of {name}: {property}"
            );
            for (value, is_refused) in within
                .into_iter()
                .map(|value| (value, false))
                .chain(beyond.into_iter().map(|value| (value, true)))
            {
                let mut body = right.clone();
                // An address has an `@` in it.
                let is_email = name == "email";
                body[name] = match value.as_str() {
                    Some(text) if is_email && text.chars().count() > 2 => json!(text.replacen("éé", "é@", 1)),
                    _ => value,
                };
                let answer = documented.send(method, path, Some(&body)).await;
                let detail = answer.body["detail"].as_str().unwrap_or_default();
                let names = detail.starts_with(&format!("`{name}` "));
                let refused = (answer.status == StatusCode::BAD_REQUEST, names);
                assert_eq!(
                    refused,
                    (is_refused, is_refused),
                    "{method} {path} {body}: {} {detail}",
                    answer.status
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

#[actix_web::test]
async fn what_is_beyond_the_bounds_of_a_query_is_refused_with_the_name_of_the_parameter() {
    let documented = Documented::new().await;
    let mut tried = 0;
    let in_query = |operation: &Value| -> Vec<Value> {
        let all = operation["parameters"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|parameter| parameter["in"] == "query").collect()
    };
    let paths = documented.document["paths"].as_object().unwrap();
    let with_query: BTreeSet<_> = paths
        .iter()
        .filter(|(path, item)| path.starts_with("/api/") && !in_query(&item["get"]).is_empty())
        .map(|(path, _)| path.trim_start_matches("/api/v3_0"))
        .collect();
    assert_eq!(with_query, QUERIES.map(|(template, _)| template).into());
    for (template, path) in QUERIES {
        for parameter in in_query(&documented.document["paths"][format!("/api/v3_0{template}")]["get"]) {
            let name = parameter["name"].as_str().unwrap();
            let (within, beyond) = values(documented.resolved(&parameter["schema"]));
            assert!(is_unbounded(name) || !beyond.is_empty(), "{template} says no bounds of {name}");
            for (value, is_refused) in within
                .into_iter()
                .map(|value| (value, false))
                .chain(beyond.into_iter().map(|value| (value, true)))
            {
                let value = value.as_str().map_or_else(|| value.to_string(), |text| text.replace('é', "x"));
                let answer = documented.send("get", &format!("{path}{name}={value}"), None).await;
                let status = if is_refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
                let detail = answer.body["detail"].as_str().unwrap_or_default();
                assert_eq!(answer.status, status, "{path}{name}={value}: {detail}");
                assert_eq!(
                    detail.contains(&format!("`{name}`")),
                    is_refused,
                    "{path}{name}={value}: {detail}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

#[actix_web::test]
async fn the_lengths_of_lists_are_declared_and_hold() {
    let documented = Documented::new().await;
    let roles = documented.body_of("patch", "/users/{user_id}/roles");
    let (grant, revoke) = (&roles["properties"]["grant"], &roles["properties"]["revoke"]);
    let most = grant["maxItems"].as_u64().unwrap();
    assert_eq!(revoke["maxItems"].as_u64(), Some(most));
    let names = |count: u64| json!((0..count).map(|number| format!("role {number}")).collect::<Vec<_>>());
    for (body, status) in [
        (json!({"grant": names(most)}), StatusCode::FORBIDDEN),
        (json!({"grant": names(most + 1)}), StatusCode::BAD_REQUEST),
        (json!({"revoke": names(most + 1)}), StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::BAD_REQUEST),
    ] {
        let answer = documented.send("patch", "/users/1/roles", Some(&body)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == StatusCode::BAD_REQUEST {
            assert!(answer.body["detail"].as_str().unwrap().contains("`grant`"), "{}", answer.body);
        }
    }
    let events = documented.body_of("post", "/sensors/{sensor_id}/measurements");
    assert_eq!((events["minItems"].as_u64(), events["maxItems"].as_u64()), (Some(1), Some(10_000)));
    assert_eq!(documented.send("post", "/sensors/1/measurements", Some(&json!([]))).await.status, 400);
    let event = |number: u64| json!({"event_start": format!("2020-01-01T00:00:{:02}.{:06}Z", number / 1_000_000, number % 1_000_000), "event_value": 1.0});
    for (count, status) in [(10_001, 400), (10_000, 201)] {
        let body = json!((0..count).map(event).collect::<Vec<_>>());
        assert_eq!(
            documented.send("post", "/sensors/1/measurements", Some(&body)).await.status,
            status,
            "{count}"
        );
    }
}

#[actix_web::test]
async fn a_consultancy_that_is_not_there_is_a_wrong_field() {
    let documented = Documented::new().await;
    let before = documented.send("get", "/accounts?page=1", None).await.body["num-records"].clone();
    let body = json!({"name": "x", "consultancy_account_id": 999_999});
    let answer = documented.send("post", "/accounts", Some(&body)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.body["detail"], "`consultancy_account_id` is not an account");
    assert_eq!(documented.send("get", "/accounts?page=1", None).await.body["num-records"], before);
}

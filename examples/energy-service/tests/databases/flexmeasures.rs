//! What clients of FlexMeasures send and read: each id in a body or a query is checked like one in a path, and documents and
//! series come back as they were stored.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use actix_web::http::{Method, StatusCode};
use energy_service::test::Server;
use serde_json::{Value, json};

use super::{
    SERVER,
    requests::{ACCOUNT_ADMIN, ADMIN, Client, LoggedIn, MEMBER, STRANGER},
    shares::execute,
};

/// The statements that make the tables old, and new again.
macro_rules! migration {
    ($database:literal) => {
        (
            include_str!(concat!("../../migrations/", $database, "/2026-12-01-120000_flexmeasures/down.sql")),
            include_str!(concat!("../../migrations/", $database, "/2026-12-01-120000_flexmeasures/up.sql")),
        )
    };
}

/// The sensors of the solar roof and of the oven, which the farm does not read.
const OWN: i32 = 1;
const OVENS: i32 = 4;
const START: &str = "2020-01-01T00:00:00Z";

async fn asset(who: &LoggedIn<'_>, more: Value) -> (StatusCode, Value) {
    let mut body =
        json!({"name": "new", "account_id": 3, "latitude": 0, "longitude": 0, "generic_asset_type_id": 5});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = who.post("/assets", body).await;
    (answer.status, answer.body)
}

#[actix_web::test]
async fn the_sensors_in_a_document_are_checked_wherever_it_is() {
    let client = Client::of(|config| config);
    let (owner, admin) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(ADMIN).await);
    let documents = |sensor: i32| {
        [
            json!({"flex_context": {"consumption-price": {"sensor": sensor}}}),
            json!({"flex_context": json!({"inflexible-device-sensors": [OWN, sensor]}).to_string()}),
            json!({"flex_model": {"soc-max": {"sensor": sensor}}}),
            json!({"sensors_to_show": [sensor]}),
            json!({"sensors_to_show": [[OWN, sensor]]}),
            json!({"sensors_to_show": [{"title": "x", "plots": [{"sensor": sensor}]}]}),
            json!({"sensors_to_show_as_kpis": [{"title": "x", "sensor": sensor, "function": "sum"}]}),
        ]
    };
    for (sensor, created, changed) in [(OWN, 201, 200), (OVENS, 403, 403), (999_999, 404, 404)] {
        for document in documents(sensor) {
            let (status, body) = asset(&owner, document.clone()).await;
            assert_eq!(status, created, "{document}: {body}");
            assert!(!body.to_string().contains("Oven"), "{body}");
            assert_eq!(owner.patch("/assets/1", document.clone()).await.status, changed, "{document}");
        }
    }
    assert_eq!(
        owner.get("/assets?account_id=3").await.body.as_array().unwrap().len(),
        2 + documents(OWN).len()
    );
    for document in documents(OVENS) {
        assert_eq!(admin.patch("/assets/1", document).await.status, 200);
    }
}

#[actix_web::test]
async fn documents_come_back_as_texts() {
    let client = Client::of(|config| config);
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    let attributes = json!({"custom-scheduler": "mine", "sensor": "no reference"});
    let (_, empty) = asset(&owner, json!({})).await;
    for (name, text) in [
        ("attributes", "{}"),
        ("flex_context", "{}"),
        ("flex_model", "{}"),
        ("sensors_to_show", "[]"),
        ("sensors_to_show_as_kpis", "[]"),
    ] {
        assert_eq!(empty[name], text, "{name}");
    }
    assert_eq!(empty["generic_asset_type_id"], 5);
    let more = json!({"attributes": attributes.to_string(), "flex_model": {"sensor": OWN}, "sensors_to_show": "[1]"});
    let (status, created) = asset(&owner, more).await;
    assert_eq!(status, StatusCode::CREATED);
    let path = format!("/assets/{}", created["id"]);
    let shown = owner.get(&path).await.body;
    assert_eq!(serde_json::from_str::<Value>(shown["attributes"].as_str().unwrap()).unwrap(), attributes);
    assert_eq!((&shown["flex_model"], &shown["sensors_to_show"]), (&json!(r#"{"sensor":1}"#), &json!("[1]")));
    // One document, which has an endpoint of its own.
    let flex_model = format!("{path}/flex-model");
    assert_eq!(owner.get(&flex_model).await.body, json!({"sensor": OWN}));
    assert_eq!(owner.put(&flex_model, json!({"power-capacity": "1 kW"})).await.status, 200);
    assert_eq!(owner.get(&path).await.body["flex_model"], r#"{"power-capacity":"1 kW"}"#);
    assert_eq!(owner.patch(&path, json!({"attributes": {}})).await.body["attributes"], "{}");

    let long = "x".repeat(60_000);
    for wrong in [
        json!({"generic_asset_type_id": 99}),
        json!({"attributes": []}),
        json!({"attributes": "{"}),
        json!({"attributes": {"x": long}}),
        json!({"flex_context": {"x": long}}),
        json!({"flex_context": {"price_sensor": 1}}),
        json!({"flex_model": "[]"}),
        json!({"sensors_to_show": [{"asset": 1}]}),
        json!({"sensors_to_show": {}}),
    ] {
        assert_eq!(asset(&owner, wrong.clone()).await.0, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(owner.patch(&path, wrong.clone()).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[actix_web::test]
async fn a_sensor_is_created_at_the_asset_of_the_body() {
    let client = Client::of(|config| config);
    let sensor = |asset: i32, resolution: &str| {
        json!({"name": "x", "unit": "kW", "event_resolution": resolution, "generic_asset_id": asset, "timezone": "Europe/Amsterdam",
               "attributes": r#"{"a": 1}"#})
    };
    let member = client.log_in(MEMBER).await;
    for (asset, status) in [(1, 201), (3, 403), (4, 403), (999_999, 404)] {
        assert_eq!(member.post("/sensors", sensor(asset, "PT15M")).await.status, status, "{asset}");
    }
    let created = member.post("/sensors", sensor(1, "P0DT1H30M0S")).await.body;
    assert_eq!(created["event_resolution"], "PT1H30M");
    assert_eq!((&created["generic_asset_id"], &created["asset_id"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&created["timezone"], &created["attributes"]),
        (&json!("Europe/Amsterdam"), &json!(r#"{"a":1}"#))
    );
    for wrong in ["PT0M", "PT30S", "P367D", "P1M", "15"] {
        assert_eq!(
            member.post("/sensors", sensor(1, wrong)).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    // Who may delete the asset changes its sensors.
    let (owner, path) = (client.log_in(ACCOUNT_ADMIN).await, format!("/sensors/{}", created["id"]));
    let change = json!({"attributes": "{}", "timezone": "UTC"});
    assert_eq!(member.patch(&path, change.clone()).await.status, StatusCode::FORBIDDEN);
    let changed = owner.patch(&path, change).await.body;
    assert_eq!((&changed["timezone"], &changed["attributes"]), (&json!("UTC"), &json!("{}")));
}

async fn series(who: &LoggedIn<'_>, query: &str) -> (StatusCode, Value) {
    let answer = who.get(&format!("/sensors/1/data?start={START}&{query}")).await;
    (answer.status, answer.body)
}

#[actix_web::test]
async fn a_series_comes_back_with_its_gaps_in_any_unit_and_resolution() {
    let client = Client::of(|config| config);
    let member = client.log_in(MEMBER).await;
    let body = |values: Value, duration: &str, unit: &str| json!({"start": START, "duration": duration, "values": values, "unit": unit, "prior": START});
    let post = async |body: Value| member.post("/sensors/1/data", body).await.status;
    assert_eq!(post(body(json!([1000, null, 3000, 5000]), "PT1H", "W")).await, 200);
    for (query, values, unit) in [
        ("duration=PT1H", json!([1.0, null, 3.0, 5.0]), "kW"),
        ("duration=PT1H30M", json!([1.0, null, 3.0, 5.0, null, null]), "kW"),
        ("duration=PT1H&unit=W", json!([1000.0, null, 3000.0, 5000.0]), "W"),
        ("duration=PT1H&resolution=PT30M", json!([1.0, 4.0]), "kW"),
        ("duration=P0DT1H0M0S&resolution=PT1H&unit=MW", json!([0.003]), "MW"),
    ] {
        let (status, shown) = series(&member, query).await;
        assert_eq!(
            (status, &shown["values"], &shown["unit"]),
            (StatusCode::OK, &values, &json!(unit)),
            "{query}"
        );
        assert_eq!(shown["start"], START);
    }
    for (query, status) in [
        ("duration=PT50M", 400),
        ("duration=PT0M", 400),
        ("duration=P10000D", 400),
        ("duration=P9999999D", 400),
        ("duration=PT1H&prior=2020-01-01T00:00:00Z", 400),
        ("duration=PT1H&unit=kWh", 409),
        ("duration=PT1H&resolution=PT20M", 409),
        ("duration=PT1H&resolution=PT5M", 409),
    ] {
        assert_eq!(series(&member, query).await.0, status, "{query}");
    }
    for (wrong, status) in [
        (body(json!([1, 2]), "PT30M", "W"), 409),
        (body(json!([1]), "PT30M", "kW"), 409),
        (body(json!([1]), "PT15M", "°C"), 409),
        (body(json!([]), "PT15M", "kW"), 400),
        (body(json!(["1"]), "PT15M", "kW"), 400),
    ] {
        assert_eq!(post(wrong.clone()).await, status, "{wrong}");
    }
    let stranger = client.log_in(STRANGER).await;
    assert_eq!(series(&stranger, "duration=PT1H").await.0, StatusCode::FORBIDDEN);
    let other = json!({"start": "2020-02-01T00:00:00Z", "duration": "PT15M", "values": [1], "unit": "kW"});
    assert_eq!(stranger.post("/sensors/1/data", other).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn measurements_are_deleted_from_start_until_before_the_end() {
    let client = Client::of(|config| config);
    let (member, owner) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let body = json!({"start": START, "duration": "PT1H15M", "values": [1, 2, 3, 4, 5], "unit": "kW"});
    assert_eq!(member.post("/sensors/1/data", body).await.status, 200);
    let remove = async |who: &LoggedIn<'_>, body: Value| {
        let body = body.to_string();
        client.send(Some(&who.token), Method::DELETE, "/api/v3_0/sensors/1/data", Some(&body)).await.status
    };
    assert_eq!(remove(&member, json!({})).await, StatusCode::FORBIDDEN);
    assert_eq!(remove(&owner, json!({"source": 1})).await, StatusCode::BAD_REQUEST);
    for (body, left) in [
        (
            json!({"start": "2020-01-01T00:15:00Z", "until": "2020-01-01T00:30:00Z"}),
            json!([1.0, null, 3.0, 4.0, 5.0]),
        ),
        (json!({"start": "2020-01-01T01:00:00Z"}), json!([1.0, null, 3.0, 4.0, null])),
        (json!({"until": "2020-01-01T00:15:00Z"}), json!([null, null, 3.0, 4.0, null])),
        (json!({}), json!([null, null, null, null, null])),
    ] {
        assert_eq!(remove(&owner, body.clone()).await, StatusCode::NO_CONTENT, "{body}");
        assert_eq!(series(&member, "duration=PT1H15M").await.1["values"], left, "{body}");
    }
    assert_eq!(owner.get("/sensors/1").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_is_too_large_for_a_unit_is_neither_stored_nor_read() {
    let client = Client::of(|config| config);
    let (member, owner) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let body = |values: Value, unit: &str| json!({"start": START, "duration": "PT30M", "values": values, "unit": unit});
    let post = async |body: Value| member.post("/sensors/1/data", body).await;
    let refused = post(body(json!([1, 1e308]), "GW")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["detail"].as_str().unwrap().starts_with("`values` "), "{}", refused.body);
    assert_eq!(series(&member, "duration=PT30M").await.1["values"], json!([null, null]));

    let long = json!({"start": START, "duration": "P".repeat(100_000), "values": [1], "unit": "kW"});
    let refused = post(long).await.body["detail"].as_str().unwrap().to_owned();
    assert!(refused.len() < 1_000 && refused.ends_with(" …"), "{} bytes", refused.len());

    assert_eq!(post(body(json!([1.7e308, 1.7e308]), "kW")).await.status, StatusCode::OK);
    assert_eq!(series(&member, "duration=PT30M&resolution=PT30M").await.1["values"], json!([1.7e308]));
    assert_eq!(series(&member, "duration=PT30M&unit=W").await.0, StatusCode::CONFLICT);
    // A unit that changed counts from then on.
    assert_eq!(owner.patch("/sensors/1", json!({"unit": "kWh"})).await.status, StatusCode::OK);
    assert_eq!(post(body(json!([1, 1]), "kW")).await.status, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn a_deletion_without_bounds_is_no_mistake() {
    let client = Client::of(|config| config);
    let (member, owner) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let body = json!({"start": START, "duration": "PT15M", "values": [1], "unit": "kW"});
    assert_eq!(member.post("/sensors/1/data", body).await.status, StatusCode::OK);
    for body in [
        json!({"start": null}),
        json!({"until": null}),
        json!({"start": "2020-01-02T00:00:00Z", "until": "2020-01-01T00:00:00Z"}),
    ] {
        let body = body.to_string();
        let answer =
            client.send(Some(&owner.token), Method::DELETE, "/api/v3_0/sensors/1/data", Some(&body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(series(&member, "duration=PT15M").await.1["values"], json!([1.0]));
}

#[actix_web::test]
async fn an_answer_has_a_limit_in_bytes_and_a_tree_one_in_assets() {
    let client = Client::of(|config| config);
    let admin = client.log_in(ADMIN).await;
    let document = "x".repeat(59_000);
    let rows = |name: &str, count: usize, attributes: &str| {
        let row = format!("('{name}', 3, '{attributes}')");
        format!("INSERT INTO assets (name, account_id, attributes) VALUES {}", vec![row; count].join(", "))
    };
    for _ in 0..3 {
        execute(&client, &rows("long", 100, &document));
    }
    assert_eq!(admin.get("/assets?filter=long").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(admin.get("/assets?filter=long&page=1&per_page=50").await.status, StatusCode::OK);
    assert_eq!(ids(&admin.get("/assets?fields=id&filter=Solar").await.body), [1]);

    for _ in 0..5 {
        execute(&client, &rows("short", 1_000, "{}"));
    }
    for query in ["depth=0&page=1", "depth=1&page=1", "depth=0&filter=Weather"] {
        let answer = admin.get(&format!("/assets?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.body["detail"].as_str().unwrap().starts_with("`depth` "), "{}", answer.body);
    }
    assert_eq!(admin.get("/assets?root=1&depth=1").await.status, StatusCode::OK);
    assert_eq!(admin.get("/assets?page=1").await.status, StatusCode::OK);
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn the_list_of_assets_is_narrowed_down_as_the_client_does() {
    let client = Client::of(|config| config);
    // The oven and the weather station are parts of the roof, and the battery is one of the oven, which the farm does not read.
    execute(
        &client,
        "UPDATE assets SET parent_asset_id = 1 WHERE id IN (3, 4); UPDATE assets SET parent_asset_id = 3 WHERE id = 2",
    );
    let (member, admin, stranger) =
        (client.log_in(MEMBER).await, client.log_in(ADMIN).await, client.log_in(STRANGER).await);
    for (query, of_member, of_admin) in [
        ("", vec![1, 2, 4], vec![1, 2, 3, 4]),
        ("all_accessible=True&include_public=False", vec![1, 2], vec![1, 2, 3]),
        ("all_accessible=False&include_public=False", vec![1, 2], vec![]),
        ("all_accessible=False&include_public=True", vec![1, 2, 4], vec![4]),
        ("all_accessible=False&include_public=False&account_id=4", vec![], vec![3]),
        ("account_id=4&include_public=True", vec![4], vec![3, 4]),
        ("root=1", vec![1, 4], vec![1, 2, 3, 4]),
        ("root=1&depth=0", vec![1], vec![1]),
        ("root=1&depth=1", vec![1, 4], vec![1, 3, 4]),
        ("depth=0", vec![1], vec![1]),
    ] {
        for (who, expected) in [(&member, &of_member), (&admin, &of_admin)] {
            let answer = who.get(&format!("/assets?{query}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
            assert_eq!(ids(&answer.body), *expected, "{query}");
        }
    }
    assert_eq!(stranger.get("/assets?root=1").await.status, StatusCode::FORBIDDEN);
    assert_eq!(stranger.get("/assets?root=999999").await.status, StatusCode::NOT_FOUND);
    let some = member.get("/assets?fields=id|name&root=1&depth=0").await.body;
    assert_eq!(some, json!([{"id": 1, "name": "Solar roof"}]));
    let page = member.get("/assets?fields=name&page=1&per_page=1").await.body;
    assert_eq!(page, json!({"data": [{"name": "Solar roof"}], "num-records": 3, "filtered-records": 3}));
    for wrong in [
        "all_accessible=1",
        "include_public=",
        "root=x",
        "depth=-1",
        "depth=101",
        "fields=",
        "fields=password_hash",
    ] {
        assert_eq!(member.get(&format!("/assets?{wrong}")).await.status, StatusCode::BAD_REQUEST, "{wrong}");
        let other = member.get(&format!("/sensors?{wrong}")).await.status;
        assert_eq!(other, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[actix_web::test]
async fn a_list_of_too_many_rows_is_a_page_or_nothing() {
    let client = Client::of(|config| config);
    let admin = client.log_in(ADMIN).await;
    let values: Vec<String> = (0..4_997).map(|number| format!("('{number}')")).collect();
    execute(&client, &format!("INSERT INTO accounts (name) VALUES {}", values.join(", ")));
    assert_eq!(admin.get("/accounts").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(admin.get("/accounts?filter=123").await.status, StatusCode::OK);
    assert_eq!(admin.get("/accounts?page=1").await.body["num-records"], 5_001);
    execute(&client, "DELETE FROM accounts WHERE name = '4996'");
    assert_eq!(admin.get("/accounts").await.body.as_array().unwrap().len(), 5_000);
}

#[actix_web::test]
async fn each_answer_names_the_version_and_what_is_left_out_says_so() {
    let client = Client::of(|config| config);
    let root = client.send(None, Method::GET, "/api/", None).await;
    assert_eq!(root.body["versions"], json!(["v3_0"]));
    let member = client.log_in(MEMBER).await;
    for (method, path) in [
        (Method::POST, "/sensors/1/schedules/trigger"),
        (Method::GET, "/sensors/1/schedules/x?duration=PT1H&unit=kW"),
        (Method::POST, "/assets/1/schedules/trigger"),
        (Method::POST, "/sensors/1/forecasts/trigger"),
        (Method::GET, "/sensors/1/forecasts/x"),
        (Method::POST, "/assets/1/reports/trigger"),
        (Method::POST, "/sensors/1/data/upload"),
        (Method::GET, "/jobs/x"),
    ] {
        let answer = client.send(Some(&member.token), method, &format!("/api/v3_0{path}"), Some("{}")).await;
        assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED, "{path}");
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.starts_with("this service "), "{message}");
        assert_eq!(answer.body["detail"], message);
    }
    let denied = member.get("/assets/3").await;
    assert_eq!(denied.body["message"], "you may not do this");
}

/// A flex-model of the tables before is one of these, and the other way round.
#[actix_web::test]
async fn flex_models_stay_when_the_tables_become_new_or_old() {
    let client = Client::of(|config| config);
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    let document = json!({"power-capacity": "1 kW"});
    assert_eq!(owner.put("/assets/1/flex-model", document.clone()).await.status, StatusCode::OK);
    let (down, up) = match SERVER {
        Server::Sqlite => migration!("sqlite"),
        Server::Postgres => migration!("postgres"),
        Server::Mysql => migration!("mysql"),
    };
    execute(&client, down);
    // One more of the service before.
    execute(&client, "INSERT INTO flex_models (asset_id, document) VALUES (2, '{}')");
    execute(&client, up);
    assert_eq!(owner.get("/assets/1/flex-model").await.body, document);
    assert_eq!(owner.get("/assets/2/flex-model").await.body, json!({}));
    assert_eq!(owner.get("/assets/3/flex-model").await.status, StatusCode::FORBIDDEN);
    assert_eq!(owner.get("/assets/4/flex-model").await.status, StatusCode::NOT_FOUND);
}

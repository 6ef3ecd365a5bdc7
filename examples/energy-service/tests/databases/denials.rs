//! Denials by the service's own rules are in its audit log, as those of guards are.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{
    requests::{ACCOUNT_ADMIN, ADMIN, CONSULTANT, Client, MEMBER},
    shares::execute,
};

/// What the log of this user has, as an admin sees it; the earliest first.
async fn log_of(user: i32, client: &Client) -> Vec<String> {
    client.service.flush().unwrap();
    let log = client.log_in(ADMIN).await.get(&format!("/users/{user}/audit-log")).await.body;
    let events = log.as_array().unwrap().iter().rev();
    events.map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_rule_of_a_handler_denies_as_a_guard_does() {
    let client = Client::of(|config| config);
    // Mia reads everything, so that only admins say whether she is active.
    let promoted =
        "INSERT INTO users_roles (user_id, role_id) SELECT 1, id FROM roles WHERE name = 'admin-reader'";
    execute(&client, promoted);
    let (adam, cora) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(CONSULTANT).await);
    let mut denied: Vec<(StatusCode, Value)> = Vec::new();
    for answer in [
        adam.patch("/users/1/roles", json!({"grant": ["account-admin"]})).await,
        adam.patch("/users/1", json!({"active": false})).await,
        cora.post("/accounts", json!({"name": "new", "consultancy_account_id": 4})).await,
    ] {
        denied.push((answer.status, answer.body["detail"].clone()));
    }
    assert_eq!(denied, vec![(StatusCode::FORBIDDEN, json!("you may not do this")); 3]);
    assert_eq!(
        log_of(2, &client).await,
        [
            "was denied update on User 1 (no-match): PATCH /api/v3_0/users/{user_id}/roles",
            "was denied update on User 1 (no-match): PATCH /api/v3_0/users/{user_id}",
        ]
    );
    assert_eq!(log_of(3, &client).await, ["was denied by create (no-match): POST /api/v3_0/accounts"]);
}

/// Rules for columns: one who may change the row may not change each of them, and nothing else of the body happens.
#[actix_web::test]
async fn some_columns_are_changed_by_fewer_people() {
    let client = Client::of(|config| config);
    let (admin, adam, mia) =
        (client.log_in(ADMIN).await, client.log_in(ACCOUNT_ADMIN).await, client.log_in(MEMBER).await);
    let before = admin.get("/accounts/3").await.body;
    let moved = json!({ "name": "Moved", "consultancy_account_id": null });
    assert_eq!(adam.patch("/accounts/3", moved.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.get("/accounts/3").await.body, before);
    assert_eq!(adam.patch("/accounts/3", json!({ "name": "Sunny" })).await.status, StatusCode::OK);
    let changed = admin.patch("/accounts/3", moved).await.body;
    assert_eq!((&changed["name"], &changed["consultancy_account_id"]), (&json!("Moved"), &Value::Null));

    let me = mia.get("/users/me").await.body["id"].to_string();
    let activated = mia.patch(&format!("/users/{me}"), json!({ "active": true })).await;
    assert_eq!(activated.status, StatusCode::FORBIDDEN);
    let renamed = mia.patch(&format!("/users/{me}"), json!({ "username": "Mia M." })).await;
    assert_eq!(renamed.status, StatusCode::OK);
    let activated = adam.patch(&format!("/users/{me}"), json!({ "active": true })).await;
    assert_eq!(activated.status, StatusCode::OK);
}

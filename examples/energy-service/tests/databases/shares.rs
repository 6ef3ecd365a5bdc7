//! Assets that are shared with a user or with an account, until a date: what they may do, and who says so.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use actix_web::http::StatusCode;
use diesel::{RunQueryDsl, connection::SimpleConnection};
use energy_service::schema::asset_audit_log;
use serde_json::{Value, json};

use super::requests::{ACCOUNT_ADMIN, ADMIN, CONSULTANT, Client, LoggedIn, MEMBER, STRANGER};

/// A colleague of the stranger.
pub(super) const COLLEAGUE: &str = "bert@bakery.example";

/// The stranger and the stranger's account.
const WITH_STRANGER: &str = "/assets/1/shares/users/4";
const WITH_ACCOUNT: &str = "/assets/1/shares/accounts/4";

const MORE: &str = "
    INSERT INTO users (account_id, email, username, password_hash, active)
        SELECT 4, 'bert@bakery.example', 'Bert Baker', password_hash, TRUE FROM users WHERE id = 4;
";

fn world() -> Client {
    let client = Client::of(|config| config);
    execute(&client, MORE);
    client
}

pub(super) fn execute(client: &Client, sql: &str) {
    client.service.database().connection().unwrap().batch_execute(sql).unwrap();
}

/// Whether the caller reads the solar roof and its sensor: by their ids, and in lists.
async fn reads(who: &LoggedIn<'_>) -> bool {
    let mut answers = Vec::new();
    for (list, id) in [("/assets", 1), ("/sensors", 1)] {
        let single = who.get(&format!("{list}/{id}")).await.status;
        assert!([StatusCode::OK, StatusCode::FORBIDDEN].contains(&single), "{single}");
        answers.push(single == StatusCode::OK);
        let listed = who.get(&format!("{list}?per_page=100")).await.body;
        answers.push(listed["data"].as_array().unwrap().iter().any(|row| row["id"] == id));
    }
    let measurements = "/sensors/1/measurements?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z";
    answers.push(who.get(measurements).await.status == StatusCode::OK);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers[0]
}

#[actix_web::test]
async fn an_asset_is_shared_with_a_user_until_that_is_taken_back() {
    let client = world();
    let (owner, stranger) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(STRANGER).await);
    let colleague = client.log_in(COLLEAGUE).await;
    assert!(!reads(&stranger).await);
    let shared = owner.put(WITH_STRANGER, json!({})).await;
    assert_eq!(shared.status, StatusCode::OK);
    let expected = json!({
        "id": shared.body["id"], "asset_id": 1, "user_id": 4, "account_id": null, "can_update": false,
        "expires_at": null,
    });
    assert_eq!(shared.body, expected);
    assert!(reads(&stranger).await);
    assert!(!reads(&colleague).await, "a share with somebody else");
    // Of the other assets of the account, none.
    assert_eq!(stranger.get("/assets/2").await.status, StatusCode::FORBIDDEN);
    for answer in [
        stranger.patch("/assets/1", json!({ "name": "mine" })).await,
        stranger.put("/assets/1/flex-model", json!({})).await,
        stranger.post("/assets/1/sensors", json!({})).await,
        stranger.patch("/sensors/1", json!({ "name": "mine" })).await,
        stranger.post("/sensors/1/measurements", json!([])).await,
        stranger.delete("/assets/1").await,
        stranger.put("/assets/1/shares/users/1", json!({})).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }

    assert_eq!(owner.delete(WITH_STRANGER).await.status, StatusCode::NO_CONTENT);
    assert!(!reads(&stranger).await);
    assert_eq!(owner.delete(WITH_STRANGER).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_asset_is_shared_with_all_users_of_an_account() {
    let client = world();
    let (owner, stranger) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(STRANGER).await);
    let colleague = client.log_in(COLLEAGUE).await;
    let shared = owner.put(WITH_ACCOUNT, json!({ "can_update": true })).await;
    assert_eq!((&shared.body["account_id"], &shared.body["user_id"]), (&json!(4), &Value::Null));
    assert!(reads(&stranger).await && reads(&colleague).await);
    assert_eq!(colleague.patch("/assets/1", json!({ "name": "Roof" })).await.status, StatusCode::OK);
    // The share with one of them is another one.
    assert_eq!(owner.delete(WITH_STRANGER).await.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.delete(WITH_ACCOUNT).await.status, StatusCode::NO_CONTENT);
    assert!(!reads(&stranger).await && !reads(&colleague).await);
}

#[actix_web::test]
async fn a_share_may_be_to_change_the_asset_and_no_more() {
    let client = world();
    let (owner, stranger) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(STRANGER).await);
    let colleague = client.log_in(COLLEAGUE).await;
    let rename = json!({ "name": "Shared roof" });
    owner.put(WITH_STRANGER, json!({ "can_update": true })).await;
    owner.put("/assets/1/shares/users/7", json!({})).await;
    assert_eq!(stranger.patch("/assets/1", rename.clone()).await.body["name"], "Shared roof");
    assert_eq!(stranger.put("/assets/1/flex-model", json!({})).await.status, StatusCode::OK);
    // A right to change it and a right to read it, of two users, make no right to change it of the second.
    assert_eq!(colleague.get("/assets/1").await.status, StatusCode::OK);
    assert_eq!(colleague.patch("/assets/1", rename.clone()).await.status, StatusCode::FORBIDDEN);
    for answer in [
        stranger.delete("/assets/1").await,
        stranger.post("/assets/1/sensors", json!({})).await,
        stranger.patch("/sensors/1", json!({})).await,
        stranger.put("/assets/1/shares/accounts/4", json!({})).await,
        stranger.delete(WITH_STRANGER).await,
        stranger.put("/assets/1/inherits-access", json!({ "inherits_access": true })).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }
    // A new share with the same user replaces the former.
    owner.put(WITH_STRANGER, json!({})).await;
    assert!(reads(&stranger).await);
    assert_eq!(stranger.patch("/assets/1", rename).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_share_that_has_ended_gives_nothing() {
    let client = world();
    let (owner, stranger) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(STRANGER).await);
    for receiver in [WITH_STRANGER, WITH_ACCOUNT] {
        // After 2038, which not every type of times in MariaDB can hold.
        let terms = json!({ "can_update": true, "expires_at": "2100-01-01T01:00:00.5+01:00" });
        let shared = owner.put(receiver, terms).await.body;
        assert_eq!(shared["expires_at"], "2100-01-01T00:00:00.500Z");
        assert!(reads(&stranger).await);
        assert_eq!(stranger.patch("/assets/1", json!({})).await.status, StatusCode::OK);
        execute(&client, "UPDATE asset_shares SET expires_at = '2020-01-01 00:00:00'");
        assert!(!reads(&stranger).await, "{receiver}");
        assert_eq!(stranger.patch("/assets/1", json!({})).await.status, StatusCode::FORBIDDEN);
        // It is still there, and may be renewed.
        let listed = owner.get("/assets/1/shares").await.body;
        assert_eq!(listed[0]["expires_at"], "2020-01-01T00:00:00Z");
        owner.put(receiver, json!({})).await;
        assert!(reads(&stranger).await);
        owner.delete(receiver).await;
    }
}

#[actix_web::test]
async fn who_may_delete_an_asset_shares_it() {
    let client = world();
    let mut users = Vec::new();
    for (email, expected) in
        [(MEMBER, 403), (ACCOUNT_ADMIN, 400), (CONSULTANT, 403), (STRANGER, 403), (ADMIN, 400)]
    {
        users.push((client.log_in(email).await, expected));
    }
    // A wrong body and a wrong query, which are not looked at before the decision.
    for (user, expected) in &users {
        for path in [WITH_STRANGER, WITH_ACCOUNT, "/assets/1/inherits-access"] {
            assert_eq!(user.put(path, json!({ "id": 1 })).await.status, *expected, "{path}");
        }
        for path in [WITH_STRANGER, WITH_ACCOUNT] {
            assert_eq!(user.delete(&format!("{path}?force=true")).await.status, *expected, "{path}");
        }
        assert_eq!(user.put("/assets/99/shares/users/4", json!({})).await.status, StatusCode::NOT_FOUND);
    }
    // Not of another account, nor a public one.
    for asset in [3, 4] {
        let path = format!("/assets/{asset}/shares/users/1");
        assert_eq!(users[1].0.put(&path, json!({})).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[actix_web::test]
async fn what_cannot_be_meant_is_refused() {
    let client = world();
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    for wrong in [
        json!({ "expires_at": "2020-01-01T00:00:00Z" }),
        json!({ "expires_at": "2100-01-01" }),
        json!({ "expires_at": 0 }),
        json!({ "can_update": null }),
        json!({ "user_id": 4 }),
        json!([]),
    ] {
        let answer = owner.put(WITH_STRANGER, wrong.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let past = owner.put(WITH_STRANGER, json!({ "expires_at": "2020-01-01T00:00:00Z" })).await;
    assert_eq!(past.body["detail"], "`expires_at` is past");
    // As `GET /users/99` and `GET /accounts/99` answer.
    for path in ["users/99", "accounts/99", "users/x", "accounts/3000000000"] {
        let path = format!("/assets/1/shares/{path}");
        assert_eq!(owner.put(&path, json!({})).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(owner.delete(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(owner.get("/assets/1/shares").await.body, json!([]));
}

#[actix_web::test]
async fn a_share_is_with_a_user_or_with_an_account_and_with_each_once() {
    let client = world();
    let connection = &mut *client.service.database().connection().unwrap();
    let mut insert = |values: &str| {
        let statement = format!("INSERT INTO asset_shares (asset_id, user_id, account_id) VALUES {values}");
        connection.batch_execute(&statement).is_ok()
    };
    assert!(
        insert("(1, 4, NULL)") && insert("(1, NULL, 4)") && insert("(2, 4, NULL)") && insert("(1, 5, NULL)")
    );
    for wrong in
        ["(1, 4, 4)", "(1, NULL, NULL)", "(1, 4, NULL)", "(1, NULL, 4)", "(99, 4, NULL)", "(3, 99, NULL)"]
    {
        assert!(!insert(wrong), "{wrong}");
    }
}

#[actix_web::test]
async fn the_shares_of_an_asset_are_listed_for_those_whom_they_concern() {
    let client = world();
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    let mut ids = Vec::new();
    for path in [WITH_STRANGER, WITH_ACCOUNT, "/assets/1/shares/users/7"] {
        ids.push(owner.put(path, json!({})).await.body["id"].clone());
    }
    owner.put("/assets/2/shares/users/4", json!({})).await;
    let [stranger, account, colleague] = ids.try_into().unwrap();
    for (email, expected) in [
        (ACCOUNT_ADMIN, vec![&colleague, &account, &stranger]),
        (CONSULTANT, vec![]),
        (ADMIN, vec![&colleague, &account, &stranger]),
        (STRANGER, vec![&account, &stranger]),
        (COLLEAGUE, vec![&colleague, &account]),
        (MEMBER, vec![]),
    ] {
        let listed = client.log_in(email).await.get("/assets/1/shares").await.body;
        let listed: Vec<_> = listed.as_array().unwrap().iter().map(|share| &share["id"]).collect();
        assert_eq!(listed, expected, "{email}");
    }
    let first = owner.get("/assets/1/shares?limit=2").await.body;
    let rest = owner.get(&format!("/assets/1/shares?limit=2&before={}", first[1]["id"])).await.body;
    assert_eq!((first[1]["id"].clone(), rest[0]["id"].clone()), (account, stranger));
    assert_eq!(rest.as_array().unwrap().len(), 1);
    for wrong in ["limit=0", "limit=101", "before=x", "page=1"] {
        let answer = owner.get(&format!("/assets/1/shares?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    // Who may not read the asset does not learn of its shares.
    let outsider = client.log_in(STRANGER).await;
    owner.delete(WITH_STRANGER).await;
    owner.delete(WITH_ACCOUNT).await;
    assert_eq!(outsider.get("/assets/1/shares").await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn the_log_tells_of_shares() {
    let client = world();
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    owner.put(WITH_STRANGER, json!({ "expires_at": "2100-01-01T00:00:00Z", "can_update": true })).await;
    owner.delete(WITH_STRANGER).await;
    owner.put("/assets/1/inherits-access", json!({ "inherits_access": true })).await;
    let connection = &mut *client.service.database().connection().unwrap();
    let query = diesel::QueryDsl::select(asset_audit_log::table, asset_audit_log::event);
    let events: Vec<String> = diesel::QueryDsl::order(query, asset_audit_log::id).load(connection).unwrap();
    assert_eq!(
        events,
        [
            "shared the asset 1 with the user 4, who may change it, until 2100-01-01T00:00:00+00:00",
            "no longer shares the asset 1 with the user 4",
            "changed the asset 1: inherits_access is true",
        ]
    );
}

/// What belongs to a share goes with it.
#[actix_web::test]
async fn a_share_ends_with_its_asset_and_its_receiver() {
    let client = world();
    let (owner, admin) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(ADMIN).await);
    owner.put("/assets/1/shares/users/7", json!({})).await;
    owner.put("/assets/2/shares/users/4", json!({})).await;
    assert_eq!(admin.delete("/users/7").await.status, StatusCode::NO_CONTENT);
    assert_eq!(owner.get("/assets/1/shares").await.body, json!([]));
    assert_eq!(owner.delete("/assets/2").await.status, StatusCode::NO_CONTENT);
}

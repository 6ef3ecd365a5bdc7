//! Consultants who serve some clients of their consultancy, and not others.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{
    requests::{ACCOUNT_ADMIN, ADMIN, CONSULTANT, Client, LoggedIn, MEMBER, STRANGER},
    shares::execute,
};

const SECOND: &str = "colin@bright.example";
const MANAGER: &str = "carl@bright.example";
const READER: &str = "rita@platform.example";

/// The consultants of Sunnyside Farm.
const CONSULTANTS: &str = "/accounts/3/consultants";
const CORA: &str = "/accounts/3/consultants/3";

/// A second consultant, with the id 7, and the account-admin of the consultancy.
const MORE: &str = "
    INSERT INTO users (id, account_id, email, username, password_hash, active)
        SELECT 7, 2, 'colin@bright.example', 'Colin Consultant', password_hash, TRUE FROM users WHERE id = 3;
    INSERT INTO users (id, account_id, email, username, password_hash, active)
        SELECT 8, 2, 'carl@bright.example', 'Carl Account-Admin', password_hash, TRUE FROM users WHERE id = 3;
    INSERT INTO users_roles (user_id, role_id) SELECT 7, id FROM roles WHERE name = 'consultant';
    INSERT INTO users_roles (user_id, role_id) SELECT 8, id FROM roles WHERE name = 'account-admin';
";

fn world() -> Client {
    let client = Client::of(|config| config);
    execute(&client, MORE);
    client
}

/// Whether the caller looks after the farm: its account, users, assets, sensors and logs, each by its id and in lists, to read and to
/// change.
async fn looks_after(who: &LoggedIn<'_>) -> bool {
    let mut answers = Vec::new();
    for path in [
        "/accounts/3",
        "/accounts/3/audit-log",
        "/users/1",
        "/users/1/audit-log",
        "/users/1/roles",
        "/assets/1",
        "/sensors/1",
    ] {
        answers.push((path, who.get(path).await.status));
    }
    for path in ["/accounts/3", "/users/1", "/assets/1", "/sensors/1"] {
        answers.push((path, who.patch(path, json!({})).await.status));
    }
    let wrong = json!({ "wrong": 1 });
    for path in ["/accounts/3/users", "/assets/1/sensors", "/sensors/1/measurements"] {
        answers.push((path, who.post(path, wrong.clone()).await.status));
    }
    for path in ["/assets/1", "/sensors/1"] {
        answers.push((path, who.delete(&format!("{path}?force=true")).await.status));
    }
    let roles = json!({ "revoke": ["account-admin"] });
    answers.push(("roles", who.patch("/users/1/roles", roles).await.status));
    let allowed = |status: StatusCode| [StatusCode::OK, StatusCode::BAD_REQUEST].contains(&status);
    let first = allowed(answers[0].1);
    for (path, status) in answers {
        assert_eq!(allowed(status), first, "{path}: {status}");
        assert!(first || status == StatusCode::FORBIDDEN, "{path}: {status}");
    }
    for (list, id) in [("/accounts", 3), ("/users", 1), ("/assets", 1), ("/sensors", 1), ("/clients", 3)] {
        let list = who.get(list).await.body;
        let rows = list.get("data").unwrap_or(&list).as_array().unwrap();
        assert_eq!(rows.iter().any(|row| row["id"] == id), first, "{list}");
    }
    first
}

fn assigned(assigned: bool) -> Value {
    json!({ "assigned": assigned })
}

fn consultants(assigned_only: bool, assigned: &[i32]) -> Value {
    json!({ "assigned_only": assigned_only, "assigned": assigned })
}

#[actix_web::test]
async fn a_client_is_for_all_consultants_or_for_those_who_are_assigned() {
    let client = world();
    let (cora, second) = (client.log_in(CONSULTANT).await, client.log_in(SECOND).await);
    let manager = client.log_in(MANAGER).await;
    assert!(looks_after(&cora).await && looks_after(&second).await);
    assert!(!looks_after(&manager).await);
    assert_eq!(manager.get(CONSULTANTS).await.body, consultants(false, &[]));

    let changed = manager.put(CONSULTANTS, json!({ "assigned_only": true })).await;
    assert_eq!(changed.body, consultants(true, &[]));
    assert!(!looks_after(&cora).await && !looks_after(&second).await);
    assert_eq!(manager.put(CORA, assigned(true)).await.body, consultants(true, &[3]));
    assert!(looks_after(&cora).await);
    assert!(!looks_after(&second).await, "the assignment of somebody else");

    assert_eq!(manager.put(CORA, assigned(false)).await.body, consultants(true, &[]));
    assert!(!looks_after(&cora).await);
    let changed = manager.put(CONSULTANTS, json!({ "assigned_only": false })).await;
    assert_eq!(changed.body, consultants(false, &[]));
    assert!(looks_after(&cora).await && looks_after(&second).await);
}

#[actix_web::test]
async fn an_assignment_is_for_one_client_alone() {
    let client = world();
    execute(
        &client,
        "INSERT INTO accounts (id, name, consultancy_account_id, assigned_consultants_only) VALUES (9, 'Mill', 2, TRUE)",
    );
    let (cora, manager) = (client.log_in(CONSULTANT).await, client.log_in(MANAGER).await);
    manager.put(CONSULTANTS, json!({ "assigned_only": true })).await;
    manager.put("/accounts/9/consultants/3", assigned(true)).await;
    assert!(!looks_after(&cora).await);
    assert_eq!(cora.get("/accounts/9").await.status, StatusCode::OK);
    let clients = cora.get("/clients").await.body;
    assert_eq!((clients[0]["id"].clone(), clients.as_array().unwrap().len()), (json!(9), 1));
}

/// It depends on the role and the account of the user, and on the consultancy of the client.
#[actix_web::test]
async fn an_assignment_makes_nobody_a_consultant() {
    let client = world();
    let (cora, manager) = (client.log_in(CONSULTANT).await, client.log_in(MANAGER).await);
    manager.put(CONSULTANTS, json!({ "assigned_only": true })).await;
    manager.put(CORA, assigned(true)).await;
    manager.put("/accounts/3/consultants/8", assigned(true)).await;
    assert!(!looks_after(&manager).await);
    for (lose, restore) in [
        (
            "DELETE FROM users_roles WHERE user_id = 3",
            "INSERT INTO users_roles (user_id, role_id) SELECT 3, id FROM roles WHERE name = 'consultant'",
        ),
        (
            "UPDATE accounts SET consultancy_account_id = 4 WHERE id = 3",
            "UPDATE accounts SET consultancy_account_id = 2 WHERE id = 3",
        ),
        (
            "UPDATE accounts SET consultancy_account_id = NULL WHERE id = 3",
            "UPDATE accounts SET consultancy_account_id = 2 WHERE id = 3",
        ),
    ] {
        assert!(looks_after(&cora).await);
        execute(&client, lose);
        assert!(!looks_after(&cora).await, "{lose}");
        execute(&client, restore);
    }
}

#[actix_web::test]
async fn who_runs_the_consultancy_assigns_its_consultants() {
    let client = world();
    for (email, expected) in [
        (MEMBER, 403),
        (ACCOUNT_ADMIN, 403),
        (CONSULTANT, 403),
        (STRANGER, 403),
        (READER, 403),
        (MANAGER, 400),
        (ADMIN, 400),
    ] {
        let user = client.log_in(email).await;
        let read = user.get(CONSULTANTS).await.status;
        assert_eq!(read == StatusCode::OK, expected == 400, "{email}");
        // A wrong body, which is not looked at before the decision.
        for path in [CONSULTANTS, CORA, "/accounts/3/consultants/99"] {
            assert_eq!(user.put(path, json!({ "id": 1 })).await.status, expected, "{path} by {email}");
        }
        let missing = user.put("/accounts/99/consultants/3", assigned(true)).await.status;
        assert_eq!(missing, StatusCode::NOT_FOUND, "{email}");
    }
    // Not of the clients of another consultancy.
    let manager = client.log_in(MANAGER).await;
    assert_eq!(manager.get("/accounts/4/consultants").await.status, StatusCode::FORBIDDEN);
    assert_eq!(manager.get("/accounts/2/consultants").await.status, StatusCode::FORBIDDEN);
}

/// Or a share would outlive the assignment.
#[actix_web::test]
async fn consultants_do_not_share_the_assets_of_clients() {
    let client = world();
    let cora = client.log_in(CONSULTANT).await;
    for path in ["/assets/1/shares/users/4", "/assets/1/shares/accounts/2"] {
        assert_eq!(cora.put(path, json!({})).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(cora.delete(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let inherits = cora.put("/assets/1/inherits-access", json!({ "inherits_access": true })).await;
    assert_eq!(inherits.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn only_users_of_the_consultancy_are_assigned() {
    let client = world();
    let manager = client.log_in(MANAGER).await;
    // A user of the client, one of another account, and one who is not there: the answers are the same.
    let mut answers = Vec::new();
    for id in [1, 4, 99] {
        let answer = manager.put(&format!("/accounts/3/consultants/{id}"), assigned(true)).await;
        answers.push((answer.status, answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
    for _ in 0..2 {
        assert_eq!(manager.put(CORA, assigned(true)).await.body, consultants(false, &[3]));
    }
    for _ in 0..2 {
        assert_eq!(manager.put(CORA, assigned(false)).await.body, consultants(false, &[]));
    }
    let admin = client.log_in(ADMIN).await;
    let log = admin.get("/accounts/2/audit-log").await.body;
    let events: Vec<_> = log.as_array().unwrap().iter().map(|entry| entry["event"].clone()).collect();
    assert_eq!(events, ["withdrew the user 3 from the account 3", "assigned the user 3 to the account 3"]);
}

/// An account may be its own consultancy, and an account-admin changes its users. Who makes account-admins looks after it.
#[actix_web::test]
async fn who_is_not_assigned_makes_no_account_admins() {
    let client = world();
    execute(
        &client,
        "UPDATE accounts SET consultancy_account_id = 2 WHERE id = 2;
         INSERT INTO users_roles (user_id, role_id) SELECT 8, id FROM roles WHERE name = 'consultant';",
    );
    let manager = client.log_in(MANAGER).await;
    let grant = json!({ "grant": ["account-admin"] });
    manager.put("/accounts/2/consultants", json!({ "assigned_only": true })).await;
    assert_eq!(manager.patch("/users/7/roles", grant.clone()).await.status, StatusCode::FORBIDDEN);
    let consultant = manager.patch("/users/7/roles", json!({ "grant": ["consultant"] })).await;
    assert_eq!(consultant.status, StatusCode::OK);
    manager.put("/accounts/2/consultants/8", assigned(true)).await;
    assert_eq!(manager.patch("/users/7/roles", grant).await.status, StatusCode::OK);
}

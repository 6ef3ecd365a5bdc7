//! Assets in a tree: the readers of the whole read a part where somebody who may share the part said so, and nowhere else.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use actix_web::http::StatusCode;
use serde_json::json;

use super::{
    requests::{ACCOUNT_ADMIN, ADMIN, Client, LoggedIn, MEMBER, STRANGER},
    shares::execute,
};

const SUPPLIER: &str = "wilma@windpark.example";

/// The bakery's oven is a part of the farm's roof, and has a part itself. The stranger runs the account of the bakery. The supplier
/// belongs to neither of the accounts.
const MORE: &str = "
    UPDATE assets SET parent_asset_id = 1 WHERE id = 3;
    INSERT INTO assets (id, name, account_id, parent_asset_id) VALUES (10, 'Door of the oven', 4, 3);
    INSERT INTO users_roles (user_id, role_id) SELECT 4, id FROM roles WHERE name = 'account-admin';
    INSERT INTO accounts (id, name) VALUES (5, 'Wind Park');
    INSERT INTO users (account_id, email, username, password_hash, active)
        SELECT 5, 'wilma@windpark.example', 'Wilma Wind', password_hash, TRUE FROM users WHERE id = 1;
";

fn world() -> Client {
    let client = Client::of(|config| config);
    execute(&client, MORE);
    client
}

/// Which of these assets the caller reads: by their ids, and in the list.
async fn read(who: &LoggedIn<'_>, assets: &[i64]) -> Vec<i64> {
    let list = who.get("/assets?per_page=100").await.body;
    let listed: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    let listed: Vec<_> = assets.iter().copied().filter(|id| listed.contains(id)).collect();
    let mut found = Vec::new();
    for id in assets {
        if who.get(&format!("/assets/{id}")).await.status == StatusCode::OK {
            found.push(*id);
        }
    }
    assert_eq!(listed, found);
    found
}

async fn inherits(who: &LoggedIn<'_>, asset: i64, inherits: bool) -> StatusCode {
    let path = format!("/assets/{asset}/inherits-access");
    who.put(&path, json!({ "inherits_access": inherits })).await.status
}

#[actix_web::test]
async fn a_right_to_read_goes_down_where_the_part_says_so() {
    let client = world();
    let (member, owner) = (client.log_in(MEMBER).await, client.log_in(STRANGER).await);
    assert_eq!(read(&member, &[1, 3, 10]).await, [1]);
    // What is further down says nothing of what is between.
    assert_eq!(inherits(&owner, 10, true).await, StatusCode::OK);
    assert_eq!(read(&member, &[1, 3, 10]).await, [1]);
    assert_eq!(inherits(&owner, 3, true).await, StatusCode::OK);
    assert_eq!(read(&member, &[1, 3, 10]).await, [1, 3, 10]);
    assert_eq!(member.get("/sensors/4").await.status, StatusCode::OK);
    let sensors = member.get("/sensors?asset_id=3").await.body;
    assert_eq!(sensors.as_array().unwrap().len(), 1);
    // No right goes up, and none but that to read goes down.
    assert_eq!(read(&owner, &[1, 3, 10]).await, [3, 10]);
    for answer in [
        member.patch("/assets/3", json!({ "name": "mine" })).await,
        member.post("/assets/3/sensors", json!({})).await,
        member.delete("/assets/3").await,
        member.post("/sensors/4/measurements", json!([])).await,
        member.put("/assets/3/shares/users/1", json!({})).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    }
    assert_eq!(inherits(&owner, 3, false).await, StatusCode::OK);
    assert_eq!(read(&member, &[1, 3, 10]).await, [1]);
    assert_eq!(member.get("/sensors/4").await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_share_of_the_whole_reaches_the_parts_that_say_so() {
    let client = world();
    let (owner, supplier) = (client.log_in(ACCOUNT_ADMIN).await, client.log_in(SUPPLIER).await);
    let baker = client.log_in(STRANGER).await;
    inherits(&baker, 3, true).await;
    assert_eq!(read(&supplier, &[1, 3, 10]).await, Vec::<i64>::new());
    owner.put("/assets/1/shares/accounts/5", json!({ "can_update": true })).await;
    assert_eq!(read(&supplier, &[1, 3, 10]).await, [1, 3]);
    assert_eq!(supplier.patch("/assets/1", json!({ "name": "Roof" })).await.status, StatusCode::OK);
    assert_eq!(supplier.patch("/assets/3", json!({ "name": "Roof" })).await.status, StatusCode::FORBIDDEN);
    owner.delete("/assets/1/shares/accounts/5").await;
    assert_eq!(read(&supplier, &[1, 3, 10]).await, Vec::<i64>::new());
    // Without the whole there is nothing to inherit.
    let member = client.log_in(MEMBER).await;
    assert_eq!(read(&member, &[3]).await, [3]);
    assert_eq!(owner.delete("/assets/1").await.status, StatusCode::NO_CONTENT);
    assert_eq!(read(&member, &[3]).await, Vec::<i64>::new());
}

#[actix_web::test]
async fn who_may_share_a_part_says_whether_it_inherits() {
    let client = world();
    for (email, expected) in [
        // They may read the whole, and not the part.
        (MEMBER, StatusCode::FORBIDDEN),
        (ACCOUNT_ADMIN, StatusCode::FORBIDDEN),
        (SUPPLIER, StatusCode::FORBIDDEN),
        (STRANGER, StatusCode::OK),
        (ADMIN, StatusCode::OK),
    ] {
        assert_eq!(inherits(&client.log_in(email).await, 3, true).await, expected, "{email}");
    }
    // To belong to the account of the part is not enough, nor is a share to change it.
    execute(&client, "DELETE FROM users_roles WHERE user_id = 4");
    assert_eq!(inherits(&client.log_in(STRANGER).await, 3, false).await, StatusCode::FORBIDDEN);
    let admin = client.log_in(ADMIN).await;
    admin.put("/assets/3/shares/users/1", json!({ "can_update": true })).await;
    let member = client.log_in(MEMBER).await;
    assert_eq!(member.patch("/assets/3", json!({})).await.status, StatusCode::OK);
    assert_eq!(inherits(&member, 3, false).await, StatusCode::FORBIDDEN);
    let changed = member.patch("/assets/3", json!({ "inherits_access": false })).await;
    assert_eq!(changed.status, StatusCode::BAD_REQUEST);
    assert_eq!(member.get("/assets/3").await.body["inherits_access"], true);
}

#[actix_web::test]
async fn a_new_part_inherits_nothing_unless_it_says_so() {
    let client = world();
    let owner = client.log_in(ACCOUNT_ADMIN).await;
    owner.put("/assets/1/shares/accounts/5", json!({})).await;
    let supplier = client.log_in(SUPPLIER).await;
    for (body, expected) in [
        (json!({ "name": "part", "account_id": 3, "parent_asset_id": 1 }), false),
        (json!({ "name": "part", "account_id": 3, "parent_asset_id": 1, "inherits_access": true }), true),
        (json!({ "name": "no part", "account_id": 3, "inherits_access": true }), false),
    ] {
        let created = owner.post("/assets", body.clone()).await;
        assert_eq!(created.status, StatusCode::CREATED, "{body}");
        let path = format!("/assets/{}", created.body["id"]);
        let expected = if expected { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(supplier.get(&path).await.status, expected, "{body}");
    }
}

/// No request makes one: the whole of a part is chosen when the part is created.
#[actix_web::test]
async fn a_circle_gives_nothing_and_ends() {
    let client = world();
    execute(
        &client,
        "INSERT INTO assets (id, name, account_id, inherits_access) VALUES
             (20, 'one', 4, TRUE), (21, 'other', 4, TRUE), (22, 'its own part', 4, TRUE);
         UPDATE assets SET parent_asset_id = 21 WHERE id = 20;
         UPDATE assets SET parent_asset_id = 20 WHERE id = 21;
         UPDATE assets SET parent_asset_id = 22 WHERE id = 22;",
    );
    let (member, owner) = (client.log_in(MEMBER).await, client.log_in(STRANGER).await);
    assert_eq!(read(&member, &[20, 21, 22]).await, Vec::<i64>::new());
    assert_eq!(read(&owner, &[20, 21, 22]).await, [20, 21, 22]);
    // What one of them is shared with goes around once.
    owner.put("/assets/20/shares/users/1", json!({})).await;
    assert_eq!(read(&member, &[20, 21, 22]).await, [20, 21]);
}

//! Every list, of endpoints and of pages, shows only objects that its reader may see by themselves.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use diesel::{QueryDsl, RunQueryDsl, connection::SimpleConnection};
use energy_service::{Service, schema::users};
use serde_json::{Value, json};

use super::{
    models::token,
    requests::{ADMIN, Client},
};
use crate::browser::Browser;

/// A member of the consultancy who is no consultant, and an asset whose parts belong to others.
const MORE: &str = "
    INSERT INTO users (account_id, email, username, password_hash, active)
        SELECT account_id, 'colin@bright.example', 'Colin Colleague', password_hash, TRUE FROM users
        WHERE email = 'cora@bright.example';
    UPDATE assets SET parent_asset_id = 1 WHERE name = 'Oven' OR name = 'Weather station';
    UPDATE assets SET flex_model = '{}' WHERE id = 1;
";

/// The lists of objects that have an endpoint of their own, as a page and as a whole, and the part of a list that has them.
const LISTS: [(&str, &str, &str); 10] = [
    ("/accounts", "", "/accounts"),
    ("/users", "", "/users"),
    ("/assets", "", "/assets"),
    ("/sensors", "", "/sensors"),
    ("/accounts?per_page=100", "/data", "/accounts"),
    ("/users?per_page=100", "/data", "/users"),
    ("/assets?per_page=100", "/data", "/assets"),
    ("/sensors?per_page=100", "/data", "/sensors"),
    ("/clients", "", "/accounts"),
    ("/portfolio", "", "/assets"),
];

/// The lists of the parts of one object, whose guard decides about all of them, and of the roles and of the types of
/// assets, which are the same for all accounts.
const OF_ONE: [&str; 7] = [
    "/accounts/{account_id}/audit-log",
    "/assets/types",
    "/assets/{asset_id}/shares",
    "/roles",
    "/sensors/{sensor_id}/measurements",
    "/users/{user_id}/audit-log",
    "/users/{user_id}/roles",
];

fn world() -> (Client, Vec<String>) {
    let client = Client::of(|config| config);
    let connection = &mut *client.service.database().connection().unwrap();
    connection.batch_execute(MORE).unwrap();
    let emails = users::table.order(users::id).select(users::email).load(connection).unwrap();
    (client, emails)
}

fn bearer(client: &Client, email: &str) -> String {
    token(email, &mut client.service.database().connection().unwrap()).as_str().to_owned()
}

#[actix_web::test]
async fn each_object_of_a_list_is_what_its_reader_may_see_by_itself() {
    let (client, emails) = world();
    assert_eq!(emails.len(), 7);
    let mut shown = BTreeMap::<_, usize>::new();
    for email in &emails {
        let token = bearer(&client, email);
        let get = async |path: &str| {
            client.send(Some(&token), actix_web::http::Method::GET, &format!("/api/v3_0{path}"), None).await
        };
        for (list, part, single) in LISTS {
            let answer = get(list).await;
            if answer.status == StatusCode::FORBIDDEN {
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{list} by {email}");
            for listed in answer.body.pointer(part).unwrap().as_array().unwrap() {
                let mut listed = listed.clone();
                let path = format!("{single}/{}", listed["id"]);
                let answer = get(&path).await;
                assert_eq!(answer.status, StatusCode::OK, "{path} of {list} by {email}");
                if let Some(number) = listed.as_object_mut().unwrap().remove("number_of_sensors") {
                    let sensors = get(&format!("/sensors?asset_id={}", listed["id"])).await.body;
                    assert_eq!(number, sensors.as_array().unwrap().len(), "{path}");
                }
                assert_eq!(listed, answer.body, "{path} of {list} by {email}");
                *shown.entry(list).or_default() += 1;
            }
        }
    }
    assert_eq!(shown.len(), LISTS.len(), "each list shows something to somebody: {shown:?}");
}

/// A list that is added has to be added here, too.
#[actix_web::test]
async fn every_endpoint_with_a_list_is_looked_at() {
    let (client, _) = world();
    let document = client.send(None, actix_web::http::Method::GET, "/api/v3_0/openapi.json", None).await.body;
    let is_list = |operation: &Value| {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        schema["type"] == "array" || schema["$ref"].as_str().is_some_and(|name| name.contains("/Rows_"))
    };
    let lists: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, item)| is_list(&item["get"]))
        .map(|(path, _)| path.trim_start_matches("/api/v3_0").to_owned())
        .collect();
    let looked_at = LISTS.map(|(list, ..)| list.split('?').next().unwrap()).into_iter().chain(OF_ONE);
    assert_eq!(lists, looked_at.map(str::to_owned).collect());
}

/// Follows all links of the pages, and looks up the choices of their forms.
#[actix_web::test]
async fn each_page_links_to_what_its_reader_may_see() {
    let (client, emails) = world();
    let mut pages = BTreeMap::new();
    for email in &emails {
        let browser = Browser::logged_in(&client.service, email).await;
        pages.insert(email.as_str(), visited(browser, &client.service, email).await);
    }
    let of_admin = &pages[ADMIN];
    assert!(of_admin.len() > 40, "{of_admin:?}");
    for (email, visited) in &pages {
        assert!(visited.is_subset(of_admin) && visited.len() > 10, "{email}: {visited:?}");
    }
}

async fn visited(mut browser: Browser, service: &Service, email: &str) -> BTreeSet<String> {
    let (mut visited, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(path) = next.pop() {
        let page = browser.get(service, &path).await;
        assert_eq!(page.status, StatusCode::OK, "{path} by {email}: {}", page.body);
        let links = page.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let links = links.map(|link| link.replace("&amp;", "&")).filter(|link| link.starts_with('/'));
        for (field, single) in [("user", "users"), ("account_id", "accounts")] {
            for id in choices(&page.body, field) {
                let answer = browser.get(service, &format!("/api/v3_0/{single}/{id}")).await;
                assert_eq!(answer.status, StatusCode::OK, "{single} {id} on {path} by {email}");
            }
        }
        visited.insert(path);
        next.extend(links.filter(|link| !visited.contains(link)).collect::<BTreeSet<_>>());
        next.retain(|path| !visited.contains(path));
    }
    visited
}

/// The values that a field offers, but for the empty one.
fn choices(page: &str, field: &str) -> Vec<String> {
    let Some((_, select)) = page.split_once(&format!("<select id=\"{field}\"")) else { return Vec::new() };
    let options = select.split("</select>").next().unwrap().split("<option value=\"").skip(1);
    options.map(|rest| rest.split('"').next().unwrap().to_owned()).filter(|value| !value.is_empty()).collect()
}

#[actix_web::test]
async fn who_is_no_consultant_has_no_clients() {
    let (client, _) = world();
    for (email, expected) in
        [("cora@bright.example", json!(["Sunnyside Farm"])), ("colin@bright.example", json!([]))]
    {
        let token = bearer(&client, email);
        let answer = client.send(Some(&token), actix_web::http::Method::GET, "/api/v3_0/clients", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{email}");
        let names: Vec<_> =
            answer.body.as_array().unwrap().iter().map(|client| client["name"].clone()).collect();
        assert_eq!(json!(names), expected, "{email}");
    }
}

//! The answers of the service, in the demo world. Permissions are the subject of `models.rs`; this is about requests.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use std::time::Duration;

use actix_web::{
    App,
    http::{Method, StatusCode, header},
    test::{TestRequest, call_service, init_service, read_body},
};
use energy_service::{Config, Service, demo::PASSWORD, test::TestDatabase};
use serde_json::{Value, json};

use super::SERVER;

pub(super) const MEMBER: &str = "mia@sunnyside.example";
pub(super) const ACCOUNT_ADMIN: &str = "adam@sunnyside.example";
pub(super) const CONSULTANT: &str = "cora@bright.example";
pub(super) const STRANGER: &str = "sven@bakery.example";
pub(super) const ADMIN: &str = "ada@platform.example";

const ACCOUNT: i32 = 3;
const OTHER_ACCOUNT: i32 = 4;

/// An answer: status, `Location`, body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    location: Option<String>,
    pub(super) body: Value,
}

pub(super) struct Client {
    pub(super) service: Service,
    // Last, so that it outlives the service.
    _place: TestDatabase,
}

impl Client {
    fn new() -> Self {
        Self::of(|config| config)
    }

    pub(super) fn of(configure: impl FnOnce(Config) -> Config) -> Self {
        let place = SERVER.database();
        let config = configure(Config { demo: true, ..place.config() });
        Self { service: Service::open(&config).unwrap(), _place: place }
    }

    /// One request, by an anonymous caller where `token` is none.
    pub(super) async fn send(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> Answer {
        let app = init_service(App::new().configure(|config| self.service.configure(config))).await;
        let mut request = TestRequest::with_uri(path).method(method);
        if let Some(token) = token {
            request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        if let Some(body) = body {
            request = request.insert_header(header::ContentType::json()).set_payload(body.to_owned());
        }
        let response = call_service(&app, request.to_request()).await;
        let status = response.status();
        let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let location = text(header::LOCATION);
        if status.is_client_error() {
            assert_eq!(text(header::CONTENT_TYPE).as_deref(), Some("application/problem+json"), "{path}");
        }
        if status == StatusCode::UNAUTHORIZED {
            assert!(text(header::WWW_AUTHENTICATE).is_some(), "{path}");
        }
        let body = read_body(response).await;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answer { status, location, body }
    }

    pub(super) async fn log_in(&self, email: &str) -> LoggedIn<'_> {
        let credentials = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = self.send(None, Method::POST, "/api/requestAuthToken", Some(&credentials)).await;
        assert_eq!(answer.status, StatusCode::OK);
        LoggedIn { client: self, token: answer.body["auth_token"].as_str().unwrap().to_owned() }
    }
}

pub(super) struct LoggedIn<'a> {
    client: &'a Client,
    pub(super) token: String,
}

impl LoggedIn<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        self.client.send(Some(&self.token), method, &format!("/api/v3_0{path}"), body.as_deref()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }
}

#[actix_web::test]
async fn a_failed_log_in_does_not_say_why() {
    let client = Client::new();
    let admin = client.log_in(ADMIN).await;
    let me = admin.get("/users/me").await.body;
    assert_eq!(me["roles"], json!(["admin"]));
    assert_eq!(me.get("password_hash"), None);
    admin.patch("/users/4", json!({ "active": false })).await;

    let mut answers = Vec::new();
    for (email, password) in [
        (MEMBER, "wrong"),
        ("nobody@sunnyside.example", PASSWORD),
        (STRANGER, PASSWORD),
        ("mia@sunnyside.example\0", PASSWORD),
        ("mía@sunnyside.example", PASSWORD),
    ] {
        let credentials = json!({ "email": email, "password": password }).to_string();
        let answer = client.send(None, Method::POST, "/api/requestAuthToken", Some(&credentials)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{email}");
        answers.push(answer.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[actix_web::test]
async fn an_address_is_known_in_upper_case_too() {
    let client = Client::new();
    let member = client.log_in("Mia@SunnySide.Example").await;
    assert_eq!(member.get("/users/me").await.body["email"], json!(MEMBER));
}

#[actix_web::test]
async fn a_deactivated_user_is_logged_out_for_good() {
    let client = Client::new();
    let (member, account_admin) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    assert_eq!(member.get("/users/me").await.status, StatusCode::OK);
    assert_eq!(
        account_admin.patch("/users/1", json!({ "active": false })).await.body["active"],
        json!(false)
    );
    assert_eq!(member.get("/users/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(account_admin.patch("/users/1", json!({ "active": true })).await.status, StatusCode::OK);
    assert_eq!(member.get("/users/me").await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn every_endpoint_but_the_log_in_needs_one() {
    let client = Client::new();
    for (method, path) in [
        (Method::GET, "/accounts"),
        (Method::GET, "/users"),
        (Method::GET, "/assets"),
        (Method::GET, "/sensors"),
        (Method::GET, "/accounts/3"),
        (Method::PATCH, "/accounts/3"),
        (Method::GET, "/clients"),
        (Method::GET, "/portfolio"),
        (Method::GET, "/roles"),
        (Method::DELETE, "/auth-tokens/current"),
        (Method::GET, "/users/me"),
        (Method::GET, "/users/1"),
        (Method::PATCH, "/users/1"),
        (Method::POST, "/assets"),
        (Method::GET, "/assets/4"),
        (Method::PATCH, "/assets/4"),
        (Method::DELETE, "/assets/4"),
        (Method::POST, "/assets/4/sensors"),
        (Method::GET, "/sensors/5"),
        (Method::PATCH, "/sensors/5"),
        (Method::DELETE, "/sensors/5"),
        (Method::GET, "/sensors/5/measurements"),
        (Method::POST, "/sensors/5/measurements"),
        (Method::GET, "/sensors/5/measurements/live"),
        (Method::POST, "/accounts"),
        (Method::DELETE, "/accounts/3"),
        (Method::GET, "/accounts/3/audit-log"),
        (Method::GET, "/accounts/3/consultants"),
        (Method::PUT, "/accounts/3/consultants"),
        (Method::PUT, "/accounts/3/consultants/3"),
        (Method::GET, "/assets/4/shares"),
        (Method::PUT, "/assets/4/shares/users/1"),
        (Method::DELETE, "/assets/4/shares/users/1"),
        (Method::PUT, "/assets/4/shares/accounts/3"),
        (Method::DELETE, "/assets/4/shares/accounts/3"),
        (Method::PUT, "/assets/4/inherits-access"),
        (Method::POST, "/accounts/3/users"),
        (Method::DELETE, "/users/1"),
        (Method::GET, "/users/1/audit-log"),
        (Method::GET, "/users/1/roles"),
        (Method::PATCH, "/users/1/roles"),
        (Method::GET, "/audit-log/1"),
        (Method::GET, "/asset-audit-log/1"),
        (Method::GET, "/platform/permissions/read"),
    ] {
        // Neither the body nor the query is looked at before.
        let answer = client.send(None, method.clone(), &format!("/api/v3_0{path}"), Some("{")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    for path in ["/nothing", "/api/nothing", "/api/v3_0/nothing"] {
        assert_eq!(client.send(None, Method::GET, path, None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[actix_web::test]
async fn what_asks_for_roles_is_for_who_has_them() {
    let client = Client::new();
    let (member, account_admin) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let (consultant, admin) = (client.log_in(CONSULTANT).await, client.log_in(ADMIN).await);
    for (path, who, expected) in [
        ("/roles", &member, 403),
        ("/roles", &account_admin, 200),
        ("/roles", &consultant, 200),
        ("/roles", &admin, 200),
        ("/clients", &member, 403),
        ("/clients", &consultant, 200),
        ("/portfolio", &consultant, 403),
        ("/portfolio", &member, 200),
    ] {
        assert_eq!(who.get(path).await.status, expected, "{path}");
    }
    assert_eq!(consultant.get("/clients").await.body[0]["id"], json!(ACCOUNT));
    assert_eq!(member.get("/portfolio").await.body[0]["number_of_sensors"], json!(2));
}

#[actix_web::test]
async fn sensors_come_and_go_with_their_asset() {
    let client = Client::new();
    let (member, account_admin) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let sensor = json!({ "name": "temperature", "unit": "°C", "event_resolution_minutes": 15 });

    let stranger = client.log_in(STRANGER).await;
    assert_eq!(
        stranger.post("/assets/1/sensors", json!("not even a sensor")).await.status,
        StatusCode::FORBIDDEN
    );
    let created = member.post("/assets/1/sensors", sensor).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let location = created.location.unwrap();
    let path = location.strip_prefix("/api/v3_0").unwrap();
    assert_eq!(without_buttons(member.get(path).await.body), created.body);

    assert_eq!(member.patch(path, json!({ "unit": "K" })).await.status, StatusCode::FORBIDDEN);
    assert_eq!(account_admin.patch(path, json!({ "unit": "K" })).await.body["unit"], json!("K"));
    assert_eq!(account_admin.patch(path, json!({})).await.body["unit"], json!("K"));

    assert_eq!(member.delete("/assets/1").await.status, StatusCode::FORBIDDEN);
    let deleted = account_admin.delete("/assets/1").await;
    assert_eq!((deleted.status, deleted.body), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(account_admin.delete("/assets/1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(account_admin.get(path).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_asset_is_created_only_where_its_body_may_say() {
    let client = Client::new();
    let (member, account_admin) = (client.log_in(MEMBER).await, client.log_in(ACCOUNT_ADMIN).await);
    let (consultant, admin) = (client.log_in(CONSULTANT).await, client.log_in(ADMIN).await);
    for (who, account, parent, expected) in [
        (&member, Some(ACCOUNT), None, 403),
        (&account_admin, Some(ACCOUNT), None, 201),
        (&account_admin, Some(ACCOUNT), Some(1), 201),
        // The oven of the bakery, and a public asset.
        (&account_admin, Some(ACCOUNT), Some(3), 403),
        (&account_admin, Some(ACCOUNT), Some(4), 403),
        (&account_admin, Some(ACCOUNT), Some(99), 404),
        (&account_admin, Some(OTHER_ACCOUNT), None, 403),
        (&account_admin, Some(99), None, 404),
        (&account_admin, None, None, 403),
        (&consultant, Some(ACCOUNT), None, 201),
        (&consultant, Some(OTHER_ACCOUNT), None, 403),
        (&admin, Some(OTHER_ACCOUNT), None, 201),
        (&admin, None, None, 201),
    ] {
        let body = json!({ "name": "Heat pump", "account_id": account, "parent_asset_id": parent });
        let answer = who.post("/assets", body).await;
        assert_eq!(answer.status, expected, "account {account:?}, parent {parent:?}");
        if expected == 201 {
            let location = answer.location.unwrap();
            let shown = admin.get(location.strip_prefix("/api/v3_0").unwrap()).await.body;
            assert_eq!(without_buttons(shown), answer.body);
        }
    }
}

#[actix_web::test]
async fn a_change_touches_what_may_change_and_nothing_else() {
    let client = Client::new();
    let admin = client.log_in(ADMIN).await;
    for (path, body) in [
        ("/accounts/3", json!({ "consultancy_account_id": "4" })),
        ("/accounts/3", json!({ "consultancy_account_id": 99_999 })),
        ("/accounts/3", json!({ "name": " " })),
        ("/users/1", json!({ "account_id": 4 })),
        ("/users/1", json!({ "password": "new" })),
        ("/users/1", json!({ "roles": ["admin"] })),
        ("/users/1", json!({ "active": null })),
        ("/assets/1", json!({ "account_id": null })),
        ("/assets/1", json!({ "parent_asset_id": 2 })),
        ("/assets/1", json!({ "id": 9 })),
        ("/assets/1", json!({ "name": null })),
        ("/assets/1", json!({ "latitude": 90.5 })),
        ("/sensors/1", json!({ "asset_id": 2 })),
        ("/sensors/1", json!({ "unit": "a unit of more than twenty characters" })),
    ] {
        let before = admin.get(path).await.body;
        assert_eq!(admin.patch(path, body.clone()).await.status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert_eq!(admin.get(path).await.body, before, "{path} {body}");
    }
    let changed = admin.patch("/assets/1", json!({ "latitude": null, "name": "South roof" })).await.body;
    assert_eq!((&changed["name"], &changed["latitude"]), (&json!("South roof"), &Value::Null));
    assert_ne!(changed["longitude"], Value::Null);
    assert_eq!(without_buttons(admin.get("/assets/1").await.body), changed);
}

#[actix_web::test]
async fn measurements_are_recorded_once_and_read_by_half_open_ranges() {
    let client = Client::new();
    let member = client.log_in(MEMBER).await;
    let created = member
        .post(
            "/sensors/1/measurements",
            json!([
                { "event_start": "2030-01-01T01:15:00+01:00", "event_value": 2.5 },
                { "event_start": "2030-01-01T01:00:00+01:00", "event_value": 1 },
            ]),
        )
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    let both = json!([
        { "event_start": "2030-01-01T00:00:00Z", "event_value": 1.0 },
        { "event_start": "2030-01-01T00:15:00Z", "event_value": 2.5 },
    ]);
    assert_eq!(created.body, both);
    assert_eq!(member.get(created.location.unwrap().strip_prefix("/api/v3_0").unwrap()).await.body, both);

    let range = async |start: &str, end: &str| {
        member.get(&format!("/sensors/1/measurements?start={start}&end={end}")).await
    };
    let first = range("2030-01-01T01:00:00%2B01:00", "2030-01-01T00:15:00Z").await;
    assert_eq!(first.body, json!([both[0]]));
    assert_eq!(range("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z").await.body, json!([]));
    for (start, end) in
        [("2030-01-02T00:00:00Z", "2030-01-01T00:00:00Z"), ("2030-01-01", "2030-01-02"), ("", "")]
    {
        assert_eq!(range(start, end).await.status, StatusCode::BAD_REQUEST, "{start} {end}");
    }
    assert_eq!(member.get("/sensors/1/measurements").await.status, StatusCode::BAD_REQUEST);

    // All or none: the first of these is new.
    let twice = json!([
        { "event_start": "2029-12-31T23:45:00Z", "event_value": 0 },
        { "event_start": "2030-01-01T00:00:00Z", "event_value": 9 },
    ]);
    assert_eq!(member.post("/sensors/1/measurements", twice).await.status, StatusCode::CONFLICT);
    assert_eq!(range("2029-12-31T00:00:00Z", "2030-01-02T00:00:00Z").await.body, both);
}

#[actix_web::test]
async fn a_request_is_about_ten_thousand_measurements_at_most() {
    let client = Client::new();
    let member = client.log_in(MEMBER).await;
    let events = |from: u32, number: u32| {
        (from..from + number)
            .map(|second| {
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                json!({ "event_start": format!("2030-01-01T{hour:02}:{minute:02}:{second:02}Z"), "event_value": 0 })
            })
            .collect::<Value>()
    };
    let range = "/sensors/1/measurements?start=2030-01-01T00:00:00Z&end=2030-01-02T00:00:00Z";
    let path = "/sensors/1/measurements";
    assert_eq!(member.post(path, json!([])).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(member.post(path, events(0, 10_001)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(member.post(path, events(0, 10_000)).await.status, StatusCode::CREATED);
    assert_eq!(member.get(range).await.body.as_array().unwrap().len(), 10_000);
    assert_eq!(member.post(path, events(10_000, 1)).await.status, StatusCode::CREATED);
    let answer = member.get(range).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body["detail"].as_str().unwrap().contains("10000"), "{}", answer.body);
    let huge = json!("x".repeat(3 * 1024 * 1024));
    assert_eq!(member.post(path, huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn the_database_out_of_reach_is_503_and_says_no_more() {
    let client = Client::of(|config| Config { pool_size: 1, pool_wait: Duration::from_millis(20), ..config });
    let member = client.log_in(MEMBER).await;
    let connection = client.service.database().connection().unwrap();
    let credentials = json!({ "email": MEMBER, "password": PASSWORD }).to_string();
    for answer in [
        member.get("/assets/1").await,
        client.send(None, Method::POST, "/api/requestAuthToken", Some(&credentials)).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.body["detail"], json!("the service cannot answer at the moment; try again later"));
    }
    drop(connection);
    assert_eq!(member.get("/assets/1").await.status, StatusCode::OK);
}

/// A row by itself, without what its reader may do with it.
fn without_buttons(mut row: Value) -> Value {
    assert!(row.as_object_mut().unwrap().remove("_can").is_some(), "{row}");
    row
}

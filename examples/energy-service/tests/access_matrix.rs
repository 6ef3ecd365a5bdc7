//! The access to every route of the service, as each kind of subject and for each kind of object, compared with
//! `access-matrix.md`, which people review.
//!
//! The expected answers stand in that file alone, and never come from the attributes: deleting any of them turns this
//! red, and another test of the workspace proves it.
#![expect(clippy::unwrap_used, reason = "the functions of a test may panic, too")]

use actix_web::{
    App,
    body::BoxBody,
    dev::ServiceResponse,
    http::{
        Method,
        header::{AUTHORIZATION, COOKIE, SET_COOKIE},
    },
    test::{TestRequest, init_service, read_body_json, try_call_service},
};
use auth_core::test::{AccessMatrix, RouteRequest};
use diesel::connection::SimpleConnection;
use energy_service::{Config, Service, demo::PASSWORD};
use serde_json::{Value, json};

const MEMBER: &str = "mia@sunnyside.example";

#[actix_web::test]
async fn who_gets_in_where() {
    let service = Service::open(&Config { demo: true, ..Config::default() }).unwrap();
    service.database().connection().unwrap().batch_execute(MORE).unwrap();

    let cookie = cookie(MEMBER, &service).await;
    let mut matrix = AccessMatrix::builder(service.guards().await)
        .subject("nobody", |request| request)
        .subject("session", move |request| request.insert_header((COOKIE, cookie.as_str())));
    for (name, email) in [
        ("member", MEMBER),
        ("account-admin", "adam@sunnyside.example"),
        ("consultant", "cora@bright.example"),
        ("manager", "carl@bright.example"),
        ("stranger", "sven@bakery.example"),
        ("supplier", "wilma@windpark.example"),
        ("admin-reader", "rita@platform.example"),
        ("admin", "ada@platform.example"),
    ] {
        let token = token(email, &service).await;
        matrix = matrix.subject(name, move |request| request.insert_header((AUTHORIZATION, token.as_str())));
    }
    matrix = matrix
        .objects("account_id", [("farm", 3), ("consultancy", 2), ("bakery", 4), ("missing", MISSING)])
        .objects("user_id", [("Mia", 1), ("Adam", 2), ("Sven", 4), ("missing", MISSING)])
        .objects("asset_id", [("solar roof", 1), ("oven", 3), ("weather station", 4), ("missing", MISSING)])
        .objects("sensor_id", [("battery", 3), ("oven", 4), ("weather station", 6), ("missing", MISSING)])
        .objects("asset_share_id", [("that ended, of the solar roof with Sven", 1), ("missing", MISSING)])
        .objects("audit_log_id", [("of the bakery", 3), ("missing", MISSING)])
        .objects("asset_audit_log_id", [("of the solar roof", 1), ("missing", MISSING)])
        .objects("schedule_id", [("any", MISSING)])
        .objects("forecast_id", [("any", MISSING)])
        .objects("job_id", [("any", MISSING)]);
    // The body names the object of the decision, so it has to be right. Both requests may be repeated.
    for (name, account_id) in [("in the farm", Some(3)), ("in the bakery", Some(4)), ("public", None)] {
        let body = json!({"name": "one more", "account_id": account_id}).to_string();
        let request = RouteRequest::new(Method::POST, "/api/v3_0/assets").named(name);
        matrix = matrix.request(request.body("application/json", body));
    }
    // They answer 501 to a right one, which is no answer of a guard.
    for path in [
        "/sensors/{sensor_id}/schedules/{schedule_id}",
        "/sensors/{sensor_id}/forecasts/{forecast_id}",
        "/jobs/{job_id}",
    ] {
        matrix =
            matrix.request(RouteRequest::new(Method::GET, format!("/api/v3_0{path}")).query("unknown=1"));
    }
    // Who may create the asset may not read the one, and may read the other, but not change it.
    for (name, sensor) in [("with the oven's sensor", 4), ("with the weather station's sensor", 6)] {
        let document = json!({"sensor": sensor});
        let body = json!({"name": "one more", "account_id": 3, "flex_context": document}).to_string();
        let request = RouteRequest::new(Method::POST, "/api/v3_0/assets").named(name);
        matrix = matrix.request(request.body("application/json", body));
    }
    let body = json!({"flex_context": {"sensor": 4}}).to_string();
    let with_sensor = || RouteRequest::new(Method::PATCH, "/api/v3_0/assets/{asset_id}");
    matrix = matrix.request(with_sensor().body("application/json", "{}"));
    matrix = matrix.request(with_sensor().named("with no change").body("application/json", "{"));
    matrix = matrix.request(with_sensor().named("with the oven's sensor").body("application/json", body));
    for (name, asset_id) in [("at the solar roof", 1), ("at the oven", 3), ("at the weather station", 4)] {
        let body =
            json!({"name": "x", "unit": "", "event_resolution": "PT15M", "generic_asset_id": asset_id});
        let request = RouteRequest::new(Method::POST, "/api/v3_0/sensors").named(name);
        matrix = matrix.request(request.body("application/json", body.to_string()));
    }
    for (name, root) in [("below the solar roof", 1), ("below the oven", 3)] {
        let request = RouteRequest::new(Method::GET, "/api/v3_0/assets").named(name);
        matrix = matrix.request(request.query(format!("root={root}")));
    }
    // About other users, named by the query.
    for path in ["/assets/{asset_id}/decisions", "/sensors/{sensor_id}/decisions"] {
        for (name, user_id) in [("about Mia", 1), ("about Sven", 4)] {
            let request = RouteRequest::new(Method::GET, path).named(name);
            matrix = matrix.request(request.query(format!("user={user_id}")));
        }
    }
    let request = || RouteRequest::new(Method::PUT, "/api/v3_0/assets/{asset_id}/flex-model");
    let body = json!({"price": {"sensor": 4}}).to_string();
    matrix = matrix.request(request().body("application/json", "{}"));
    // The handler decides once more in its transaction. Only a request that does not get there shows the guard's decision
    // about the asset.
    matrix = matrix.request(request().named("with no document").body("application/json", "{"));
    matrix = matrix.request(request().named("with the oven's sensor").body("application/json", body));

    let app = init_service(App::new().configure(|config| service.configure(config))).await;
    matrix.observe(&app).await.unwrap().assert_matches("access-matrix.md");
}

const MISSING: i32 = 999_999;

/// Adds objects that the demo lacks: a user who may have a portfolio and is no prosumer, one who runs a consultancy, an entry in
/// each log, a share that gives nothing any more, and a flex-model of each asset in the matrix. Not by requests: a guard that is wrong has to show in the matrix.
const MORE: &str = "
    INSERT INTO accounts (id, name) VALUES (5, 'Wind Park');
    INSERT INTO accounts_account_roles (account_id, account_role_id) SELECT 5, id FROM account_roles WHERE name = 'Supplier';
    INSERT INTO users (account_id, email, username, password_hash, active)
        SELECT 5, 'wilma@windpark.example', 'Wilma Wind', password_hash, TRUE FROM users WHERE id = 1;
    INSERT INTO users (id, account_id, email, username, password_hash, active)
        SELECT 8, 2, 'carl@bright.example', 'Carl Account-Admin', password_hash, TRUE FROM users WHERE id = 1;
    INSERT INTO users_roles (user_id, role_id) SELECT 8, id FROM roles WHERE name = 'account-admin';
    INSERT INTO audit_log (id, event_datetime, event, affected_account_id) VALUES
        (3, '2026-11-23 09:00:00', 'changed the account', 4);
    INSERT INTO asset_audit_log (id, event_datetime, event, affected_asset_id) VALUES
        (1, '2026-11-23 09:00:00', 'changed the asset', 1);
    INSERT INTO asset_shares (id, asset_id, user_id, can_update, expires_at) VALUES (1, 1, 4, FALSE, '2026-01-01 00:00:00');
    UPDATE assets SET flex_model = '{}' WHERE id IN (1, 3, 4);
";

async fn token(email: &str, service: &Service) -> String {
    let credentials = json!({"email": email, "password": PASSWORD});
    let request = TestRequest::post().uri("/api/requestAuthToken").set_json(credentials);
    let answer: Value = read_body_json(send(request, service).await).await;
    format!("Bearer {}", answer.get("auth_token").and_then(Value::as_str).unwrap())
}

async fn cookie(email: &str, service: &Service) -> String {
    let form = [("email", email), ("password", PASSWORD)];
    let response = send(TestRequest::post().uri("/log-in").set_form(form), service).await;
    let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn send(request: TestRequest, service: &Service) -> ServiceResponse<BoxBody> {
    let app = init_service(App::new().configure(|config| service.configure(config))).await;
    try_call_service(&app, request.to_request()).await.unwrap().map_into_boxed_body()
}

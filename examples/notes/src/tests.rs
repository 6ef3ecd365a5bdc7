//! The access to each route, held against a file that people review; and the main job, over HTTP.

use actix_web::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, http::Method};
use auth_core::test::{AccessMatrix, RouteRequest};
use auth_core::{ProtectedApp, ProtectedConfig, report};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::{Service, database::SEED_PASSWORD};

/// `UPDATE_REVIEWED=1 cargo test -p notes` rewrites `access-matrix.md`. Read each change of it.
#[actix_web::test]
async fn each_route_is_open_to_the_subjects_of_the_reviewed_file() {
    let service = Service::open(":memory:").unwrap();
    let configure = |config: &mut _| service.configure(&mut ProtectedConfig::new(config));
    let registered = report().of_crate("notes").registered_by(configure).await;
    assert!(registered.is_complete(), "{registered}");

    let session = credentials("mia@mill.example", true);
    let app = init_service(App::new().configure(configure)).await;
    let answer = call_service(&app, TestRequest::post().uri("/log-in").set_json(session).to_request()).await;
    let cookie = answer.headers().get(SET_COOKIE).unwrap().clone();
    let with_cookie = move |request: TestRequest| request.insert_header((COOKIE, cookie.clone()));
    let mut matrix = AccessMatrix::builder(&registered)
        .subject("anonymous", |request| request)
        .subject("author's browser", with_cookie.clone());
    for (subject, email) in [
        ("author", "mia@mill.example"),
        ("colleague", "max@mill.example"),
        ("account-admin", "ada@mill.example"),
        ("receiver", "bob@bakery.example"),
        ("stranger", "sue@garage.example"),
        ("admin", "pat@platform.example"),
    ] {
        let token = token(&service, email).await;
        matrix = matrix.subject(subject, move |request| request.insert_header((AUTHORIZATION, &*token)));
    }
    // The handlers decide about these in their statements. Each may be repeated.
    let note = r#"{"account_id": 1, "title": "New", "text": ""}"#;
    let change = || RouteRequest::new(Method::PATCH, "/notes/{note_id}");
    let matrix = matrix
        .request(
            RouteRequest::new(Method::POST, "/notes").named("of the mill").body("application/json", note),
        )
        .request(change().body("application/json", "{}"))
        .request(change().named("its remark").body("application/json", r#"{"private_remark": "seen"}"#))
        .objects("note_id", [("Mia's", 1), ("Bob's", 2), ("missing", 999)])
        .objects("user_id", [("Bob", 4)]);
    matrix.observe(&app).await.unwrap().assert_matches("access-matrix.md");

    // Copies of the cookie end with the log-out.
    for (method, path, status) in [(Method::POST, "/log-out", 204), (Method::GET, "/notes", 401)] {
        let request = with_cookie(TestRequest::with_uri(path).method(method));
        assert_eq!(call_service(&app, request.to_request()).await.status().as_u16(), status);
    }
}

#[actix_web::test]
async fn a_note_is_written_shared_and_read_until_the_share_ends() {
    let service = Service::open(":memory:").unwrap();
    let (mia, bob) = (token(&service, "mia@mill.example").await, token(&service, "bob@bakery.example").await);
    let send = async |method: &str, path: &str, token: &str, body: Value| {
        send(&service, method, path, token, body).await
    };

    // In one's own account alone, and once for each title.
    let new = json!({"title": "Harvest", "text": "Begins in July.", "private_remark": "Or in August."});
    assert_eq!(send("POST", "/notes", &mia, new.clone()).await, (201, json!({"id": 3})));
    assert_eq!(send("POST", "/notes", &mia, new.clone()).await.0, 409);
    let elsewhere = json!({"account_id": 2, "title": "Harvest", "text": ""});
    assert_eq!(send("POST", "/notes", &mia, elsewhere).await.1["detail"], "you may not do this");
    assert_eq!(send("PATCH", "/notes/3", &mia, json!({"account_id": 1})).await.0, 403);
    assert_eq!(send("PATCH", "/notes/3", &mia, json!({"text": "Begins now."})).await.0, 204);
    let written = json!({"id": 3, "account_id": 1, "author_id": 1, "title": "Harvest", "text": "Begins now.",
        "private_remark": "Or in August.", "_can": ["update", "delete"]});
    let (_, page) = send("GET", "/notes?after=1&author_id=1", &mia, Value::Null).await;
    assert_eq!(page, json!([&written]));

    let share = "/notes/3/shares/4";
    assert_eq!(send("PUT", share, &mia, json!({"expires_at": "2999-01-01T00:00:00Z"})).await.0, 204);
    assert_eq!(send("PUT", "/notes/3/shares/999", &mia, json!({})).await.0, 409);
    let (_, mut seen) = send("GET", "/notes/3", &bob, Value::Null).await;
    let (_, page) = send("GET", "/notes?after=2", &bob, Value::Null).await;
    assert_eq!(page, json!([&seen]));
    assert_eq!(seen["_can"].take(), json!([]));
    assert_eq!((seen.get("private_remark"), &seen["text"]), (None, &written["text"]));
    assert_eq!(send("PATCH", "/notes/3", &bob, json!({"text": "?"})).await.0, 403);
    assert_eq!(send("PUT", share, &mia, json!({"expires_at": "2026-01-01T00:00:00+01:00"})).await.0, 204);
    assert_eq!(send("GET", "/notes/3", &bob, Value::Null).await.0, 403);
    assert_eq!(send("PUT", share, &mia, json!({})).await.0, 204);
    assert_eq!(send("GET", "/notes/3", &bob, Value::Null).await.0, 200);
    assert_eq!(send("DELETE", share, &mia, Value::Null).await.0, 204);
    assert_eq!(send("DELETE", share, &mia, Value::Null).await.0, 404);
    assert_eq!(send("GET", "/notes/3", &bob, Value::Null).await.0, 403);

    assert_eq!(send("DELETE", "/notes/3", &mia, Value::Null).await.0, 204);
    assert_eq!(send("GET", "/notes/3", &mia, Value::Null).await.0, 404);
    assert_eq!(send("POST", "/log-out", &mia, Value::Null).await.0, 204);
    assert_eq!(send("GET", "/notes", &mia, Value::Null).await.0, 401);

    service.database.pool.get().unwrap().batch_execute("UPDATE log_ins SET expires_at = '2026'").unwrap();
    assert_eq!(send("GET", "/notes", &bob, Value::Null).await.0, 401);

    for _ in 0..10 {
        let wrong = json!({"email": "mia@mill.example", "password": "rye"});
        assert_eq!(send("POST", "/log-in", "", wrong).await.0, 401);
    }
    assert_eq!(send("POST", "/log-in", "", credentials("MIA@mill.example", false)).await.0, 429);
}

fn credentials(email: &str, session: bool) -> Value {
    json!({"email": email, "password": SEED_PASSWORD, "session": session})
}

async fn token(service: &Service, email: &str) -> String {
    let (_, answer) = send(service, "POST", "/log-in", "", credentials(email, false)).await;
    format!("Bearer {}", answer["token"].as_str().unwrap())
}

async fn send(service: &Service, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
    let app = init_service(ProtectedApp::new().configure(|config| service.configure(config))).await;
    let request = TestRequest::with_uri(path).method(method.parse().unwrap()).set_json(&body);
    let request = if token.is_empty() { request } else { request.insert_header((AUTHORIZATION, token)) };
    let answer = call_service(&app, request.to_request()).await;
    (answer.status().as_u16(), serde_json::from_slice(&read_body(answer).await).unwrap_or_default())
}

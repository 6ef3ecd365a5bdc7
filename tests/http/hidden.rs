//! Rows that may not be read: with the setting for it, a caller cannot tell them from rows that do not exist.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError as _, delete, get, patch, put,
    web::{self, ServiceConfig},
};
use auth_core::{
    Auth, AuthBuilder, AuthError, denial, mechanism::BearerToken, permission_required_for_context,
    permission_required_for_context as asked_outside, roles_required,
};
use diesel::prelude::*;
use serde_json::Value;

use crate::{
    client::Service,
    fixture::{Member, Resource, World, resources},
    log::events,
};

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(resource: Resource) -> impl Responder {
    resource.name
}

/// Each of these has more than one requirement, in an order of its own.
#[permission_required_for_context("update", ctx_arg = "resource")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[patch("/resources/{resource_id}")]
async fn update_and_read(resource: Resource, body: web::Json<Value>) -> impl Responder {
    format!("{}: {body}", resource.name)
}

#[permission_required_for_context("read", ctx = Resource, id = query("first"))]
#[permission_required_for_context("delete", ctx = Resource, id = query("second"))]
#[get("/two")]
async fn two() -> impl Responder {
    "ok"
}

#[permission_required_for_context("create-children", ctx = Resource, id = *body)]
#[put("/late")]
async fn late(body: web::Json<i32>) -> impl Responder {
    format!("{body}")
}

#[roles_required("chef")]
#[permission_required_for_context("delete", ctx_arg = "resource")]
#[delete("/resources/{resource_id}")]
async fn remove(resource: Resource) -> impl Responder {
    resource.name
}

/// The guard of an attribute under another name, outside of the one that checks `update`.
#[permission_required_for_context("update", ctx = Resource, id = query("resource"))]
#[asked_outside("read", ctx = Resource, id = query("resource"))]
#[get("/stacked")]
async fn stacked() -> impl Responder {
    "ok"
}

/// Row 1 may be read and not deleted, which says nothing about the next one.
#[permission_required_for_context("delete", ctx_arg = "resources", id = query("resource"))]
#[get("/list")]
async fn list(resources: Vec<Resource>) -> impl Responder {
    resources.len().to_string()
}

/// Finds the rows of the table.
fn those(ids: &web::Json<Vec<i32>>, connection: &mut SqliteConnection) -> QueryResult<Vec<Resource>> {
    let these = resources::table.filter(resources::id.eq_any(ids.iter()));
    these.select(Resource::as_select()).load(connection)
}

#[permission_required_for_context("read", ctx_loader = those(ids, connection))]
#[put("/found")]
async fn found(ids: web::Json<Vec<i32>>) -> impl Responder {
    ids.len().to_string()
}

fn handlers(app: &mut ServiceConfig) {
    app.service((view, update_and_read, two, late, remove, stacked, list, found));
}

fn auth_of(world: &World) -> AuthBuilder {
    Auth::builder()
        .mechanism(BearerToken::<Member>::new(world.pool.clone()))
        .connections(world.pool.clone())
        .hide_unreadable()
}

fn hiding(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Service {
    serve(configure(auth_of(&World::new())).build().unwrap())
}

fn serve(auth: Auth) -> Service {
    Service::start(move |app| handlers(app.app_data(auth.clone())))
}

/// The bytes of a response, but for the moment at which it was sent, and for the order of the headers, which
/// actix-web sends as they come out of a hash map.
fn raw(service: &Service, method: &str, path: &str, token: &str, body: &str) -> String {
    let host = service.host();
    let length = body.len();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let is_date = |line: &&str| line.to_ascii_lowercase().starts_with("date:");
    assert_eq!(head.lines().filter(is_date).count(), 1, "{response}");
    let (status, _) = head.split_once("\r\n").unwrap();
    let mut headers: Vec<_> = head.lines().skip(1).filter(|line| !is_date(line)).collect();
    headers.sort_unstable();
    format!("{status}\r\n{}\r\n\r\n{body}", headers.join("\r\n"))
}

/// Requests for the row with an id, each denied at another place to the chef, who may read and update row 1.
const HIDDEN: [(&str, &str, &str); 11] = [
    ("GET", "/resources/{}", ""),
    ("PATCH", "/resources/{}", r#"{"name":"three"}"#),
    ("PATCH", "/resources/{}", "{malformed"),
    ("DELETE", "/resources/{}", ""),
    ("GET", "/two?first={}&second=1", ""),
    ("GET", "/two?first=1&second={}", ""),
    ("PUT", "/late", "{}"),
    ("GET", "/stacked?resource={}", ""),
    ("GET", "/list?resource=1&resource={}", ""),
    ("GET", "/list?resource={}&resource=1", ""),
    ("PUT", "/found", "[{}]"),
];

fn of_row(service: &Service, (method, path, body): (&str, &str, &str), id: &str) -> String {
    raw(service, method, &path.replace("{}", id), "chef", &body.replace("{}", id))
}

#[test]
fn a_hidden_row_answers_as_a_missing_one() {
    let shouting = |_: &HttpRequest, error: &AuthError| {
        HttpResponse::build(error.status_code()).insert_header(("x-denied", "1")).body(format!("{error:?}!"))
    };
    for (service, sign) in [
        (hiding(|auth| auth), "there is nothing here"),
        (hiding(|auth| auth.on_denied(denial::page_or_problem)), "vary: Accept"),
        (hiding(|auth| auth.on_denied(shouting)), "NotFound!"),
        (hiding(|auth| auth.on_denied(shouting)), "x-denied: 1"),
    ] {
        for asked in HIDDEN {
            let [hidden, missing] = ["2", "3"].map(|id| of_row(&service, asked, id));
            assert!(missing.starts_with("HTTP/1.1 404 Not Found\r\n"), "{asked:?}: {missing}");
            assert!(missing.contains(sign), "{asked:?}: {missing}");
            assert_eq!(hidden, missing, "{asked:?}");
        }
    }
}

#[test]
fn without_the_setting_the_same_requests_answer_403() {
    let service = serve(World::new().auth());
    for asked in HIDDEN {
        let denied = of_row(&service, asked, "2");
        assert!(denied.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{asked:?}: {denied}");
    }
}

#[test]
fn what_may_be_read_is_not_hidden() {
    let service = hiding(|auth| auth);
    let status = |method: &str, path: &str, token: &str| {
        let response = raw(&service, method, path, token, "1");
        response.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    assert_eq!(status("GET", "/resources/1", "member"), 200);
    assert_eq!(status("PATCH", "/resources/1", "member"), 403);
    assert_eq!(status("PATCH", "/resources/1", "chef"), 200);
    assert_eq!(status("DELETE", "/resources/1", "chef"), 403);
    assert_eq!(status("PUT", "/late", "chef"), 403);
    assert_eq!(status("GET", "/two?first=1&second=1", "chef"), 403);
    assert_eq!(status("GET", "/stacked?resource=1", "member"), 403);
    assert_eq!(status("GET", "/list?resource=1", "chef"), 403);
    // An admin-reader may read everything, and an admin may do everything.
    assert_eq!(status("GET", "/resources/2", "reader"), 200);
    assert_eq!(status("PATCH", "/resources/2", "reader"), 403);
    assert_eq!(status("PATCH", "/resources/2", "admin"), 200);
    // A check without a context reveals nothing about one: it is the same for one that does not exist.
    assert_eq!(status("DELETE", "/resources/2", "member"), 403);
    assert_eq!(status("DELETE", "/resources/3", "member"), 403);
    assert_eq!(status("GET", "/resources/2", "nobody"), 401);
}

#[actix_web::test]
async fn the_log_tells_what_is_hidden_from_what_is_missing() {
    let world = World::new();
    for (path, token, reason, hidden) in [
        ("/resources/2", "member", "no-match", Some(true)),
        ("/resources/3", "member", "not-found", None),
        ("/two?first=1&second=1", "member", "no-match", None),
        ("/resources/1", "member", "match", None),
    ] {
        let auth = auth_of(&world).build().unwrap();
        let (_, events) = events(|app| handlers(app.app_data(auth)), path, token).await;
        let fields = &events.last().unwrap()["fields"];
        assert_eq!(fields["reason"], reason, "{path}");
        assert_eq!(fields["outcome"], if reason == "match" { "allow" } else { "deny" }, "{path}");
        assert_eq!(fields.get("hidden").map(|hidden| hidden == true), hidden, "{path}");
        assert!(fields["context_id"].is_string(), "{fields}");
    }
}

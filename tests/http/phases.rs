//! The order of the phases: which statements run, and whether the body is read, before a request is answered.

use std::thread;

use actix_web::{
    App, Responder,
    body::to_bytes,
    dev::{Payload, Service as _},
    get, patch, post,
    test::{TestRequest, call_and_read_body, init_service},
    web::{self, Bytes},
};
use auth_core::{
    Auth, CurrentUser, NoConnection, auth_required, mechanism::BearerToken, permission_required_for_context,
    roles_accepted,
};
use diesel::prelude::*;
use serde_json::Value;

use crate::{
    ahead::{Found, Loaded},
    client::{Service, bearer},
    contexts::ResourceOfAccount,
    fixture::{Member, Resource, World, resources},
};

#[permission_required_for_context("update", ctx_arg = "resource")]
#[post("/resources/{resource_id}")]
async fn change(body: web::Json<Value>, resource: Resource) -> impl Responder {
    format!("{}: {body}", resource.name)
}

#[roles_accepted("chef")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/resources/{resource_id}")]
async fn view(user: CurrentUser<Member>, resource: Resource) -> impl Responder {
    let _ = user;
    resource.name
}

#[auth_required]
#[post("/echo")]
async fn echo(body: Bytes) -> impl Responder {
    body
}

fn service(world: &World) -> Service {
    let auth = world.auth();
    Service::start(move |app| {
        app.app_data(auth.clone()).service((change, view, echo));
    })
}

#[test]
fn statements_are_few_and_none_is_for_strangers() {
    let world = World::new();
    let service = service(&world);
    let statements = |path: &str, token: Option<&str>| {
        let status = service.get(path, token).status.as_u16();
        (status, world.statements().len())
    };
    // One authenticates, one loads the context.
    assert_eq!(statements("/resources/1", Some("chef")), (200, 2));
    assert_eq!(statements("/resources/2", Some("chef")), (403, 2));
    assert_eq!(statements("/resources/3", Some("chef")), (404, 2));
    // The role is checked before the context is loaded, and a text that is no id needs no statement.
    assert_eq!(statements("/resources/1", Some("member")), (403, 1));
    assert_eq!(statements("/resources/x", Some("chef")), (404, 1));
    assert_eq!(statements("/resources/1", Some("nobody")), (401, 1));
    assert_eq!(statements("/resources/1", Some("not a token")), (401, 0));
    assert_eq!(statements("/resources/1", None), (401, 0));
    assert_eq!(statements("/resources/x", None), (401, 0));
}

#[test]
fn a_denial_comes_before_the_body_is_judged() {
    let world = World::new();
    let service = service(&world);
    let post =
        |token: &str| service.send("POST", "/resources/1", Some(token), Some("{malformed")).status.as_u16();
    assert_eq!(post("Bearer chef"), 400);
    assert_eq!(post("Bearer member"), 403);
    assert_eq!(post("Bearer nobody"), 401);
    assert_eq!(service.send("POST", "/resources/1", None, Some("{malformed")).status, 401);
}

#[actix_web::test]
async fn a_denied_request_is_answered_without_a_look_at_its_body() {
    let app = init_service(App::new().app_data(World::new().auth()).service((change, echo))).await;
    for (path, token, expected) in [
        ("/resources/1", None, 401),
        ("/resources/1", Some("nobody"), 401),
        ("/resources/1", Some("member"), 403),
        ("/resources/2", Some("chef"), 403),
        ("/resources/3", Some("chef"), 404),
        ("/resources/x", Some("chef"), 404),
        ("/echo", None, 401),
    ] {
        let mut request = TestRequest::post().uri(path).insert_header(("content-type", "application/json"));
        if let Some(token) = token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        let (request, _) = request.to_request().replace_payload(untouchable());
        let response = app.call(request).await.unwrap();
        assert_eq!(response.status(), expected, "{path} by {token:?}");
        // The body of the request is held while this is sent, and is not read.
        assert!(!to_bytes(response.into_body()).await.unwrap().is_empty());
    }
}

fn of_caller(
    id: &web::Path<i32>,
    me: &CurrentUser<Member>,
    connection: &mut SqliteConnection,
) -> QueryResult<Resource> {
    let _ = me;
    resources::table.find(**id).select(Resource::as_select()).first(connection)
}

/// Its loader needs no body.
#[permission_required_for_context("update", ctx_arg = "resource", ctx_loader = of_caller(id, me, connection))]
#[patch("/made/{id}")]
async fn change_made(
    body: web::Json<Value>,
    me: CurrentUser<Member>,
    id: web::Path<i32>,
    resource: Resource,
) -> impl Responder {
    let _ = (me, id);
    format!("{}: {body}", resource.name)
}

#[permission_required_for_context("update", ctx_arg = "resource", id = *id)]
#[patch("/computed/{id}")]
async fn change_computed(id: web::Path<i32>, body: web::Json<Value>, resource: Resource) -> impl Responder {
    let _ = id;
    format!("{}: {body}", resource.name)
}

/// A key of two columns, made of path parameters in another order.
#[permission_required_for_context("update", ctx_arg = "resource", id = (path.1, path.0))]
#[patch("/in-account/{id}/{account_id}")]
async fn change_in_account(
    body: web::Json<Value>,
    path: web::Path<(i32, i32)>,
    resource: ResourceOfAccount,
) -> impl Responder {
    format!("{} {}: {body}", path.0, resource.name)
}

/// The second needs the body, the first does not.
#[permission_required_for_context("update", ctx = Resource, id = *id)]
#[permission_required_for_context("read", ctx_arg = "resource", id = *body)]
#[patch("/both/{id}")]
async fn change_both(body: web::Json<i32>, id: web::Path<i32>, resource: Resource) -> impl Responder {
    format!("{id} {}: {body}", resource.name)
}

#[actix_web::test]
async fn a_guard_that_needs_no_body_decides_before_one_is_read() {
    let app = App::new().app_data(World::new().auth()).service((
        change_made,
        change_computed,
        change_in_account,
        change_both,
    ));
    let app = init_service(app).await;
    for path in ["/made", "/computed", "/both"] {
        for (id, token, expected) in [
            ("1", "member", 403),
            ("2", "chef", 403),
            ("3", "chef", 404),
            ("x", "chef", 404),
            ("1", "nobody", 401),
        ] {
            let request = TestRequest::patch()
                .uri(&format!("{path}/{id}"))
                .insert_header(("content-type", "application/json"))
                .insert_header(("authorization", format!("Bearer {token}")));
            let (request, _) = request.to_request().replace_payload(untouchable());
            assert_eq!(app.call(request).await.unwrap().status(), expected, "{path}/{id} by {token}");
        }
    }
}

#[test]
fn a_body_that_no_guard_needs_is_judged_after_all_of_them() {
    let auth = World::new().auth();
    let service = Service::start(move |app| {
        app.app_data(auth.clone()).service((change_made, change_computed, change_in_account, change_both));
    });
    let send = |path: &str, token: &str, body: &str| {
        let response = service.send("PATCH", path, Some(&bearer(token)), Some(body));
        (response.status.as_u16(), response.body)
    };
    for path in ["/made/1", "/computed/1"] {
        assert_eq!(send(path, "chef", "7"), (200, "one: 7".to_owned()));
        assert_eq!(send(path, "chef", "{malformed").0, 400);
        assert_eq!(send(path, "member", "{malformed").0, 403);
    }
    assert_eq!(send("/in-account/1/1", "chef", "7"), (200, "1 one: 7".to_owned()));
    assert_eq!(send("/in-account/1/1", "chef", "{malformed").0, 400);
    for (path, token, status) in [
        ("/in-account/1/1", "member", 403),
        ("/in-account/1/2", "chef", 404),
        ("/in-account/2/2", "chef", 403),
    ] {
        assert_eq!(send(path, token, "{malformed").0, status, "{path} by {token}");
    }
    assert_eq!(send("/both/1", "chef", "1"), (200, "1 one: 1".to_owned()));
    assert_eq!(send("/both/1", "chef", "2").0, 403);
    assert_eq!(send("/both/1", "chef", "{malformed").0, 400);
    assert_eq!(send("/both/2", "chef", "{malformed").0, 403);
}

/// So that the test above can fail: an admitted request does poll the stream, and is answered that something
/// panicked.
#[actix_web::test]
async fn an_admitted_request_has_its_body_read() {
    let app = init_service(App::new().app_data(World::new().auth()).service(echo)).await;
    let request = TestRequest::post().uri("/echo").insert_header(("authorization", "Bearer member"));
    let (request, _) = request.to_request().replace_payload(untouchable());
    assert_eq!(app.call(request).await.unwrap().status(), 503);
}

#[permission_required_for_context("read", ctx_arg = "loaded")]
#[get("/threads/{id}")]
async fn threads(loaded: Loaded, found: CurrentUser<Found>) -> impl Responder {
    let event_loop = thread::current().id();
    format!("{} {}", loaded.0.thread == event_loop, found.place.thread == event_loop)
}

#[actix_web::test]
async fn what_may_block_does_not_run_on_the_event_loop() {
    let auth = Auth::builder().mechanism(BearerToken::<Found>::new(NoConnection)).build().unwrap();
    let app = init_service(App::new().app_data(auth).service(threads)).await;
    let request = TestRequest::get().uri("/threads/1").insert_header(("authorization", "Bearer fresh"));
    assert_eq!(call_and_read_body(&app, request.to_request()).await, "false false");
}

/// A body that must not be read.
pub(crate) fn untouchable() -> Payload {
    let stream = futures_util::stream::poll_fn(|_| panic!("the body was read"));
    Payload::Stream { payload: Box::pin(stream) }
}

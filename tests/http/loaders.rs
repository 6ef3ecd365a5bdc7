//! Contexts from functions of the application: one context, a list or labelled groups, plain or asynchronous.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    Responder, get, post,
    test::TestRequest,
    web::{self, Json},
};
use auth_core::{
    Acl, AuthModel, Authorized, LoadError, Permission, account, account_role, allow, every_logged_in_user,
    permission::Read, permission_required_for_context,
};
use diesel::prelude::*;
use serde::Deserialize;

use crate::{
    client::Service,
    contexts::{Everything, names, post},
    fixture::{Resource, World, resources},
    log::events_of,
};

/// A reference in a plan, found by its name.
fn of_names(
    plan: &Plan,
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Vec<Resource>>, LoadError> {
    let wanted: Vec<&String> = plan.groups.values().flatten().collect();
    let found: Vec<Resource> = resources::table
        .filter(resources::name.eq_any(wanted))
        .select(Resource::as_select())
        .load(connection)?;
    Ok(plan
        .groups
        .iter()
        .map(|(label, names)| {
            let of_group = found.iter().filter(|resource| names.contains(&resource.name));
            (label.clone(), of_group.cloned().collect())
        })
        .collect())
}

#[derive(Deserialize)]
struct Plan {
    groups: BTreeMap<String, Vec<String>>,
}

#[permission_required_for_context("read", ctx_loader = of_names(plan, connection))]
#[post("/plans")]
async fn make_plan(Json(plan): Json<Plan>) -> impl Responder {
    plan.groups.len().to_string()
}

#[permission_required_for_context("read", ctx_arg = "groups", ctx_loader = of_names(plan, connection), allow_empty = true)]
#[post("/plans/empty")]
async fn plan_or_none(
    Json(plan): Json<Plan>,
    groups: Authorized<BTreeMap<String, Vec<Resource>>, Read>,
) -> impl Responder {
    format!("{} {}", plan.groups.len(), groups.len())
}

/// Asynchronous, with a connection.
async fn all_of(
    account_id: &web::Path<i32>,
    connection: &mut SqliteConnection,
) -> QueryResult<Vec<Resource>> {
    actix_web::rt::task::yield_now().await;
    let of_account = resources::table.filter(resources::account_id.eq(**account_id));
    of_account.select(Resource::as_select()).load(connection)
}

#[permission_required_for_context("read", ctx_arg = "all", ctx_loader = all_of(account_id, connection))]
#[get("/accounts/{account_id}/resources")]
async fn of_whole_account(account_id: web::Path<i32>, all: Vec<Resource>) -> impl Responder {
    format!("{account_id}: {}", names(&all))
}

/// Another one each time that it is made; only the first may be updated.
struct Made(usize);

impl AuthModel for Made {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
            .allow(Permission::UPDATE, (self.0 == 0).then(every_logged_in_user))
    }
}

#[allow(clippy::unnecessary_wraps, reason = "this is what a loader returns")]
fn make(counter: &web::Data<AtomicUsize>) -> Result<Made, LoadError> {
    Ok(Made(counter.fetch_add(1, Ordering::SeqCst)))
}

#[permission_required_for_context("update", ctx_loader = make(counter))]
#[permission_required_for_context("read", ctx_arg = "made", ctx_loader = make(counter))]
#[get("/made")]
async fn made_once(counter: web::Data<AtomicUsize>, made: Made) -> impl Responder {
    format!("{} of {}", made.0, counter.load(Ordering::SeqCst))
}

/// The account that the resource belongs to, known from the resource alone.
struct AccountOf(i32);

impl AuthModel for AccountOf {
    fn acl(&self) -> impl Acl {
        allow(Permission::UPDATE, account(self.0) & account_role("bar"))
    }
}

/// Asynchronous, without a connection.
async fn account_of(resource: &Resource) -> Result<AccountOf, LoadError> {
    actix_web::rt::task::yield_now().await;
    Ok(AccountOf(resource.account_id))
}

#[permission_required_for_context("update", ctx_loader = account_of(resource))]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[post("/resources/{resource_id}/account")]
async fn change_account(resource: Resource, body: Json<i32>) -> impl Responder {
    format!("{} {body}", resource.name)
}

/// Plain, without any argument.
#[allow(clippy::unnecessary_wraps, reason = "this is what a loader returns")]
fn everything() -> Result<Everything, LoadError> {
    Ok(Everything)
}

#[permission_required_for_context("create-children", ctx_arg = "all", ctx_loader = everything())]
#[post("/everything")]
async fn create_everywhere(all: Everything) -> impl Responder {
    let Everything = all;
    "created"
}

fn fails(_: &mut SqliteConnection) -> Result<Everything, LoadError> {
    Err(LoadError::unavailable("the store is gone"))
}

#[permission_required_for_context("read", ctx_loader = fails(connection))]
#[get("/fails")]
async fn of_failure() -> impl Responder {
    "never"
}

fn panics(_: &mut SqliteConnection) -> Result<Everything, LoadError> {
    panic!("a loader of the application is wrong")
}

#[permission_required_for_context("read", ctx_loader = panics(connection))]
#[get("/panics")]
async fn of_panic() -> impl Responder {
    "never"
}

fn service(world: &World) -> Service {
    world.execute("INSERT INTO resources VALUES (3, 1, 'three')");
    let auth = world.auth();
    let counter = web::Data::new(AtomicUsize::new(0));
    Service::start(move |app| {
        app.app_data(auth.clone())
            .app_data(counter.clone())
            .service((make_plan, plan_or_none, of_whole_account, change_account, create_everywhere))
            .service((made_once, of_failure, of_panic));
    })
}

#[test]
fn a_loader_makes_labelled_groups_and_a_denial_names_the_label() {
    let world = World::new();
    let service = service(&world);
    let send = |path: &str, caller: &str, groups: &str| {
        let response = post(&service, path, caller, &format!(r#"{{"groups": {groups}}}"#));
        (response.status.as_u16(), response.body)
    };
    let (status, _) = send("/plans", "member", r#"{"inputs": ["one"], "outputs": ["one", "three"]}"#);
    assert_eq!((status, world.statements().len()), (200, 2));
    let (status, body) = send("/plans", "member", r#"{"inputs": ["one"], "outputs": ["three", "two"]}"#);
    assert_eq!(status, 403);
    assert!(body.contains("outputs") && !body.contains("inputs"), "{body}");
    assert!(!body.contains("account") && !body.contains("two"), "{body}");
    // A group without any element, and no group at all.
    for caller in ["member", "admin"] {
        let (status, body) = send("/plans", caller, r#"{"inputs": ["one"], "outputs": []}"#);
        assert_eq!(status, 403);
        assert!(body.contains("outputs"), "{body}");
        assert_eq!(send("/plans", caller, "{}").0, 403);
        assert_eq!(send("/plans", caller, r#"{"inputs": ["nine"]}"#).0, 403);
    }
    assert_eq!(send("/plans/empty", "member", "{}"), (200, "0 0".to_owned()));
    assert_eq!(send("/plans/empty", "member", r#"{"inputs": []}"#), (200, "1 1".to_owned()));
    assert_eq!(send("/plans/empty", "member", r#"{"inputs": [], "outputs": ["two"]}"#).0, 403);
    assert_eq!(service.send("POST", "/plans/empty", None, Some(r#"{"groups": {}}"#)).status, 401);
    assert_eq!(service.send("POST", "/plans", None, Some(r#"{"groups": {}}"#)).status, 401);
}

/// It may come from a document of the client.
#[actix_web::test]
async fn a_label_is_quoted_in_the_log() {
    for (groups, shown, reason) in [
        (r#"{"inputs": ["two"]}"#, r#"group "inputs""#, "no-match"),
        (r#"{"a (match): UPDATE\nb": ["two"]}"#, r#"group "a (match): UPDATE\nb""#, "no-match"),
        (r#"{"7": []}"#, r#"group "7""#, "empty"),
        ("{}", "", "empty"),
    ] {
        let request = TestRequest::post()
            .uri("/plans")
            .insert_header(("authorization", "Bearer member"))
            .insert_header(("content-type", "application/json"))
            .set_payload(format!(r#"{{"groups": {groups}}}"#));
        let auth = World::new().auth();
        let (_, events) = events_of(|app| _ = app.app_data(auth).service(make_plan), request).await;
        let fields = &events.last().unwrap()["fields"];
        assert_eq!((&fields["context_id"], &fields["reason"]), (&shown.into(), &reason.into()), "{groups}");
    }
}

#[test]
fn an_asynchronous_loader_has_a_connection_too() {
    let world = World::new();
    let service = service(&world);
    let get = |path: &str, caller: &str| {
        let response = service.get(path, Some(caller));
        (response.status.as_u16(), response.body)
    };
    assert_eq!(get("/accounts/1/resources", "member"), (200, "1: one three".to_owned()));
    assert_eq!(get("/accounts/2/resources", "member").0, 403);
    assert_eq!(get("/accounts/3/resources", "admin").0, 403);
    assert_eq!(get("/accounts/x/resources", "admin").0, 404);
    assert_eq!(service.get("/accounts/1/resources", None).status, 401);
}

#[test]
fn what_is_made_of_a_context_is_checked_before_the_body_is_read() {
    let world = World::new();
    let service = service(&world);
    let send =
        |caller: &str, body: &str| post(&service, "/resources/1/account", caller, body).status.as_u16();
    assert_eq!(send("chef", "7"), 200);
    assert_eq!(send("crew", "{malformed"), 400);
    // The account lacks the role.
    assert_eq!(send("member", "{malformed"), 403);
    assert_eq!(send("stranger", "{malformed"), 403);
}

#[test]
fn a_loader_that_fails_lets_nobody_in() {
    let world = World::new();
    let service = service(&world);
    for path in ["/fails", "/panics"] {
        for caller in ["member", "admin"] {
            assert_eq!(service.get(path, Some(caller)).status, 503, "{path}");
        }
        assert_eq!(service.get(path, None).status, 401, "{path}");
    }
}

#[test]
fn a_loader_may_take_no_argument() {
    let service = service(&World::new());
    assert_eq!(post(&service, "/everything", "crew", "{}").status, 200);
    assert_eq!(post(&service, "/everything", "admin", "{}").status, 200);
    assert_eq!(post(&service, "/everything", "member", "{}").status, 403);
    assert_eq!(service.send("POST", "/everything", None, Some("{}")).status, 401);
}

#[test]
fn what_a_loader_makes_for_several_attributes_is_made_once() {
    let service = service(&World::new());
    assert_eq!(service.get("/made", Some("member")).body, "0 of 1");
    assert_eq!(service.get("/made", Some("member")).status, 403);
}

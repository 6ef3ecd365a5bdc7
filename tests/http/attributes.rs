//! Every attribute, in every place where it may stand, against every kind of caller.

use std::fmt::Display;

use actix_web::{
    Error, FromRequest, HttpResponse, Responder, delete, error::ErrorImATeapot, get, post, routes, web,
};
use auth_core::{
    Authorized, CurrentUser, Subject, account_roles_accepted, account_roles_required,
    anonymous_user_required, auth_required, auth_token_required, permission::Read,
    permission_required_for_context, permissions_accepted, permissions_required, public, roles_accepted,
    roles_accepted as only_for, roles_required,
};
use serde::Deserialize;

use crate::{
    client::Service,
    fixture::{Member, PUBLISH, Resource, World},
};

const CHEF: &str = "chef";
const SERVE: &str = "serve";

#[auth_required]
#[get("/auth")]
async fn authenticated() -> impl Responder {
    "ok"
}

/// The extractor would authenticate by itself, so this is no test of the attribute.
#[auth_required]
#[get("/whoami")]
async fn whoami(user: CurrentUser<Member>) -> impl Responder {
    user.id().to_string()
}

#[roles_required("chef", "waiter")]
#[get("/roles-required")]
async fn roles_all() -> impl Responder {
    "ok"
}

#[roles_accepted(CHEF, "waiter")]
#[get("/roles-accepted")]
async fn roles_any() -> impl Responder {
    "ok"
}

#[account_roles_required("hotel", "bar")]
#[get("/account-roles-required")]
async fn account_roles_all() -> impl Responder {
    "ok"
}

#[account_roles_accepted("bar", "inn")]
#[get("/account-roles-accepted")]
async fn account_roles_any() -> impl Responder {
    "ok"
}

#[permissions_required("cook", SERVE)]
#[get("/permissions-required")]
async fn permissions_all() -> impl Responder {
    "ok"
}

#[permissions_accepted("cook", SERVE)]
#[get("/permissions-accepted")]
async fn permissions_any() -> impl Responder {
    "ok"
}

#[anonymous_user_required]
#[get("/anonymous")]
async fn anonymous() -> impl Responder {
    "ok"
}

#[auth_token_required]
#[get("/token")]
async fn by_token() -> impl Responder {
    "ok"
}

#[auth_required("token", within = "15 min")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "ok"
}

#[public]
#[get("/public")]
async fn open() -> impl Responder {
    "ok"
}

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/read/{resource_id}")]
async fn read(resource: Resource) -> impl Responder {
    resource.name
}

#[get("/below/{id}")]
#[permission_required_for_context("read", ctx_arg = "resource")]
async fn below(resource: Resource) -> impl Responder {
    resource.name
}

#[auth_required]
#[get("/around/{id}")]
#[permission_required_for_context("read", ctx_arg = "resource")]
async fn around(resource: Resource) -> impl Responder {
    resource.name
}

/// The example of stacked attributes: both are checked, and the resource is loaded once.
#[roles_required("chef")]
#[permission_required_for_context("read", ctx_arg = "resource")]
#[permission_required_for_context("update", ctx_arg = "resource")]
#[delete("/stacked/{resource_id}")]
async fn stacked(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("read", ctx = Resource)]
#[get("/ctx/{resource_id}")]
async fn not_handed_over(path: web::Path<i32>) -> impl Responder {
    path.to_string()
}

#[permission_required_for_context("read", ctx_arg = "proof")]
#[get("/proof/{resource_id}")]
async fn proven(proof: Authorized<Resource, Read>) -> impl Responder {
    proof.name.clone()
}

#[permission_required_for_context(PUBLISH, ctx_arg = "resource", id = "number")]
#[get("/own/{id}/{number}")]
async fn own_permission(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("read", ctx_arg = "resource", id = scope("of"))]
#[get("/name")]
async fn in_scope(resource: Resource) -> impl Responder {
    resource.name
}

/// Where its introspection is on, actix-web itself refuses a scope and a route that name a parameter alike.
const ALIKE: &str = if cfg!(feature = "introspection") { "/alike/{another}" } else { "/alike/{resource_id}" };

#[permission_required_for_context("read", ctx_arg = "resource")]
#[get("/of/{resource_id}")]
async fn alike(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("read", ctx_arg = "resource", id = query("resource"))]
#[get("/by-query")]
async fn by_query(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("read", ctx_arg = "resource", id = header("x-resource"))]
#[get("/by-header")]
async fn by_header(resource: Resource) -> impl Responder {
    resource.name
}

#[derive(Deserialize)]
struct Comparison {
    with: i32,
}

/// The context that the body names, beside one that the path names.
#[permission_required_for_context("read", ctx_arg = "resource")]
#[permission_required_for_context("read", ctx_arg = "other", id = comparison.with)]
#[permission_required_for_context("update", ctx = Resource, id = resource.id)]
#[post("/compare/{resource_id}")]
async fn compare(
    other: Resource,
    web::Json(comparison): web::Json<Comparison>,
    mut resource: Resource,
) -> impl Responder {
    resource.name = format!("{} {} {}", resource.name, other.name, comparison.with);
    resource.name
}

/// An expression sees the other arguments as the handler does.
#[permission_required_for_context("read", ctx_arg = "resource", id = *path)]
#[get("/by-path/{number}")]
async fn by_path(path: web::Path<i32>, resource: Resource) -> impl Responder {
    format!("{path} {}", resource.name)
}

/// The second attribute is ours under another name: it is not recognized, and wraps the handler once more.
#[auth_required]
#[only_for("waiter")]
#[get("/aliased")]
async fn aliased() -> impl Responder {
    "ok"
}

/// The alias outside, and the other attribute inside.
#[only_for("waiter")]
#[auth_required]
#[get("/alias-outside")]
async fn alias_outside() -> impl Responder {
    "ok"
}

#[auth_core::auth_required]
#[auth_core::permission_required_for_context("read", ctx_arg = "resource")]
#[actix_web::get("/qualified/{id}")]
async fn qualified(resource: Resource) -> impl Responder {
    resource.name
}

#[permission_required_for_context("read", ctx_arg = "resource")]
#[routes]
#[get("/either/{resource_id}")]
#[post("/or/{resource_id}")]
async fn two_routes(resource: Resource) -> impl Responder {
    resource.name
}

/// Destructured and `mut` arguments, an early `return`, `?`.
#[permission_required_for_context("read", ctx_arg = "resource")]
#[post("/body/{resource_id}/{times}")]
async fn with_a_body(
    path: web::Path<(i32, usize)>,
    mut resource: Resource,
    web::Json(word): web::Json<String>,
) -> Result<HttpResponse, Error> {
    if word == "nothing" {
        return Ok(HttpResponse::NoContent().finish());
    }
    let number: u8 = word.parse().map_err(ErrorImATeapot)?;
    resource.name.push_str(&number.to_string().repeat(path.1));
    Ok(HttpResponse::Ok().body(resource.name))
}

#[permission_required_for_context("read", ctx_arg = "resource")]
async fn plain(resource: Resource) -> impl Responder {
    resource.name
}

#[roles_accepted("chef")]
#[permission_required_for_context("read", ctx_arg = "resource")]
async fn generic<T, const N: usize>(mut extra: web::Path<T>, resource: Resource) -> impl Responder
where
    T: Display + 'static,
    web::Path<T>: FromRequest,
{
    let _ = &mut extra;
    format!("{} {extra} {N}", resource.name)
}

mod shadowed {
    //! The names of the prelude mean something else here.
    #![allow(dead_code, reason = "they are there to be in the way")]

    use auth_core::{permission_required_for_context, roles_accepted};

    use super::Resource;

    type Result = ();
    type Option = ();
    struct Ok;
    struct Some;
    struct String;
    trait Into {}
    trait Future {}

    #[roles_accepted("chef")]
    #[permission_required_for_context("read", ctx_arg = "resource")]
    #[actix_web::get("/shadowed/{id}")]
    pub(super) async fn view(resource: Resource) -> actix_web::HttpResponse {
        actix_web::HttpResponse::Ok().body(resource.name)
    }
}

fn service() -> Service {
    let auth = World::new().auth();
    Service::start(move |app| {
        app.app_data(auth.clone())
            .service((
                whoami,
                authenticated,
                roles_all,
                roles_any,
                account_roles_all,
                account_roles_any,
                open,
            ))
            .service((by_query, by_header, by_path, compare))
            .service((permissions_all, permissions_any, anonymous, by_token, fresh))
            .service((read, below, around, stacked, not_handed_over, proven, own_permission))
            .service((aliased, alias_outside, qualified, two_routes, with_a_body, shadowed::view))
            .service(web::scope("/scope/{of}").service(in_scope))
            .service(web::scope(ALIKE).service(alike))
            .route("/plain/{id}", web::get().to(plain))
            .route("/generic/{id}", web::get().to(generic::<i64, 7>));
    })
}

/// Asserts the status for: anonymous, member, chef, crew, stranger, admin, admin-reader.
fn assert_statuses(service: &Service, method: &str, path: &str, expected: [u16; 7]) {
    let callers =
        [None, Some("member"), Some("chef"), Some("crew"), Some("stranger"), Some("admin"), Some("reader")];
    let observed = callers.map(|caller| {
        let authorization = caller.map(crate::client::bearer);
        service.send(method, path, authorization.as_deref(), None).status.as_u16()
    });
    assert_eq!(observed, expected, "{method} {path} by {callers:?}");
}

#[test]
fn guards_that_need_only_the_subject() {
    let service = service();
    for (path, expected) in [
        ("/public", [200, 200, 200, 200, 200, 200, 200]),
        ("/auth", [401, 200, 200, 200, 200, 200, 200]),
        ("/roles-required", [401, 403, 403, 200, 403, 200, 403]),
        ("/roles-accepted", [401, 403, 200, 200, 403, 200, 403]),
        ("/account-roles-required", [401, 403, 200, 403, 403, 200, 403]),
        ("/account-roles-accepted", [401, 403, 200, 200, 403, 200, 403]),
        ("/permissions-required", [401, 403, 403, 200, 403, 403, 403]),
        ("/permissions-accepted", [401, 403, 200, 200, 403, 403, 403]),
        ("/anonymous", [200, 403, 403, 403, 403, 403, 403]),
        ("/token", [401, 200, 200, 200, 200, 200, 200]),
        ("/fresh", [401, 401, 401, 200, 401, 401, 401]),
        ("/aliased", [401, 403, 403, 200, 403, 200, 403]),
        ("/alias-outside", [401, 403, 403, 200, 403, 200, 403]),
    ] {
        assert_statuses(&service, "GET", path, expected);
    }
    assert_eq!(service.get("/whoami", Some("chef")).body, "2");
}

#[test]
fn guards_that_load_a_context() {
    const READ: [u16; 7] = [401, 200, 200, 200, 403, 200, 200];
    let service = service();
    for path in [
        "/read/1",
        "/below/1",
        "/around/1",
        "/ctx/1",
        "/proof/1",
        "/scope/1/name",
        "/qualified/1",
        "/either/1",
        "/plain/1",
    ] {
        assert_statuses(&service, "GET", path, READ);
        let response = service.get(path, Some("member"));
        assert_eq!(response.body, if path == "/ctx/1" { "1" } else { "one" }, "{path}");
    }
    assert_statuses(&service, "POST", "/or/1", READ);
    assert_statuses(&service, "GET", "/read/2", [401, 403, 403, 403, 200, 200, 200]);
    assert_statuses(&service, "GET", "/own/2/1", [401, 403, 200, 403, 403, 200, 403]);
    assert_statuses(&service, "DELETE", "/stacked/1", [401, 403, 200, 200, 403, 200, 403]);
    assert_statuses(&service, "GET", "/generic/1", [401, 403, 200, 200, 403, 200, 403]);
    assert_statuses(&service, "GET", "/shadowed/1", [401, 403, 200, 200, 403, 200, 403]);
    assert_eq!(service.get("/generic/1", Some("chef")).body, "one 1 7");
}

#[test]
fn an_explicit_id_wins_over_the_usual_names() {
    let service = service();
    assert_eq!(service.get("/own/2/1", Some("chef")).body, "one");
    assert_eq!(service.get("/own/1/2", Some("chef")).body, "two");
}

#[test]
fn a_context_is_named_by_the_query_or_a_header() {
    let service = service();
    assert_statuses(&service, "GET", "/by-query?resource=1", [401, 200, 200, 200, 403, 200, 200]);
    assert_statuses(&service, "GET", "/by-query?x=y&resource=%31", [401, 200, 200, 200, 403, 200, 200]);
    // Nothing, no id, and two of which the handler might read the other.
    for query in [
        "",
        "?resource=",
        "?resource",
        "?resource=x",
        "?Resource=1",
        "?resource=1&resource=2",
        "?%FF&resource=9",
    ] {
        assert_statuses(&service, "GET", &format!("/by-query{query}"), [401, 404, 404, 404, 404, 404, 404]);
    }
    let with_headers = |headers: &[&str]| {
        let mut sent = vec![("authorization", "Bearer member")];
        sent.extend(headers.iter().map(|value| ("x-resource", *value)));
        service.send_with("/by-header", &sent).status.as_u16()
    };
    assert_eq!(with_headers(&["1"]), 200);
    assert_eq!(with_headers(&["2"]), 403);
    for headers in [&[][..], &[""], &["x"], &["1", "2"], &["1,2"]] {
        assert_eq!(with_headers(headers), 404, "{headers:?}");
    }
}

#[test]
fn a_context_that_the_body_names_is_checked_after_the_body_is_read() {
    let service = service();
    let post = |path: &str, caller: &str, body: &str| {
        service.send("POST", path, Some(&crate::client::bearer(caller)), Some(body))
    };
    assert_eq!(post("/compare/1", "chef", r#"{"with": 1}"#).body, "one one 1");
    assert_eq!(post("/compare/1", "chef", r#"{"with": 2}"#).status, 403);
    assert_eq!(post("/compare/1", "chef", r#"{"with": 3}"#).status, 404);
    assert_eq!(post("/compare/1", "chef", r#"{"with": "1"}"#).status, 400);
    assert_eq!(post("/compare/1", "member", r#"{"with": 1}"#).status, 403, "may not update");
    // The context of the path comes before the body.
    assert_eq!(post("/compare/2", "chef", "{malformed").status, 403);
    assert_eq!(post("/compare/3", "chef", "{malformed").status, 404);
    assert_eq!(service.get("/by-path/1", Some("member")).body, "1 one");
    assert_eq!(service.get("/by-path/2", Some("member")).status, 403);
    assert_eq!(post("/compare/1", "admin", r#"{"with": 2}"#).body, "one two 2");
}

/// actix-web's own look-up takes the scope's, so the handler might read one that the guard did not check.
#[cfg(not(feature = "introspection"))]
#[test]
fn a_parameter_that_a_scope_and_a_route_name_alike_is_refused() {
    let service = service();
    assert_eq!(service.get("/alike/1/of/2", Some("admin")).status, 500);
    assert_eq!(service.get("/alike/1/of/1", Some("admin")).status, 500);
}

#[test]
fn a_handler_keeps_its_body() {
    let service = service();
    let post = |body| service.send("POST", "/body/1/3", Some("Bearer member"), Some(body));
    assert_eq!(post(r#""7""#).body, "one777");
    assert_eq!(post(r#""nothing""#).status, 204);
    assert_eq!(post(r#""x""#).status, 418);
    assert_eq!(post("{").status, 400);
}

#[actix_web::test]
async fn a_test_calls_a_plain_handler_without_its_guard() {
    let resource = Resource { id: 1, account_id: 1, name: "one".into() };
    let response = plain(auth_core::test::admit((resource,))).await;
    let request = actix_web::test::TestRequest::default().to_http_request();
    assert_eq!(response.respond_to(&request).status(), 200);
}

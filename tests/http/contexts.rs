//! Contexts beyond one row with one id: keys of several parts, lists, and contexts without a table.

use std::collections::BTreeMap;

use actix_web::{Responder, get, post, web::Json};
use auth_core::{
    Acl, AuthModel, Authorized, LoadContext, LoadError, NoConnection, Permission, account, account_role,
    allow, every_logged_in_user, permission::Update, permission_required_for_context, role,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Deserialize;

use crate::{
    client::{Response, Service, bearer},
    fixture::{Resource, World, resources},
    log::events,
};

/// A resource as it is found in its account: under another one there is none.
#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = resources, primary_key(account_id, id), check_for_backend(Sqlite))]
pub(crate) struct ResourceOfAccount {
    id: i32,
    account_id: i32,
    pub(crate) name: String,
}

impl AuthModel for ResourceOfAccount {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(self.account_id))
            .allow(Permission::UPDATE, account(self.account_id) & role("chef"))
    }
}

#[permission_required_for_context("read", ctx_arg = "resource", id = ("account_id", "resource_id"))]
#[get("/accounts/{account_id}/resources/{resource_id}")]
async fn in_account(resource: ResourceOfAccount) -> impl Responder {
    format!("{} {}", resource.id, resource.name)
}

#[permission_required_for_context(
    "read",
    ctx = ResourceOfAccount,
    id = (header("x-account"), query("resource"))
)]
#[get("/here")]
async fn named_here_and_there() -> impl Responder {
    "checked"
}

/// A document of a tenant. Those of the tenant without a name are for everybody.
struct Document {
    tenant: String,
}

impl LoadContext for Document {
    type Id = (String, String);
    type Connection = NoConnection;

    fn load((tenant, _): (String, String), _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self { tenant })
    }
}

impl AuthModel for Document {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, self.tenant.is_empty().then(every_logged_in_user))
    }
}

#[permission_required_for_context("read", ctx = Document, id = (header("x-tenant"), "name"))]
#[get("/documents/{name}")]
async fn document() -> impl Responder {
    "checked"
}

/// All resources, of which there is no row.
pub(crate) struct Everything;

impl LoadContext for Everything {
    type Id = ();
    type Connection = NoConnection;

    fn load((): (), _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Everything {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, account_role("bar") & role("chef"))
    }
}

#[permission_required_for_context("create-children", ctx = Everything, id = ())]
#[post("/resources")]
async fn create(body: String) -> impl Responder {
    body
}

/// The names, in the order in which a handler got them.
pub(crate) fn names(resources: &[Resource]) -> String {
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    names.join(" ")
}

#[permission_required_for_context("read", ctx_arg = "resources", id = query("resource"))]
#[get("/resources")]
async fn by_query(resources: Vec<Resource>) -> impl Responder {
    names(&resources)
}

#[permission_required_for_context("read", ctx_arg = "resources", id = "ids")]
#[get("/resources/{ids}")]
async fn by_path(resources: Vec<Resource>) -> impl Responder {
    names(&resources)
}

#[permission_required_for_context("read", ctx_arg = "resources", id = header("x-resource"), allow_empty = true)]
#[get("/by-header")]
async fn by_header(resources: Vec<Resource>) -> impl Responder {
    format!("[{}]", names(&resources))
}

#[permission_required_for_context("read", ctx_arg = "resources", id = header("x-resource"))]
#[get("/by-header-alone")]
async fn by_header_alone(resources: Vec<Resource>) -> impl Responder {
    names(&resources)
}

#[permission_required_for_context("read", ctx_arg = "resources", id = query("resource"), allow_empty = true)]
#[get("/resources-or-none")]
async fn by_query_or_none(resources: Vec<Resource>) -> impl Responder {
    format!("[{}]", names(&resources))
}

#[derive(Deserialize)]
struct Selection {
    resources: Vec<i32>,
}

#[permission_required_for_context("update", ctx_arg = "resources", id = selection.resources)]
#[permission_required_for_context("read", ctx_arg = "resources")]
#[post("/selected")]
async fn selected(
    selection: Json<Selection>,
    resources: Authorized<Vec<Resource>, Update>,
) -> impl Responder {
    format!("{} {}", selection.resources.len(), names(&resources))
}

fn pick(ids: &BTreeMap<String, i32>, name: &str) -> i32 {
    ids.get(name).copied().unwrap_or_default()
}

/// Two expressions that differ in a text alone.
#[permission_required_for_context("read", ctx = Resource, id = pick(&ids, "a.b"))]
#[permission_required_for_context("read", ctx = Resource, id = pick(&ids, "a . b"))]
#[post("/alike")]
async fn alike(ids: Json<BTreeMap<String, i32>>) -> impl Responder {
    ids.len().to_string()
}

fn service(world: &World) -> Service {
    world.execute("INSERT INTO resources VALUES (3, 1, 'three')");
    let auth = world.auth();
    Service::start(move |app| {
        app.app_data(auth.clone())
            .service((
                in_account,
                named_here_and_there,
                document,
                create,
                by_query,
                by_path,
                by_header,
                selected,
            ))
            .service((alike, by_header_alone, by_query_or_none));
    })
}

pub(crate) fn post(service: &Service, path: &str, caller: &str, body: &str) -> Response {
    service.send("POST", path, Some(&bearer(caller)), Some(body))
}

#[test]
fn a_key_of_two_parts_never_serves_what_belongs_to_another() {
    let world = World::new();
    let service = service(&world);
    let get = |path: &str, caller: Option<&str>| service.get(path, caller).status.as_u16();
    assert_eq!(service.get("/accounts/1/resources/1", Some("member")).body, "1 one");
    assert_eq!(get("/accounts/2/resources/2", Some("stranger")), 200);
    // The resource is there, and the caller may read it, but it is not in this account.
    assert_eq!(get("/accounts/2/resources/1", Some("member")), 404);
    assert_eq!(get("/accounts/2/resources/1", Some("admin")), 404);
    assert_eq!(get("/accounts/2/resources/2", Some("member")), 403);
    for path in ["/accounts/x/resources/1", "/accounts/1/resources/x", "/accounts/1/resources/1,1"] {
        assert_eq!(get(path, Some("admin")), 404, "{path}");
    }
    assert_eq!(get("/accounts/1/resources/1", None), 401);

    world.statements();
    get("/accounts/1/resources/1", Some("member"));
    assert_eq!(world.statements().len(), 2);
}

#[test]
fn a_key_takes_its_parts_from_anywhere_in_the_request() {
    let world = World::new();
    let service = service(&world);
    let get = |path: &str, headers: &[(&str, &str)]| {
        let headers = [&[("authorization", "Bearer member")], headers].concat();
        service.send_with(path, &headers).status.as_u16()
    };
    assert_eq!(get("/here?resource=1", &[("x-account", "1")]), 200);
    assert_eq!(get("/here?resource=2", &[("x-account", "2")]), 403);
    assert_eq!(get("/here?resource=2", &[("x-account", "1")]), 404);
    assert_eq!(get("/here?resource=1&resource=2", &[("x-account", "1")]), 404);
    // Another reader might take the other one.
    for query in ["resource=1&resource[]=2", "Resource=2&resource=1", "resource[0]=1"] {
        assert_eq!(get(&format!("/here?{query}"), &[("x-account", "1")]), 404, "{query}");
    }
    assert_eq!(get("/here?resource=1", &[]), 404);
    assert_eq!(get("/here", &[("x-account", "1")]), 404);
}

#[test]
fn a_part_of_a_key_that_is_missing_or_there_twice_is_not_an_empty_one() {
    let service = service(&World::new());
    let get = |headers: &[(&str, &str)]| {
        let headers = [&[("authorization", "Bearer member")], headers].concat();
        service.send_with("/documents/plan", &headers).status.as_u16()
    };
    assert_eq!(get(&[("x-tenant", "acme")]), 403);
    assert_eq!(get(&[("x-tenant", "")]), 200);
    assert_eq!(get(&[]), 404);
    assert_eq!(get(&[("x-tenant", "acme"), ("x-tenant", "other")]), 404);
}

/// As `PostgreSQL` stores none; the loader, which would find this one, does not see it.
#[test]
fn a_part_of_a_key_with_a_nul_names_nothing() {
    let service = service(&World::new());
    let headers = [("authorization", "Bearer member"), ("x-tenant", "")];
    let get = |path: &str| service.send_with(path, &headers).status.as_u16();
    assert_eq!(get("/documents/plan"), 200);
    assert_eq!(get("/documents/plan%00"), 404);
    assert_eq!(get("/documents/%00"), 404);
}

#[test]
fn expressions_that_are_not_the_same_name_two_contexts() {
    let service = service(&World::new());
    let send = |one: i32, other: i32| {
        let body = format!(r#"{{"a.b": {one}, "a . b": {other}}}"#);
        post(&service, "/alike", "member", &body).status.as_u16()
    };
    assert_eq!(send(1, 3), 200);
    assert_eq!(send(1, 2), 403);
    assert_eq!(send(2, 1), 403);
}

#[test]
fn a_context_without_a_table_is_checked_like_any_other() {
    let world = World::new();
    let service = service(&world);
    assert_eq!(post(&service, "/resources", "crew", "{}").status, 200);
    assert_eq!(post(&service, "/resources", "admin", "{}").status, 200);
    assert_eq!(post(&service, "/resources", "member", "{}").status, 403);
    assert_eq!(service.send("POST", "/resources", None, Some("{}")).status, 401);
}

#[test]
fn a_list_is_one_statement_and_every_one_is_checked() {
    let world = World::new();
    let service = service(&world);
    let get = |path: &str, caller: &str| {
        let response = service.get(path, Some(caller));
        (response.status.as_u16(), response.body, world.statements().len())
    };
    // In the order of the request, each once; one statement authenticates, one loads.
    assert_eq!(
        get("/resources?resource=3&resource=1&resource=3", "member"),
        (200, "three one".to_owned(), 2)
    );
    assert_eq!(get("/resources/3,1", "member"), (200, "three one".to_owned(), 2));
    assert_eq!(get("/resources/3,1,2", "admin").1, "three one two");
    for path in ["/resources?resource=1&resource=2", "/resources?resource=2&resource=1", "/resources/1,2"] {
        let (status, body, statements) = get(path, "member");
        assert_eq!((status, statements), (403, 2), "{path}");
        assert!(!body.contains("one") && !body.contains("two"), "{body}");
    }
    // One that is not there, or is no id, and there is nothing.
    assert_eq!(get("/resources?resource=1&resource=9", "admin").0, 404);
    for path in
        ["/resources?resource=1&resource=x", "/resources/1,", "/resources/1,,3", "/resources?resource="]
    {
        let (status, _, statements) = get(path, "admin");
        assert_eq!((status, statements), (404, 1), "{path}");
    }
    assert_eq!(service.get("/resources?resource=1", None).status, 401);
}

#[test]
fn an_empty_list_is_a_denial_unless_it_is_allowed() {
    let world = World::new();
    let service = service(&world);
    for caller in ["member", "admin"] {
        assert_eq!(service.get("/resources", Some(caller)).status, 403, "{caller}");
        assert_eq!(post(&service, "/selected", caller, r#"{"resources": []}"#).status, 403, "{caller}");
    }
    let send = |headers: &[(&str, &str)]| {
        let headers = [&[("authorization", "Bearer member")], headers].concat();
        let response = service.send_with("/by-header", &headers);
        (response.status.as_u16(), response.body)
    };
    assert_eq!(send(&[]), (200, "[]".to_owned()));
    assert_eq!(send(&[("x-resource", "1, 3")]), (200, "[one three]".to_owned()));
    assert_eq!(send(&[("x-resource", "3"), ("x-resource", "1")]), (200, "[three one]".to_owned()));
    assert_eq!(send(&[("x-resource", "1, 2")]).0, 403);
    assert_eq!(send(&[("x-resource", "1;3")]).0, 404);
    assert_eq!(service.get("/by-header", None).status, 401);
}

#[test]
fn empty_elements_of_a_header_are_no_elements() {
    let service = service(&World::new());
    let send = |path: &str, values: &[&str]| {
        let mut headers = vec![("authorization", "Bearer member")];
        headers.extend(values.iter().map(|value| ("x-resource", *value)));
        let response = service.send_with(path, &headers);
        let denied = response.status != 200;
        (response.status.as_u16(), if denied { String::new() } else { response.body })
    };
    for (values, expected) in [
        (&["1,"][..], "one"),
        (&["1,,3"], "one three"),
        (&[",1 ,\t, 3,"], "one three"),
        (&["1,", "", ",3"], "one three"),
    ] {
        assert_eq!(send("/by-header-alone", values), (200, expected.to_owned()), "{values:?}");
        assert_eq!(send("/by-header", values), (200, format!("[{expected}]")), "{values:?}");
    }
    // A list without elements is as empty as none.
    for values in [&[][..], &[""], &[","], &[" , ,"], &["", ","]] {
        assert_eq!(send("/by-header-alone", values), (403, String::new()), "{values:?}");
        assert_eq!(send("/by-header", values), (200, "[]".to_owned()), "{values:?}");
    }
    assert_eq!(send("/by-header", &["1,2,"]).0, 403);
    assert_eq!(send("/by-header", &["1,x,"]).0, 404);
}

#[test]
fn what_a_query_says_in_another_way_is_not_nothing() {
    let service = service(&World::new());
    let send = |query: &str| {
        let response = service.get(&format!("/resources-or-none?{query}"), Some("member"));
        (response.status.as_u16(), if response.status == 200 { response.body } else { String::new() })
    };
    for query in ["", "other=1", "resources=1", "other[resource]=1"] {
        assert_eq!(send(query), (200, "[]".to_owned()), "{query}");
    }
    assert_eq!(send("resource=1&resource=3"), (200, "[one three]".to_owned()));
    assert_eq!(send("r%65source=1"), (200, "[one]".to_owned()));
    for query in [
        "resource[]=1&resource[]=3",
        "resource%5B%5D=1",
        "resource[0]=1",
        "resource[",
        "Resource=1",
        "RESOURCE[]=1",
        "resource%20=1",
        "+resource=1",
        "resource=",
        "resource",
        "resource=1,3",
        "resource=1&resource[]=2",
        "resource=1&Resource=2",
    ] {
        assert_eq!(send(query), (404, String::new()), "{query}");
    }
    assert_eq!(service.get("/resources-or-none?resource[]=1", None).status, 401);
}

#[test]
fn a_list_that_the_body_names_is_checked_after_the_body_is_read() {
    let world = World::new();
    let service = service(&world);
    let send = |caller: &str, ids: &str| {
        let response = post(&service, "/selected", caller, &format!(r#"{{"resources": [{ids}]}}"#));
        (response.status.as_u16(), response.body)
    };
    assert_eq!(send("chef", "1, 3, 1"), (200, "3 one three".to_owned()));
    assert_eq!(send("chef", "1, 2").0, 403);
    // `read` is there, `update` is not.
    assert_eq!(send("member", "1").0, 403);
    assert_eq!(send("chef", "1, 9").0, 404);
    assert_eq!(send("chef", "malformed").0, 400);
    // More than a database takes in one statement.
    let many: Vec<String> = (1..=100_000).map(|id| id.to_string()).collect();
    assert_eq!(send("admin", &many.join(",")).0, 404);
    assert_eq!(service.send("POST", "/selected", None, Some("{malformed")).status, 401);
}

#[actix_web::test]
async fn the_log_has_which_one_was_denied_and_no_more_than_a_line() {
    let world = World::new();
    let too_many = format!("/resources/{}", vec!["1"; 10_001].join(","));
    for (path, reason, id) in [
        ("/resources?resource=1&resource=2", "no-match", "2"),
        ("/resources/1,x", "not-found", r#"no id "1,x""#),
        ("/resources?resource=01&resource=9", "not-found", "1, 9"),
        ("/resources", "empty", ""),
        (&too_many, "too-many", &("1, ".repeat(85) + "1")),
    ] {
        let auth = world.auth();
        let (_, events) =
            events(|app| _ = app.app_data(auth).service((by_query, by_path)), path, "member").await;
        let fields = &events.last().unwrap()["fields"];
        assert_eq!((&fields["reason"], &fields["context_id"]), (&reason.into(), &id.into()), "{path}");
    }
}

//! The guard report: its entry for each handler, and the missing registrations that it finds.

#[cfg(feature = "introspection")]
mod introspection;

use actix_web::{App, HttpResponse, Responder, get, http::Method, post, put, route, routes, web};
use auth_core::{
    Authorized, LoadError, NoConnection, Permission, ProtectedConfig, ProtectedScope, Registered, Report,
    account_roles_accepted, account_roles_required, anonymous_user_required, auth_required,
    auth_token_required, http_auth_required, permission::Update, permission_required_for_context,
    permissions_accepted, permissions_required, protected::ScopeGuard, public, report, roles_accepted,
    roles_required, roles_required as needed,
};
use serde_json::json;

use crate::fixture::Resource;

const CHEF: &str = "chef";
const PUBLISH: Permission = Permission::new("publish");

/// A context with a declared policy.
mod declared {
    use auth_core::{AuthModel, LoadContext};
    use diesel::prelude::*;

    diesel::table! { notes (id) { id -> Integer, account_id -> Integer } }

    #[derive(AuthModel, LoadContext, Queryable, Selectable)]
    #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    #[acl(read = account(account_id) | role("auditor"), update = account(account_id) & role("editor"))]
    pub(super) struct Note {
        id: i32,
        account_id: i32,
    }
}

use declared::Note;

#[auth_required("token", within = "15 min", grace = "1 h")]
#[roles_required("a", CHEF)]
#[account_roles_accepted("b")]
#[get("/all")]
async fn all_of_them() -> impl Responder {
    HttpResponse::Ok()
}

#[permission_required_for_context("update", ctx_arg = "note", id = query("note"))]
#[permission_required_for_context("read", ctx_arg = "notes", id = query("notes"), allow_empty = true)]
#[post("/notes")]
async fn notes(note: Authorized<Note, Update>, notes: Vec<Note>) -> impl Responder {
    let _ = (note, notes);
    HttpResponse::Ok()
}

fn resource_of(_: &web::Json<i32>, _: &mut NoConnection) -> Result<Resource, LoadError> {
    Err(LoadError::NotFound)
}

#[permission_required_for_context(PUBLISH, ctx_loader = resource_of(body, connection))]
#[permission_required_for_context("delete", ctx = Note, id = header("x-note"))]
#[put("/by-loader")]
async fn by_loader(body: web::Json<i32>) -> impl Responder {
    body.to_string()
}

#[anonymous_user_required]
#[route("/join", method = "GET", method = "POST")]
async fn join() -> impl Responder {
    HttpResponse::Ok()
}

#[auth_token_required]
#[account_roles_required("c")]
#[permissions_required("p")]
#[permissions_accepted("q", "r")]
#[routes]
#[patch("/one")]
#[delete("/other/{id}")]
async fn several() -> impl Responder {
    HttpResponse::Ok()
}

/// An attribute under another name, below one of ours, puts a guard of its own around.
#[roles_accepted("inner")]
#[needed("outer")]
#[get("/wrapped")]
async fn wrapped() -> impl Responder {
    HttpResponse::Ok()
}

/// One without a route attribute.
#[roles_accepted("inner")]
#[needed("outer")]
async fn plain_and_wrapped() -> impl Responder {
    HttpResponse::Ok()
}

/// Of two functions of one name, in two others, one has a guard more.
mod nested {
    use actix_web::dev::HttpServiceFactory;
    use auth_core::{Guarded, auth_required, roles_required as needed};

    pub(super) fn one() -> impl HttpServiceFactory + Guarded {
        #[auth_required]
        #[needed("outer")]
        #[super::get("/one-of-two")]
        async fn nested() -> String {
            String::new()
        }
        nested
    }

    pub(super) fn other() -> impl HttpServiceFactory + Guarded {
        #[auth_required]
        #[super::get("/other-of-two")]
        async fn nested() -> String {
            String::new()
        }
        nested
    }
}

#[http_auth_required(realm = "vault")]
async fn plain() -> impl Responder {
    HttpResponse::Ok()
}

#[roles_accepted("generic")]
async fn generic<const N: u8>() -> impl Responder {
    N.to_string()
}

#[public]
#[get("/health")]
async fn health() -> impl Responder {
    "ok"
}

fn own() -> Report {
    report().of_crate("http::report")
}

fn lines(report: &Report) -> Vec<String> {
    report.entries().iter().map(ToString::to_string).collect()
}

#[test]
fn each_handler_is_told_as_its_attributes_are_written() {
    assert_eq!(
        lines(&own()),
        [
            r#"GET /all: auth_required("token", within = "15 min", grace = "1 h"); roles_required("a", "chef"); account_roles_accepted("b")"#,
            r#"PUT /by-loader: permission_required_for_context("publish", resource_of(body, connection)); permission_required_for_context("delete", Note, id = header("x-note"))"#,
            "GET /health: public",
            "GET, POST /join: anonymous_user_required",
            r#"POST /notes: permission_required_for_context("update", Note, id = query("note")); permission_required_for_context("read", Vec<Note>, id = query("notes"), allow_empty = true)"#,
            r#"http::report::plain: auth_required("basic", realm = "vault")"#,
            r#"http::report::plain_and_wrapped: roles_required("outer"); roles_accepted("inner")"#,
            r#"PATCH /one: auth_required("token"); account_roles_required("c"); permissions_required("p"); permissions_accepted("q", "r")"#,
            r#"DELETE /other/{id}: auth_required("token"); account_roles_required("c"); permissions_required("p"); permissions_accepted("q", "r")"#,
            r#"GET /wrapped: roles_required("outer"); roles_accepted("inner")"#,
            r#"GET /one-of-two: roles_required("outer"); auth_required"#,
            "GET /other-of-two: auth_required",
        ]
    );
}

#[test]
fn a_declared_policy_is_shown() {
    let report = own();
    let policies = |path: &str| -> Vec<String> {
        let entry = report.entries().iter().find(|entry| entry.path() == path).unwrap();
        entry.handler().policies().collect()
    };
    let update = r#"Note: update = account(account_id) & role("editor")"#;
    assert_eq!(policies("/notes"), [update, r#"Note: read = account(account_id) | role("auditor")"#]);
    // No subject has a permission that no rule grants; and the list of a `Resource` is code.
    assert_eq!(policies("/by-loader"), ["Note: delete = nobody"]);
    assert!(policies("/all").is_empty());
}

#[test]
fn the_report_is_data() {
    let json: serde_json::Value = serde_json::from_str(&own().to_json()).unwrap();
    let entry = json.as_array().unwrap().iter().find(|entry| entry["path"] == "/health").unwrap();
    let line = entry["line"].as_u64().unwrap();
    assert_eq!(
        *entry,
        json!({
            "methods": ["GET"],
            "path": "/health",
            "handler": "http::report::health",
            "file": "tests/http/report.rs",
            "line": line,
            "public": true,
            "guards": ["public"],
            "policies": [],
        })
    );
    let source = include_str!("report.rs").lines().nth(usize::try_from(line).unwrap() - 1).unwrap();
    assert_eq!(source, "#[public]");
    let markdown = own().to_markdown();
    assert!(markdown.starts_with("| method "), "{markdown}");
    assert!(
        markdown.contains(r#"| permission\_required\_for\_context("update", Note, id = query("note")); "#)
    );
    let row = "| Note: update = account(account\\_id) & role(\"editor\"); Note: read = account(account\\_id) \\| role(\"auditor\")";
    assert!(markdown.contains(row), "{markdown}");
    let text = own().to_string();
    assert!(text.lines().all(|line| line.trim_end() == line) && text.contains("/wrapped    "), "{text}");
}

async fn registered(configure: impl FnOnce(&mut web::ServiceConfig)) -> Registered {
    own().registered_by(configure).await
}

fn all(config: &mut ProtectedConfig<'_>) {
    config
        .service(all_of_them)
        .service(notes)
        .service(by_loader)
        .service(join)
        .service(several)
        .service(wrapped)
        .service(health)
        .service(nested::one())
        .service(nested::other())
        .route("/plain", Method::PUT, plain)
        .route("plain-and-wrapped", Method::from_bytes(b"PURGE").unwrap(), plain_and_wrapped)
        .route("/generic", Method::GET, generic::<7>)
        .public_service("/files", "they are for all", web::resource("/{name}").to(|| async { "file" }));
}

#[actix_web::test]
async fn every_route_is_found_with_its_scopes() {
    let found = registered(|config| {
        let guard = ScopeGuard::auth_required().roles_accepted(&["x"]);
        let inner = ProtectedScope::new("/{tenant}").guarded_by(guard).configure(all);
        ProtectedConfig::new(config).service(ProtectedScope::new("/api").service(inner));
    })
    .await;
    assert!(found.is_complete(), "{found}");
    assert_eq!(found.to_string(), "");
    let lines = lines(found.report());
    assert_eq!(lines.len(), 14, "{lines:#?}");
    for line in [
        r#"GET, HEAD /api/{tenant}/health: scope: roles_accepted("x"); public"#,
        r#"PUT /api/{tenant}/plain: scope: roles_accepted("x"); auth_required("basic", realm = "vault")"#,
        r#"GET, HEAD /api/{tenant}/generic: scope: roles_accepted("x"); roles_accepted("generic")"#,
        r#"GET, HEAD /api/{tenant}/wrapped: scope: roles_accepted("x"); roles_required("outer"); roles_accepted("inner")"#,
        r#"PURGE /api/{tenant}/plain-and-wrapped: scope: roles_accepted("x"); roles_required("outer"); roles_accepted("inner")"#,
        r#"GET, HEAD /api/{tenant}/one-of-two: scope: roles_accepted("x"); roles_required("outer"); auth_required"#,
        r#"GET, HEAD /api/{tenant}/other-of-two: scope: roles_accepted("x"); auth_required"#,
        r#"any /api/{tenant}/files: scope: roles_accepted("x"); public(reason = "they are for all")"#,
    ] {
        assert!(lines.iter().any(|other| other == line), "{line}: {lines:#?}");
    }
}

#[actix_web::test]
async fn a_handler_that_nobody_registered_is_missing() {
    let found = registered(|config| {
        ProtectedConfig::new(config).service(health).service(ProtectedScope::new("/a").service(wrapped));
    })
    .await;
    assert!(!found.is_complete());
    assert_eq!(found.never().entries().len(), 10);
    assert!(
        found
            .to_string()
            .contains("http::report::plain is guarded and registered nowhere (tests/http/report.rs:")
    );
}

fn public(path: &str) -> ProtectedScope {
    ProtectedScope::new("/api").public_service(path, "it is open", web::resource("").to(|| async { "" }))
}

#[test]
fn a_public_service_has_a_path_of_its_own() {
    for path in [
        "",
        "/",
        "//",
        "/{all}",
        "{all}",
        "/{all:.*}",
        "/{a}/{b}",
        "/{tenant}/files",
        "/a{rest:.*}",
        "//files",
    ] {
        let refused = std::panic::catch_unwind(|| public(path)).err().expect(path);
        let said = refused.downcast_ref::<String>().unwrap();
        assert!(said.starts_with("a public service needs a path of its own"), "{path}: {said}");
    }
    for path in ["/files", "files", "/files/{name}", "/files/{rest:.*}", "/files/"] {
        let _ = public(path);
    }
}

/// Where a public service answers in the place of a guarded handler.
#[actix_web::test]
async fn a_guarded_route_below_a_public_service_is_reported() {
    async fn found(configure: impl FnOnce(&mut ProtectedConfig<'_>)) -> Registered {
        registered(|config| configure(&mut ProtectedConfig::new(config))).await
    }
    fn open() -> impl actix_web::dev::HttpServiceFactory + 'static {
        web::resource("/{any:.*}").to(|| async { "open" })
    }
    fn below(found: &Registered) -> Vec<String> {
        found.below_public().iter().map(ToString::to_string).collect()
    }

    // Where its introspection is on, actix-web refuses a route that names a parameter twice, as with the service's own `any`.
    let any = if cfg!(feature = "introspection") { "/other/{every}" } else { "/other/{any}" };
    for (pattern, route) in [
        ("/other", "GET /other/{id}"),
        (any, "GET /other/{id}"),
        ("/other/7", "GET /other/{id}"),
        ("/other/{id:[a-f]{8}}", "GET /other/{id}"),
    ] {
        let before = found(|config| {
            config.public_service(pattern, "it is open", open()).route("/other/{id}", Method::GET, plain);
        })
        .await;
        let line = format!("{route} is answered by the public service {pattern}, without its guard");
        assert_eq!(below(&before), std::slice::from_ref(&line));
        assert!(!before.is_complete());
        assert!(before.to_string().contains(&line), "{before}");
        // Registered before it, the guarded route is the one that answers.
        let after = found(|config| {
            config.route("/other/{id}", Method::GET, plain).public_service(pattern, "it is open", open());
        })
        .await;
        assert_eq!(below(&after), [format!("{route} lies below the public service {pattern}")]);
        assert!(!after.to_string().contains("public service"), "{after}");
    }
    // With the scopes around.
    let inner = if cfg!(feature = "introspection") { "/{account}" } else { "/{id}" };
    let nested = found(|config| {
        config.public_service("/api", "it is open", open()).service(
            ProtectedScope::new("/{version}").service(ProtectedScope::new(inner).route(
                "/{id}",
                Method::GET,
                plain,
            )),
        );
    })
    .await;
    assert_eq!(
        below(&nested),
        [format!(
            "GET, HEAD /{{version}}{inner}/{{id}} is answered by the public service /api, without its guard"
        )]
    );
    // Beside each other, and public below public.
    let beside = found(|config| {
        config
            .public_service("/files", "it is open", open())
            .public_service("/files/more", "it is open, too", open())
            .service(health)
            .route("/files-of-mia", Method::GET, plain)
            .service(ProtectedScope::new("/v1").route("/files", Method::GET, plain));
    })
    .await;
    assert!(below(&beside).is_empty(), "{:?}", below(&beside));
}

#[actix_web::test]
async fn nothing_is_recorded_while_nobody_asks() {
    let app =
        actix_web::test::init_service(App::new().configure(|config| all(&mut ProtectedConfig::new(config))))
            .await;
    drop(app);
    let found = registered(|_| {}).await;
    assert!(found.report().entries().is_empty());
}

#[actix_web::test]
async fn the_energy_service_is_complete() {
    let service = energy_service::Service::open(&energy_service::Config::default()).unwrap();
    let found = service.guards().await;
    assert!(found.is_complete(), "{found}");
    assert!(found.report().entries().len() > 70);
    for entry in found.report().entries().iter().filter(|entry| entry.is_public()) {
        assert!(entry.handler().reason().is_some(), "{entry} does not say why");
    }
}

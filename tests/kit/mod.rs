//! The testing kit where a part is missing or fails: it reports that, and never takes a failure for an answer.

mod explained;
mod unregistered;

use std::{
    env, fs,
    path::{self, PathBuf},
    process::Command,
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    get,
    http::{
        Method,
        header::{HeaderValue, LOCATION},
    },
    middleware::{Next, from_fn},
    patch, post,
    test::{TestRequest, init_service},
    web::{Bytes, Json, Path, Query, ServiceConfig},
};
use auth_core::{
    Acl, Auth, AuthError, AuthModel, CurrentUser, LoadError, Permission, ProtectedConfig, ProtectedScope,
    User, account, allow, auth_required,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context,
    protected::ScopeGuard,
    public, report, role,
    test::{AccessMatrix, AccessMatrixBuilder, ObserveError, ReviewError, RouteRequest},
};
use serde::Deserialize;

/// The user that the header names.
struct Named;

impl Mechanism for Named {
    fn name(&self) -> &'static str {
        "named"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        match request.headers().get("who").map(HeaderValue::as_bytes) {
            Some(b"member") => Ok(Some(User::new(2).into())),
            Some(b"editor") => Ok(Some(User::new(2).with_account(3).with_roles(["editor"]).into())),
            Some(b"outage") => Err(Rejection::unavailable("the store is gone")),
            _ => Ok(None),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

#[auth_required]
#[get("/notes")]
async fn list() -> &'static str {
    "all"
}

#[auth_required]
#[post("/notes")]
async fn create(_: Json<String>) -> &'static str {
    "created"
}

/// A handler without an attribute, which looks for the caller itself.
#[public]
#[get("/own-notes")]
async fn own(_: Query<NoParameters>, _: CurrentUser) -> &'static str {
    "mine"
}

#[auth_required]
#[patch("/notes/{folder}/{name}")]
async fn change(_: Bytes) -> &'static str {
    "changed"
}

#[auth_required(on_denied = to_the_log_in)]
#[get("/page")]
async fn page() -> &'static str {
    "a page"
}

#[public]
#[get("/page-of-a-scope")]
async fn page_of_a_scope() -> &'static str {
    "a page"
}

struct Note;

fn note(number: &Path<u8>, text: &Json<String>) -> Result<Note, LoadError> {
    let _ = text;
    if **number < 3 { Ok(Note) } else { Err(LoadError::NotFound) }
}

/// The object of the decision is in the body.
#[permission_required_for_context("update", ctx_loader = note(number, text))]
#[post("/notes-by-body/{number}")]
async fn change_by_body(number: Path<u8>, text: Json<String>) -> &'static str {
    let _ = (number, text);
    "changed"
}

fn numbered(number: &Path<u8>) -> Result<Note, LoadError> {
    if **number < 3 { Ok(Note) } else { Err(LoadError::NotFound) }
}

/// The object of the decision is in the path, and a function makes it all the same.
#[permission_required_for_context("update", ctx_loader = numbered(number))]
#[patch("/notes-by-number/{number}")]
async fn change_by_number(text: Json<String>, number: Path<u8>) -> &'static str {
    let _ = (number, text);
    "changed"
}

fn to_the_log_in(_: &HttpRequest, _: &AuthError) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, "/log-in")).finish()
}

fn configure(config: &mut ServiceConfig) {
    let scope =
        ProtectedScope::new("/inner").guarded_by(ScopeGuard::auth_required()).service(page_of_a_scope);
    ProtectedConfig::new(config)
        .service(list)
        .service(create)
        .service(own)
        .service(change)
        .service(page)
        .service(scope);
}

async fn builder() -> AccessMatrixBuilder {
    AccessMatrix::builder(&report().of_crate("library::kit").registered_by(configure).await)
        .subject("nobody", |request| request)
        .subject("member", |request| request.insert_header(("who", "member")))
        .objects("folder", [("a", "a"), ("b", "b")])
        .objects("name", [("x", "x?"), ("y", "y")])
}

fn harmless() -> RouteRequest {
    RouteRequest::new(Method::PATCH, "/notes/{folder}/{name}").body("text/plain", "as it is")
}

async fn observe(builder: AccessMatrixBuilder) -> Result<AccessMatrix, ObserveError> {
    let auth = Auth::builder().mechanism(Named).on_denied(to_the_log_in_of_scopes).build().unwrap();
    let app = init_service(App::new().app_data(auth).configure(configure)).await;
    builder.observe(&app).await
}

fn to_the_log_in_of_scopes(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    if request.path().starts_with("/inner") {
        to_the_log_in(request, error)
    } else {
        auth_core::denial::problem(request, error)
    }
}

/// A file that no other test has.
fn file(name: &str) -> PathBuf {
    let file =
        path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kit-{}-{name}", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

#[actix_web::test]
async fn cells_say_what_is_answered() {
    let matrix = observe(builder().await.request(harmless())).await.unwrap();
    let cells = |method, path, object| {
        ["nobody", "member"].map(|subject| matrix.access(method, path, object, subject).unwrap_or("none"))
    };
    assert_eq!(cells("GET", "/notes", ""), ["401", "yes"]);
    assert_eq!(cells("POST", "/notes", ""), ["401", "yes"]);
    assert_eq!(
        cells("GET", "/own-notes", ""),
        ["401/yes", "yes"],
        "the query is parsed before it is known who asks"
    );
    assert_eq!(cells("GET", "/page", ""), ["303", "yes"], "a redirect to the log-in is a denial");
    assert_eq!(cells("GET", "/inner/page-of-a-scope", ""), ["303", "yes"], "that of a scope as well");
    for object in ["a, x", "a, y", "b, x", "b, y"] {
        assert_eq!(cells("PATCH", "/notes/{folder}/{name}", object), ["401", "yes"]);
    }
    assert_eq!(cells("GET", "/nowhere", ""), ["none", "none"]);
}

#[actix_web::test]
async fn a_request_with_a_name_has_rows_of_its_own() {
    let named =
        RouteRequest::new(Method::POST, "/notes").named("a right one").body("application/json", r#""x""#);
    let matrix = observe(builder().await.request(harmless()).request(named)).await.unwrap();
    assert_eq!(matrix.access("POST", "/notes", "", "member"), Some("yes"));
    assert_eq!(matrix.access("POST", "/notes", "a right one", "nobody"), Some("401"));
    assert_eq!(matrix.access("POST", "/notes", "a right one", "member"), Some("yes"));
}

#[actix_web::test]
async fn what_is_carried_out_or_fails_is_no_cell() {
    let outage = |request: TestRequest| request.insert_header(("who", "outage"));
    let matrix = observe(builder().await.subject("outage", outage)).await.unwrap();
    let file = file("failed.md");
    fs::write(&file, matrix.to_markdown()).unwrap();
    let error = matrix.compare_with(&file).unwrap_err();
    assert!(matches!(error, ReviewError::Differs { .. }), "even where the file says the same");
    let error = error.to_string();
    for line in [
        "PATCH /notes/{folder}/{name} (a, x)\n    as member: reviewed 200 OK, so it was carried out",
        "GET /notes\n    as outage: reviewed 503 Service Unavailable, observed 503 Service Unavailable",
    ] {
        assert!(error.contains(line), "{line}\n{error}");
    }
}

#[actix_web::test]
async fn what_is_missing_is_said_before_anything_is_asked() {
    let registered = report().of_crate("library::kit").registered_by(configure).await;
    let nobody = |request: TestRequest| request;
    for (builder, error) in [
        (AccessMatrix::builder(&registered), ObserveError::NoSubjects),
        (builder().await.subject("member", nobody), ObserveError::Twice { name: "member".to_owned() }),
        (
            AccessMatrix::builder(&registered)
                .subject("nobody", nobody)
                .objects("folder", [("a", 1)])
                .request(harmless()),
            ObserveError::NoObjects {
                parameter: "name".to_owned(),
                path: "/notes/{folder}/{name}".to_owned(),
            },
        ),
        (
            builder().await.request(RouteRequest::new(Method::PUT, "/notes")),
            ObserveError::UnknownRoute { method: "PUT".to_owned(), path: "/notes".to_owned() },
        ),
    ] {
        assert_eq!(observe(builder).await.unwrap_err(), error);
    }
}

#[actix_web::test]
async fn a_matrix_is_compared_with_its_file() {
    let matrix = observe(builder().await.request(harmless())).await.unwrap();
    for name in ["matrix.md", "matrix.json"] {
        let file = file(name);
        let error = matrix.compare_with(&file).unwrap_err();
        assert!(matches!(error, ReviewError::Missing { .. }));
        assert!(error.to_string().contains("UPDATE_REVIEWED=1"), "{error}");

        let text = if name == "matrix.md" { matrix.to_markdown() } else { matrix.to_json() };
        fs::write(&file, &text).unwrap();
        matrix.assert_matches(&file);
        fs::write(&file, text.replacen("401/yes", "401", 1)).unwrap();
        let error = matrix.compare_with(&file).unwrap_err().to_string();
        assert!(error.contains("GET /own-notes\n    as nobody: reviewed 401, observed 401/yes\n"), "{error}");
        fs::write(&file, "something else").unwrap();
        assert!(matches!(matrix.compare_with(&file).unwrap_err(), ReviewError::Malformed { .. }));
        fs::remove_file(&file).unwrap();
    }
}

/// Runs in a process of its own, with `UPDATE_REVIEWED`.
#[actix_web::test]
async fn rewrites() {
    let Some(file) = env::var_os("AUTH_TEST_REVIEWED") else { return };
    let matrix = observe(builder().await.request(harmless())).await.unwrap();
    matrix.assert_matches(&file);
    // Failed observations are not written.
    let before = fs::read_to_string(&file).unwrap();
    let error = observe(builder().await).await.unwrap().compare_with(&file).unwrap_err();
    assert!(error.to_string().contains("carried out"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[actix_web::test]
async fn an_update_rewrites_the_file_and_keeps_the_notes() {
    let file = file("rewritten.md");
    fs::write(&file, "# Ours\n\nNotes.\n\n## `/old`\n").unwrap();
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kit::rewrites"])
        .env("AUTH_TEST_REVIEWED", &file)
        .env("UPDATE_REVIEWED", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# Ours\n\nNotes.\n\n## `/`\n") && !text.contains("/old"), "{text}");
    observe(builder().await.request(harmless())).await.unwrap().assert_matches(&file);
    fs::remove_file(&file).unwrap();
}

impl AuthModel for Note {
    fn acl(&self) -> impl Acl {
        allow(Permission::UPDATE, account(3) & role("editor"))
    }
}

fn configure_notes(config: &mut ServiceConfig) {
    ProtectedConfig::new(config).service(change_by_body).service(change_by_number);
}

fn as_editor(request: TestRequest) -> TestRequest {
    request.insert_header(("who", "editor"))
}

async fn observe_notes(request: Option<RouteRequest>) -> AccessMatrix {
    let mut builder =
        AccessMatrix::builder(&report().of_crate("library::kit").registered_by(configure_notes).await)
            .subject("nobody", |request| request)
            .subject("member", |request| request.insert_header(("who", "member")))
            .subject("editor", as_editor)
            .objects("number", [("there", "1"), ("missing", "9")]);
    if let Some(request) = request {
        builder = builder.request(request);
    }
    let auth = Auth::builder().mechanism(Named).build().unwrap();
    let app = init_service(App::new().app_data(auth).configure(configure_notes)).await;
    builder.observe(&app).await.unwrap()
}

#[actix_web::test]
async fn a_cell_says_yes_only_where_a_guard_has_decided() {
    let matrix = observe_notes(None).await;
    let cells = |path, object| {
        let method = if path == "/notes-by-body/{number}" { "POST" } else { "PATCH" };
        ["nobody", "member", "editor"].map(|subject| matrix.access(method, path, object, subject).unwrap())
    };
    // The malformed body, which every handler refuses, keeps this guard from its decision.
    for object in ["there", "missing"] {
        assert_eq!(cells("/notes-by-body/{number}", object), ["401", "not reached", "not reached"]);
    }
    assert_eq!(cells("/notes-by-number/{number}", "there"), ["401", "403", "yes"]);
    assert_eq!(cells("/notes-by-number/{number}", "missing"), ["401", "404", "404"]);

    let right = RouteRequest::new(Method::POST, "/notes-by-body/{number}").body("application/json", r#""x""#);
    let matrix = observe_notes(Some(right)).await;
    let cells = |object| {
        ["nobody", "member", "editor"]
            .map(|subject| matrix.access("POST", "/notes-by-body/{number}", object, subject).unwrap())
    };
    assert_eq!(cells("there"), ["401", "403", "yes"]);
    assert_eq!(cells("missing"), ["401", "404", "404"]);
}

/// A middleware that answers in front of all guards.
async fn refuses(request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    Ok(request.into_response(HttpResponse::BadRequest()).map_into_boxed_body())
}

#[actix_web::test]
async fn what_answers_in_front_of_a_guard_is_no_cell() {
    let auth = Auth::builder().mechanism(Named).build().unwrap();
    let app = init_service(App::new().app_data(auth).wrap(from_fn(refuses)).configure(configure)).await;
    let matrix = builder().await.observe(&app).await.unwrap();
    let cell = matrix.access("GET", "/notes", "", "member").unwrap();
    assert!(cell.starts_with("400 Bad Request, and the guard was not asked"), "{cell}");
    assert_eq!(matrix.access("GET", "/own-notes", "", "member"), Some("yes"), "it has no guard");
    let file = file("in-front.md");
    fs::write(&file, matrix.to_markdown()).unwrap();
    let error = matrix.compare_with(&file).unwrap_err().to_string();
    assert!(error.contains("GET /notes\n    as nobody: reviewed 400 Bad Request"), "{error}");
    fs::remove_file(&file).unwrap();
}

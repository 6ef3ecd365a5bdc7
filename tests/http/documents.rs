//! The documents that `GuardedApi` makes.

use actix_web::{HttpResponse, Responder, get, http::Method, post};
use auth_core::{
    Auth, ProtectedConfig, ProtectedScope, Registered, User, anonymous_user_required, auth_required,
    openapi::{DocumentError, GuardedApi},
    protected::ScopeGuard,
    public, report, roles_accepted,
    test::AlwaysAs,
};
use serde_json::{Value, json};
use utoipa::OpenApi;

#[utoipa::path(
    context_path = "/api",
    security(("wrong" = [])),
    responses((status = 200), (status = 403, description = "The application's own.")),
)]
#[roles_accepted("chief")]
#[get("/reports/{year}")]
async fn view() -> impl Responder {
    HttpResponse::Ok()
}

mod other {
    use super::{HttpResponse, Responder, get, public};

    #[utoipa::path(context_path = "/api", responses((status = 200)))]
    #[public(reason = "of no use to strangers")]
    #[get("/public")]
    pub(super) async fn view() -> impl Responder {
        HttpResponse::Ok()
    }
}

#[anonymous_user_required]
#[post("/sign-up/{step:[a-z]+}")]
async fn sign_up() -> impl Responder {
    HttpResponse::Ok()
}

#[auth_required]
async fn by_hand() -> impl Responder {
    HttpResponse::Ok()
}

#[utoipa::path(responses((status = 200)))]
#[auth_required("ticket")]
#[get("/tickets")]
async fn tickets() -> impl Responder {
    HttpResponse::Ok()
}

#[derive(OpenApi)]
#[openapi(paths(view, other::view))]
struct Api;

#[derive(OpenApi)]
#[openapi(paths(tickets))]
struct Tickets;

fn configure(config: &mut ProtectedConfig<'_>) {
    let guarded = ProtectedScope::new("/inner").guarded_by(ScopeGuard::auth_required());
    config.service(
        ProtectedScope::new("/api")
            .service(view)
            .service(other::view)
            .service(sign_up)
            .service(guarded.route("/{id}", Method::GET, by_hand)),
    );
}

async fn registered(configure: fn(&mut ProtectedConfig<'_>)) -> Registered {
    report().registered_by(|config| configure(&mut ProtectedConfig::new(config))).await
}

fn auth() -> Auth {
    Auth::builder().mechanism(AlwaysAs(User::new(1))).build().unwrap()
}

async fn completed(document: utoipa::openapi::OpenApi) -> Value {
    let (registered, auth) = (registered(configure).await, auth());
    serde_json::to_value(GuardedApi::new(&registered, &auth).complete(document).unwrap()).unwrap()
}

#[actix_web::test]
async fn what_the_application_says_is_kept_and_its_security_corrected() {
    let document = completed(Api::openapi()).await;
    let operation = &document["paths"]["/api/reports/{year}"]["get"];
    assert_eq!(operation["security"], json!([{ "test": [] }]));
    assert_eq!(operation["responses"]["403"]["description"], "The application's own.");
    assert_eq!(operation["responses"]["401"]["$ref"], "#/components/responses/Unauthorized");
    assert_eq!(operation["responses"]["404"], Value::Null);
    assert_eq!(operation["description"], "Requires a log-in, a role.");
    let parameter =
        json!([{ "name": "year", "in": "path", "required": true, "schema": { "type": "string" } }]);
    assert_eq!(operation["parameters"], parameter);
    assert_eq!(document["paths"]["/api/public"]["get"]["security"], json!([]));
    assert_eq!(document["paths"]["/api/public"]["get"]["description"], "Open to everybody.");
}

#[actix_web::test]
async fn what_the_application_does_not_say_is_added() {
    let empty = utoipa::openapi::OpenApi::default();
    let document = completed(empty).await;
    let operation = &document["paths"]["/api/sign-up/{step}"]["post"];
    assert_eq!(operation["security"], json!([]));
    let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["401", "403", "503", "default"]);
    assert_eq!(operation["parameters"][0]["name"], "step");
    assert_eq!(operation["tags"], json!(["documents"]));
    // A function that is registered by hand, in a scope with a guard of its own.
    assert_eq!(document["paths"]["/api/inner/{id}"]["get"]["security"], json!([{ "test": [] }]));
    assert_eq!(document["paths"].as_object().unwrap().len(), 4);
}

#[actix_web::test]
async fn ids_are_unique() {
    let document = completed(Api::openapi()).await;
    let id = |path: &str, method: &str| document["paths"][path][method]["operationId"].clone();
    assert_eq!(id("/api/reports/{year}", "get"), "documents_view");
    assert_eq!(id("/api/public", "get"), "other_view");
    assert_eq!(id("/api/sign-up/{step}", "post"), "documents_sign_up");
}

#[actix_web::test]
async fn roles_are_shown_only_where_that_is_asked_for() {
    let text = completed(Api::openapi()).await.to_string();
    assert!(!text.contains("chief") && !text.contains("strangers"), "{text}");
    let (registered, auth) = (registered(configure).await, auth());
    let shown = GuardedApi::new(&registered, &auth).show_rules().complete(Api::openapi()).unwrap();
    let shown = serde_json::to_value(shown).unwrap();
    assert_eq!(
        shown["paths"]["/api/reports/{year}"]["get"]["description"],
        "Requires:\n\n* `roles_accepted(\"chief\")`\n"
    );
}

#[actix_web::test]
async fn an_operation_that_no_guard_knows_is_an_error() {
    let (registered, auth) = (registered(configure).await, auth());
    let mut document = Api::openapi();
    document.merge(Tickets::openapi());
    let refused = GuardedApi::new(&registered, &auth).complete(document).err().unwrap();
    assert_eq!(refused, DocumentError::Unknown { operations: vec!["GET /tickets".to_owned()] });
}

/// Else it would look as open as a public operation.
#[actix_web::test]
async fn a_guard_that_lets_nobody_in_is_an_error() {
    let registered = registered(|config| {
        config.service(tickets);
    })
    .await;
    let refused = GuardedApi::new(&registered, &auth()).complete(Tickets::openapi()).err().unwrap();
    assert_eq!(refused, DocumentError::NoMechanism { operation: "GET /tickets".to_owned() });
}

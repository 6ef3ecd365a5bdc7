//! The examples of the chapter about tests, word for word as they are there, and the code that they need around them.

use std::sync::Arc;

use actix_web::{
    App, HttpRequest, Responder, get,
    http::{Method, StatusCode, header::AUTHORIZATION},
    test::{TestRequest, init_service},
    web::{Json, ServiceConfig},
};
use auth_core::{
    Acl, AdminRoles, AllowReason, Auth, AuthConfigError, AuthModel, Authorized, CurrentUser, Decision,
    DenyReason, LoadContext, LoadError, NoConnection, Permission, ProtectedConfig, Subject as _, User,
    account, account_role, allow, auth_required, explain,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission::Update,
    permission_required_for_context, report, role,
    test::{self, AccessMatrix, ObserveError, PolicyTable, RouteRequest},
    user,
};

const CHAPTER: &str = include_str!("../../docs/testing.md");

struct Sensor {
    account_id: i32,
    owner_id: i32,
    name: String,
}

/// Sensor 1 belongs to account 3, sensor 2 to account 4.
impl LoadContext for Sensor {
    type Id = i32;
    type Connection = NoConnection;

    fn load(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        match id {
            1 | 2 => Ok(Self { account_id: id + 2, owner_id: 5, name: format!("sensor {id}") }),
            _ => Err(LoadError::NotFound),
        }
    }
}

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(self.account_id) | account_role("Auditor"))
            .allow(Permission::UPDATE, user(self.owner_id) | account(self.account_id) & role("account-admin"))
    }
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> String {
    sensor.name
}

#[permission_required_for_context("update", ctx_arg = "sensor", id = "sensor_id")]
async fn rename(sensor: Authorized<Sensor, Update>, Json(name): Json<String>) -> String {
    format!("{} is {name}", sensor.name)
}

#[auth_required("token")]
#[get("/export")]
async fn export() -> impl Responder {
    "for programs"
}

#[auth_required]
async fn greet(user: CurrentUser) -> String {
    format!("Hello, {}!", user.id())
}

fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(export).route("/sensors/{sensor_id}", Method::PATCH, rename).route(
        "/greeting",
        Method::GET,
        greet,
    );
}

/// A mechanism whose token names its user.
struct Named;

impl Mechanism for Named {
    fn name(&self) -> &'static str {
        "token"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let token = request.headers().get(AUTHORIZATION).and_then(|token| token.to_str().ok());
        Ok(match token {
            Some("Bearer member") => Some(member().into()),
            Some("Bearer stranger") => Some(User::new(6).with_account(4).into()),
            _ => None,
        })
    }
}

fn member() -> User {
    User::new(2).with_account(3)
}

fn auditor() -> User {
    User::new(8).with_account(9).with_account_roles(["Auditor"])
}

#[test]
fn a_decision_has_a_reason() {
    let sensor = Sensor { account_id: 3, owner_id: 5, name: "power".to_owned() };
    let admin = User::new(1).with_roles(["admin"]).with_admin_roles(AdminRoles::flexmeasures());
    test::assert_allowed(&explain(&member(), &sensor, Permission::READ), AllowReason::Match);
    test::assert_allowed(&explain(&admin, &sensor, Permission::UPDATE), AllowReason::Admin);
    test::assert_denied(&explain(&auditor(), &sensor, Permission::UPDATE), DenyReason::NoMatch);
}

#[test]
fn who_may_what_with_a_sensor() {
    let subjects = [
        ("member", member()),
        ("account-admin", member().with_roles(["account-admin"])),
        ("auditor", auditor()),
        (
            "admin-reader",
            User::new(1).with_roles(["admin-reader"]).with_admin_roles(AdminRoles::flexmeasures()),
        ),
    ];
    let sensor = Sensor { account_id: 3, owner_id: 5, name: "power".to_owned() };
    PolicyTable::new(subjects, Permission::BUILT_IN).context("a sensor", &sensor).assert_is(
        "
        | object   | permission      | member | account-admin | auditor | admin-reader |
        | -------- | --------------- | ------ | ------------- | ------- | ------------ |
        | a sensor | create-children | no     | no            | no      | no           |
        | a sensor | read            | yes    | yes           | yes     | admin-reader |
        | a sensor | update          | no     | yes           | no      | no           |
        | a sensor | delete          | no     | no            | no      | no           |
        ",
    );
}

fn service(config: &mut ServiceConfig) {
    configure(&mut ProtectedConfig::new(config));
}

#[actix_web::test]
async fn a_handler_answers_somebody() -> Result<(), AuthConfigError> {
    let request = |path| TestRequest::get().uri(path);

    let auth = test::authenticated_as(member()).build()?;
    let response = test::call(auth.clone(), service, request("/sensors/1")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let response = test::call(auth, service, request("/sensors/2")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);

    let auth = test::authenticated_by("token", member()).build()?;
    let response = test::call(auth, service, request("/export")).await;
    assert_eq!(response.status(), StatusCode::OK);

    let response = test::call(test::anonymous().build()?, service, request("/greeting")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);

    let recorder = Arc::new(test::Recorder::default());
    let auth = test::authenticated_as(member()).observer(recorder.clone()).build()?;
    test::call(auth, service, request("/sensors/2")).await;
    let (guard, decision) = recorder.take().pop().unwrap();
    assert_eq!(guard, "permission_required_for_context");
    assert_eq!(decision, Decision::Deny(DenyReason::NoMatch));
    Ok(())
}

#[actix_web::test]
async fn a_body_runs_by_itself() {
    let arguments = (test::current_user(member()),);
    assert_eq!(greet(test::admit(arguments)).await, "Hello, 2!");

    let sensor = Sensor { account_id: 3, owner_id: 5, name: "power".to_owned() };
    let arguments = (test::authorized(sensor), Json("solar power".to_owned()));
    assert_eq!(rename(test::admit(arguments)).await, "power is solar power");
}

#[actix_web::test]
async fn no_handler_is_forgotten() {
    let registered = report().of_crate("guide::testing").registered_by(service).await;
    assert!(registered.is_complete(), "{registered}");
}

async fn observed(auth: Auth) -> Result<AccessMatrix, ObserveError> {
    let app = init_service(App::new().app_data(auth).configure(service)).await;
    AccessMatrix::builder(&report().of_crate("guide::testing").registered_by(service).await)
        .subject("nobody", |request| request)
        .subject("member", |request| request.insert_header((AUTHORIZATION, "Bearer member")))
        .subject("stranger", |request| request.insert_header((AUTHORIZATION, "Bearer stranger")))
        .objects("sensor_id", [("own", 1), ("of another account", 2), ("missing", 999_999)])
        .observe(&app)
        .await
}

#[actix_web::test]
async fn the_matrix_is_as_it_is_shown() {
    let auth = Auth::builder().mechanism(Named).build().unwrap();
    let matrix = observed(auth).await.unwrap().to_markdown();
    let (_, table) = CHAPTER.split_once("| method |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    assert!(matrix.contains(table), "{matrix}");
}

#[test]
fn a_request_is_of_a_route() {
    let with_a_name = RouteRequest::new(Method::PATCH, "/sensors/{sensor_id}")
        .named("with a right name")
        .body("application/json", r#""power""#);
    assert!(format!("{with_a_name:?}").contains("with a right name"));
}

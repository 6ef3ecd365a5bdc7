//! The guide for engineers who come from `FlexMeasures`: its Rust examples, each word for word as it is there, the code that
//! they need around them, and requests to some of the handlers.

use std::collections::BTreeMap;

use actix_web::{
    App, HttpRequest, HttpResponse, Responder, get,
    http::StatusCode,
    patch, post,
    test::{TestRequest, call_service, init_service},
    web::{self, Json, ServiceConfig},
};
use auth_core::{
    Acl, AdminRoles, Auth, AuthError, AuthModel, Authorized, CurrentUser, LoadContext, LoadContexts,
    LoadError, NoConnection, Permission, Subject as _, User, account, account_role, account_roles_accepted,
    account_roles_required, allow, anonymous_user_required, auth_required, auth_token_required, check_access,
    http_auth_required,
    mechanism::{NormalForm, Passwords},
    permission::Update,
    permission_required_for_context, permissions_accepted, permissions_required, role, roles_accepted,
    roles_required,
    test::AlwaysAs,
    user,
};
use serde::Deserialize;

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

impl LoadContexts for Sensor {
    fn load_all(ids: &[i32], connection: &mut NoConnection) -> Result<Vec<(i32, Self)>, LoadError> {
        ids.iter().map(|id| Ok((*id, Self::load(*id, connection)?))).collect()
    }
}

struct SensorOfAccount(Sensor);

impl LoadContext for SensorOfAccount {
    type Id = (i32, i32);
    type Connection = NoConnection;

    fn load((account_id, id): (i32, i32), connection: &mut NoConnection) -> Result<Self, LoadError> {
        let sensor = Sensor::load(id, connection)?;
        if sensor.account_id == account_id { Ok(Self(sensor)) } else { Err(LoadError::NotFound) }
    }
}

impl AuthModel for SensorOfAccount {
    fn acl(&self) -> impl Acl {
        self.0.acl()
    }
}

struct Platform;

impl LoadContext for Platform {
    type Id = ();
    type Connection = NoConnection;

    fn load((): (), _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

impl AuthModel for Platform {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, account_role("Consultancy") & role("consultant"))
    }
}

#[derive(Deserialize)]
struct Report {
    title: String,
    sensor: i32,
}

#[derive(Deserialize)]
struct Plan {
    inputs: Vec<i32>,
}

#[auth_required]
#[get("/profile")]
async fn profile(user: CurrentUser) -> impl Responder {
    user.id().to_string()
}

#[auth_required("token", "session", within = "15 min", grace = "1 h")]
#[post("/password")]
async fn change_password() -> impl Responder {
    HttpResponse::NoContent()
}

#[auth_token_required]
#[get("/measurements")]
async fn measurements() -> impl Responder {
    "of a token"
}

#[http_auth_required(realm = "Meters")]
#[get("/meters")]
async fn meters() -> impl Responder {
    "of a name and a password"
}

#[anonymous_user_required]
#[get("/welcome")]
async fn welcome() -> impl Responder {
    "of nobody"
}

#[roles_required("operator", "trainer")]
#[get("/shifts")]
async fn shifts() -> impl Responder {
    "all of these roles"
}

#[roles_accepted("account-admin", "consultant")]
#[get("/invitations")]
async fn invitations() -> impl Responder {
    "one of these roles"
}

#[account_roles_required("Consultancy")]
#[get("/clients")]
async fn clients() -> impl Responder {
    "all of these roles of the account"
}

#[account_roles_accepted("Prosumer", "Supplier")]
#[get("/portfolio")]
async fn portfolio() -> impl Responder {
    "one of these roles of the account"
}

#[permissions_required("invoices-write")]
#[permissions_accepted("invoices-read", "invoices-write")]
#[get("/invoices")]
async fn invoices() -> impl Responder {
    "permissions that roles carry"
}

impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, account(self.account_id))
            .allow(Permission::READ, account(self.account_id) | account_role("Auditor"))
            .allow(Permission::UPDATE, account(self.account_id) & role("account-admin") | user(self.owner_id))
    }
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    sensor.name
}

#[permission_required_for_context("read", ctx = Sensor, id = "sensor_id")]
#[permission_required_for_context("update", ctx_arg = "sensor", id = "sensor_id")]
#[patch("/sensors/{sensor_id}")]
async fn rename(sensor: Authorized<Sensor, Update>, name: String) -> impl Responder {
    Sensor { name, ..sensor.into_inner() }.name
}

#[permission_required_for_context("read", ctx = SensorOfAccount, id = ("account_id", "sensor_id"))]
#[get("/accounts/{account_id}/sensors/{sensor_id}")]
async fn view_in_account() -> impl Responder {
    "of this account"
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = report.sensor)]
#[post("/reports")]
async fn create_report(report: Json<Report>, sensor: Sensor) -> impl Responder {
    format!("{} of {}", report.title, sensor.name)
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("id"))]
#[get("/sensors")]
async fn several(sensors: Vec<Sensor>) -> impl Responder {
    sensors.len().to_string()
}

struct AuditLogOf {
    account_id: i32,
}

impl LoadContext for AuditLogOf {
    type Id = i32;
    type Connection = NoConnection;

    fn load(account_id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self { account_id })
    }
}

impl AuthModel for AuditLogOf {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, account(self.account_id) & role("account-admin"))
    }
}

#[permission_required_for_context("read", ctx = AuditLogOf, id = "account_id")]
#[get("/accounts/{account_id}/audit-log")]
async fn audit_log() -> impl Responder {
    "what happened"
}

fn sensor_of(report: &web::Path<i32>, connection: &mut NoConnection) -> Result<Sensor, LoadError> {
    Sensor::load(**report, connection)
}

#[permission_required_for_context("read", ctx_loader = sensor_of(report, connection))]
#[get("/reports/{report}")]
async fn view_report(report: web::Path<i32>) -> impl Responder {
    report.to_string()
}

fn sensors_of(
    plan: &Json<Plan>,
    connection: &mut NoConnection,
) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
    let inputs: Result<Vec<Sensor>, _> = plan.inputs.iter().map(|id| Sensor::load(*id, connection)).collect();
    Ok(BTreeMap::from([("inputs".to_owned(), inputs?)]))
}

#[permission_required_for_context("read", ctx_loader = sensors_of(plan, connection))]
#[post("/plans")]
async fn trigger(plan: Json<Plan>) -> impl Responder {
    plan.inputs.len().to_string()
}

#[permission_required_for_context("create-children", ctx = Platform, id = ())]
#[post("/accounts")]
async fn create_account() -> impl Responder {
    HttpResponse::Created()
}

fn passwords_of_flask_security() -> Passwords {
    Passwords::new().normalized_as(NormalForm::Nfkd)
}

fn as_in_flexmeasures(user: User) -> User {
    user.with_admin_roles(AdminRoles::flexmeasures())
}

fn in_a_job(user: &User, sensor: &Sensor) -> Result<(), AuthError> {
    check_access(user, sensor, Permission::UPDATE).into_result()
}

fn to_the_log_in(_: &HttpRequest, _: &AuthError) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", "/log-in")).finish()
}

#[auth_required(on_denied = to_the_log_in)]
#[get("/dashboard")]
async fn dashboard() -> impl Responder {
    "for browsers"
}

fn configure(config: &mut ServiceConfig) {
    config
        .service((
            profile,
            change_password,
            measurements,
            meters,
            welcome,
            shifts,
            invitations,
            clients,
            portfolio,
            invoices,
        ))
        .service((
            view,
            rename,
            view_in_account,
            create_report,
            several,
            audit_log,
            view_report,
            trigger,
            create_account,
            dashboard,
        ));
}

#[test]
fn a_password_is_hashed_in_the_form_of_flask_security() {
    let passwords = passwords_of_flask_security();
    assert!(passwords.hash("caf\u{e9}").is_ok());
}

#[test]
fn a_job_asks_as_a_guard_does() {
    let sensor = Sensor::load(1, &mut NoConnection).unwrap();
    let operator = User::new(2).with_account(3);
    assert_eq!(in_a_job(&operator, &sensor), Err(AuthError::Forbidden));
    assert_eq!(in_a_job(&operator.with_roles(["account-admin"]), &sensor), Ok(()));
    let admin = User::new(9).with_roles(["admin"]);
    assert_eq!(in_a_job(&admin, &sensor), Err(AuthError::Forbidden));
    assert_eq!(in_a_job(&as_in_flexmeasures(admin), &sensor), Ok(()));
}

const CHAPTER: &str = include_str!("../../docs/from-flexmeasures.md");

/// The blocks of the chapter in this language.
fn blocks(language: &str) -> String {
    let fence = format!("```{language}\n");
    CHAPTER.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn each_attribute_has_its_place_in_the_chapter() {
    let (before, after) = (blocks("python"), blocks("rust"));
    for attribute in [
        "auth_required",
        "auth_token_required",
        "http_auth_required",
        "anonymous_user_required",
        "roles_required",
        "roles_accepted",
        "account_roles_required",
        "account_roles_accepted",
        "permissions_required",
        "permissions_accepted",
        "permission_required_for_context",
    ] {
        assert!(before.contains(&format!("@{attribute}")), "{attribute} in Python");
        assert!(after.contains(&format!("#[{attribute}")), "{attribute} in Rust");
    }
}

#[actix_web::test]
async fn the_handlers_of_the_chapter_answer() {
    let member = User::new(2).with_account(3);
    let auth = Auth::builder().mechanism(AlwaysAs(member)).build().unwrap();
    let app = init_service(App::new().app_data(auth).configure(configure)).await;
    for (path, status) in [
        ("/sensors/1", StatusCode::OK),
        ("/sensors/2", StatusCode::FORBIDDEN),
        ("/sensors/9", StatusCode::NOT_FOUND),
        ("/sensors?id=1", StatusCode::OK),
        ("/sensors?id=1&id=2", StatusCode::FORBIDDEN),
        ("/sensors", StatusCode::FORBIDDEN),
        ("/invoices", StatusCode::FORBIDDEN),
        ("/clients", StatusCode::FORBIDDEN),
        ("/reports/1", StatusCode::OK),
        ("/reports/2", StatusCode::FORBIDDEN),
        ("/welcome", StatusCode::FORBIDDEN),
    ] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

//! The chapter about guards: its examples, word for word, and the requests that it is about.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, Responder, delete,
    dev::HttpServiceFactory,
    get,
    http::Method,
    patch, post,
    web::{Json, Path},
};
use auth_core::{
    Acl, AuthModel, Authorized, Guarded, LoadContext, LoadError, Permission, ProtectedConfig, ProtectedScope,
    account, account_roles_required, allow, permission::Update, permission_required_for_context,
    protected::ScopeGuard, public, role, roles_accepted, roles_required,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Deserialize;

diesel::table! {
    accounts (id) {
        id -> Integer,
        consultancy_id -> Nullable<Integer>,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        account_id -> Integer,
        name -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(accounts, sensors);

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[acl(read = account(account_id), update = account(account_id) & role("account-admin"))]
struct Sensor {
    id: i32,
    account_id: i32,
    name: String,
}

const OPERATOR: &str = "operator";

#[account_roles_required("Supplier")]
#[roles_accepted("account-admin", OPERATOR)]
#[permission_required_for_context("update", ctx_arg = "sensor")]
#[patch("/sensors/{sensor_id}")]
async fn rename(sensor: Authorized<Sensor, Update>, name: Json<String>) -> impl Responder {
    format!("{} becomes {}", sensor.name, *name)
}

#[roles_required(OPERATOR)]
async fn restart() -> impl Responder {
    HttpResponse::Accepted()
}

fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(rename).route("/plant/restart", Method::POST, restart);
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("id"))]
#[get("/sensors")]
async fn compare(sensors: Vec<Sensor>) -> impl Responder {
    sensors.len().to_string()
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, primary_key(account_id, id), check_for_backend(Sqlite))]
#[acl(delete = account(account_id) & role("account-admin"))]
struct SensorOfAccount {
    account_id: i32,
    id: i32,
}

#[permission_required_for_context("delete", ctx = SensorOfAccount, id = ("account_id", "sensor_id"))]
#[delete("/accounts/{account_id}/sensors/{sensor_id}")]
async fn remove(path: Path<(i32, i32)>) -> impl Responder {
    format!("{} is gone", path.1)
}

#[derive(Deserialize)]
struct NewReport {
    sensor_id: i32,
    title: String,
}

#[permission_required_for_context("read", ctx_arg = "sensor", id = report.sensor_id)]
#[post("/reports")]
async fn create_report(report: Json<NewReport>, sensor: Sensor) -> impl Responder {
    format!("{} of {}", report.title, sensor.name)
}

#[derive(Deserialize)]
struct Schedule {
    inputs: Vec<i32>,
    output: i32,
}

fn sensors_of(
    schedule: &Schedule,
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
    let inputs: Result<Vec<_>, _> = schedule.inputs.iter().map(|id| Sensor::load(*id, connection)).collect();
    let output = Sensor::load(schedule.output, connection)?;
    Ok(BTreeMap::from([("inputs".to_owned(), inputs?), ("output".to_owned(), vec![output])]))
}

#[permission_required_for_context("update", ctx_loader = sensors_of(schedule, connection))]
#[post("/schedules")]
async fn start(schedule: Json<Schedule>) -> impl Responder {
    format!("{} sensors", schedule.inputs.len() + 1)
}

/// The place of a sensor's measurements, with the account that pays for it.
struct Storage {
    payer_id: Option<i32>,
}

impl LoadContext for Storage {
    type Id = i32;
    type Connection = SqliteConnection;

    fn load(sensor_id: i32, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let payer_id = sensors::table
            .inner_join(accounts::table.on(accounts::id.eq(sensors::account_id)))
            .filter(sensors::id.eq(sensor_id))
            .select(accounts::consultancy_id)
            .get_result(connection)?;
        Ok(Self { payer_id })
    }
}

impl AuthModel for Storage {
    fn acl(&self) -> impl Acl {
        allow(Permission::DELETE, self.payer_id.map(account) & role("account-admin"))
    }
}

#[permission_required_for_context("delete", ctx = Storage, id = "sensor_id")]
#[delete("/sensors/{sensor_id}/measurements")]
async fn empty(sensor_id: Path<i32>) -> impl Responder {
    format!("{sensor_id} is empty")
}

#[public(reason = "the status page is for everybody")]
#[get("/status")]
async fn health() -> impl Responder {
    "up"
}

fn support() -> impl HttpServiceFactory + Guarded {
    ProtectedScope::new("/support")
        .guarded_by(ScopeGuard::auth_required().roles_accepted(&["support"]))
        .service(health)
        .configure(configure)
}

mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};
    use auth_core::{Auth, ProtectedApp, User, test::AlwaysAs};
    use diesel::{
        connection::SimpleConnection as _,
        r2d2::{ConnectionManager, Pool},
    };
    use serde_json::json;

    use super::*;

    const WORLD: &str = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER);
        CREATE TABLE sensors (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, name TEXT NOT NULL);
        INSERT INTO accounts VALUES (3, NULL), (4, 3);
        INSERT INTO sensors VALUES (1, 3, 'power'), (2, 3, 'heat'), (3, 4, 'wind');
    ";

    fn post(path: &str, body: serde_json::Value) -> TestRequest {
        TestRequest::post().uri(path).set_json(body)
    }

    #[actix_web::test]
    async fn its_handlers_answer() {
        let pool = ConnectionManager::<SqliteConnection>::new(":memory:");
        let pool = Pool::builder().max_size(1).build(pool).unwrap();
        pool.get().unwrap().batch_execute(WORLD).unwrap();
        let admin = User::new(2).with_account(3).with_roles(["account-admin", OPERATOR]);
        let admin = admin.with_account_roles(["Supplier"]);
        let auth = Auth::builder().mechanism(AlwaysAs(admin)).connections(pool).build().unwrap();
        let app = ProtectedApp::new()
            .app_data(auth)
            .configure(configure)
            .service(compare)
            .service(remove)
            .service(create_report)
            .service(start)
            .service(empty)
            .service(support());
        let app = init_service(app).await;
        let get = |path| TestRequest::get().uri(path);
        let delete = |path| TestRequest::delete().uri(path);
        let patch = |path| TestRequest::patch().uri(path).set_json("sun");
        for (request, status) in [
            (patch("/sensors/1"), 200),
            (patch("/sensors/3"), 403),
            (patch("/sensors/abc"), 404),
            (post("/plant/restart", json!(null)), 202),
            (get("/sensors?id=1&id=2"), 200),
            (get("/sensors?id=1&id=3"), 403),
            (get("/sensors"), 403),
            (delete("/accounts/3/sensors/1"), 200),
            (delete("/accounts/4/sensors/1"), 404),
            (delete("/accounts/4/sensors/3"), 403),
            (post("/reports", json!({ "sensor_id": 2, "title": "May" })), 200),
            (post("/reports", json!({ "sensor_id": 3, "title": "May" })), 403),
            (post("/schedules", json!({ "inputs": [1], "output": 2 })), 200),
            (post("/schedules", json!({ "inputs": [1], "output": 3 })), 403),
            (post("/schedules", json!({ "inputs": [], "output": 2 })), 403),
            (delete("/sensors/3/measurements"), 200),
            (delete("/sensors/1/measurements"), 403),
            (get("/support/status"), 403),
        ] {
            let request = request.to_request();
            let (method, path) = (request.method().clone(), request.uri().clone());
            assert_eq!(call_service(&app, request).await.status(), status, "{method} {path}");
        }
    }
}

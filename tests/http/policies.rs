//! Guards about contexts that the database decides about: their policies refer to a parent.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, Responder, delete, get, patch, post,
    test::{TestRequest, call_service, init_service, read_body},
    web::Json,
};
use auth_core::{
    Accessible, AdminRoles, Auth, AuthModel, Authorized, LoadContext, LoadError, User,
    mechanism::BearerToken,
    permission::{Read, Update},
    permission_required_for_context,
    test::AlwaysAs,
};
use diesel::{
    connection::{InstrumentationEvent, SimpleConnection},
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Error, Pool},
    sqlite::Sqlite,
};

use crate::fixture::Member;

diesel::table! {
    assets (id) {
        id -> Integer,
        account_id -> Nullable<Integer>,
    }
}

diesel::table! {
    sensors (id) {
        id -> Integer,
        asset_id -> Integer,
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(
    read = account(account_id) | is_null(account_id),
    update = account(account_id),
    delete = account(account_id) & role("account-admin"),
)]
struct Asset {
    id: i32,
    account_id: Option<i32>,
}

#[derive(Clone, Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.read, update = asset.update, delete = asset.delete)]
struct Sensor {
    id: i32,
    asset_id: i32,
}

/// Loaded by hand, and decided by the database all the same.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = sensors, check_for_backend(Sqlite))]
#[auth(belongs_to(asset: Asset, asset_id))]
#[acl(read = asset.read)]
struct ByHand {
    id: i32,
    asset_id: i32,
}

impl LoadContext for ByHand {
    type Id = i32;
    type Connection = SqliteConnection;

    fn load(id: i32, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        Ok(sensors::table.find(id).select(Self::as_select()).first(connection)?)
    }
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    format!("{} of {}", sensor.id, sensor.asset_id)
}

#[permission_required_for_context("update", ctx_arg = "sensor")]
#[permission_required_for_context("delete", ctx = Sensor, id = "sensor_id")]
#[patch("/sensors/{sensor_id}")]
async fn change(sensor: Authorized<Sensor, Update>) -> impl Responder {
    sensor.id.to_string()
}

#[permission_required_for_context("delete", ctx = Sensor)]
#[delete("/sensors/{sensor_id}")]
async fn remove() -> impl Responder {
    ""
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("sensor"))]
#[get("/several")]
async fn several(sensors: Vec<Sensor>) -> impl Responder {
    sensors.iter().map(|sensor| sensor.id.to_string()).collect::<Vec<_>>().join(",")
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/by-hand/{sensor_id}")]
async fn by_hand(sensor: ByHand) -> impl Responder {
    format!("{} of {}", sensor.id, sensor.asset_id)
}

/// The values of its result differ from those in the database.
#[expect(clippy::unnecessary_wraps, reason = "a loader returns a result")]
fn made(ids: &Json<Vec<i32>>) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
    let of_public_asset = |id: &i32| Sensor { id: *id, asset_id: 2 };
    Ok(ids.iter().map(|id| (format!("sensor {id}"), vec![of_public_asset(id)])).collect())
}

#[permission_required_for_context("read", ctx_loader = made(ids))]
#[post("/made")]
async fn take(ids: Json<Vec<i32>>) -> impl Responder {
    ids.len().to_string()
}

/// Without a guard, the extractor authenticates the caller.
#[get("/accessible")]
async fn accessible(sensors: Accessible<Sensor, Read>) -> impl Responder {
    diesel::debug_query::<Sqlite, _>(&sensors.query()).to_string()
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl CustomizeConnection<SqliteConnection, Error> for Counted {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        connection
            .batch_execute(
                "CREATE TABLE assets (id INTEGER PRIMARY KEY, account_id INTEGER);
                 CREATE TABLE sensors (id INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL);
                 INSERT INTO assets VALUES (1, 3), (2, NULL), (3, 4);
                 INSERT INTO sensors VALUES (1, 1), (2, 2), (3, 3);",
            )
            .map_err(Error::QueryError)?;
        let counter = Arc::clone(&self.0);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { .. } = event {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    }
}

/// Account 3 has asset 1 with sensor 1; sensor 2 is of a public asset, sensor 3 of account 4. For each request the
/// status, the body and the number of statements.
async fn answers(user: User, hides: bool, requests: Vec<TestRequest>) -> Vec<(u16, String, usize)> {
    let statements = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .max_size(1)
        // It would be a statement as well.
        .test_on_check_out(false)
        .connection_customizer(Box::new(Counted(Arc::clone(&statements))))
        .build(ConnectionManager::<SqliteConnection>::new(":memory:"))
        .unwrap();
    let mut builder = Auth::builder().mechanism(AlwaysAs(user)).connections(pool);
    if hides {
        builder = builder.hide_unreadable();
    }
    let app = App::new().app_data(builder.build().unwrap()).service(view).service(change).service(remove);
    let app = init_service(app.service(several).service(by_hand).service(take).service(accessible)).await;
    let mut all = Vec::new();
    for request in requests {
        statements.store(0, Ordering::Relaxed);
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        all.push((status, body, statements.load(Ordering::Relaxed)));
    }
    all
}

fn statuses(answers: &[(u16, String, usize)]) -> Vec<u16> {
    answers.iter().map(|(status, ..)| *status).collect()
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

fn member() -> User {
    User::new(2).with_account(3)
}

#[actix_web::test]
async fn one_statement_loads_and_decides() {
    let requests = [1, 2, 3, 4].map(|id| get(&format!("/sensors/{id}")));
    let found = answers(member(), false, requests.into()).await;
    assert_eq!(statuses(&found), [200, 200, 403, 404]);
    assert_eq!(found[0].1, "1 of 1");
    assert!(found.iter().all(|(.., statements)| *statements == 1), "{found:?}");

    let named = |role| User::new(9).with_roles([role]).with_admin_roles(AdminRoles::flexmeasures());
    let (admin, reader) = (named("admin"), named("admin-reader"));
    let requests = || vec![get("/sensors/3"), TestRequest::delete().uri("/sensors/3"), get("/sensors/4")];
    assert_eq!(statuses(&answers(admin, false, requests()).await), [200, 200, 404]);
    assert_eq!(statuses(&answers(reader, false, requests()).await), [200, 403, 404]);
}

#[actix_web::test]
async fn a_list_is_one_statement_and_every_one_counts() {
    let paths = ["sensor=2&sensor=1&sensor=2", "sensor=1&sensor=3", "sensor=1&sensor=4", "other=1"];
    let requests = paths.map(|query| get(&format!("/several?{query}")));
    let found = answers(member(), false, requests.into()).await;
    assert_eq!(statuses(&found), [200, 403, 404, 403]);
    assert_eq!(found[0].1, "2,1");
    assert_eq!(found.iter().map(|(.., statements)| *statements).collect::<Vec<_>>(), [1, 1, 1, 0]);
}

#[actix_web::test]
async fn stacked_attributes_each_ask() {
    let request = || TestRequest::patch().uri("/sensors/1");
    // `update` alone is not enough.
    assert_eq!(statuses(&answers(member(), false, vec![request()]).await), [403]);
    let admin = member().with_roles(["account-admin"]);
    let found = answers(admin, false, vec![request(), TestRequest::patch().uri("/sensors/2")]).await;
    assert_eq!(statuses(&found), [200, 403]);
    assert_eq!(found[0].2, 1, "one statement for both");
}

#[actix_web::test]
async fn what_may_not_be_read_is_hidden() {
    let requests = vec![
        TestRequest::delete().uri("/sensors/3"),
        TestRequest::delete().uri("/sensors/4"),
        // To be read, and not to be deleted.
        TestRequest::delete().uri("/sensors/1"),
        TestRequest::delete().uri("/sensors/2"),
        get("/several?sensor=1&sensor=3"),
    ];
    let found = answers(member(), true, requests).await;
    assert_eq!(statuses(&found), [404, 404, 403, 403, 404]);
    assert_eq!(found[0].1, found[1].1);
    assert_eq!(found[0].2, 1);
}

#[actix_web::test]
async fn whoever_loads_it_the_database_decides() {
    let requests = [1, 3, 4].map(|id| get(&format!("/by-hand/{id}")));
    assert_eq!(statuses(&answers(member(), false, requests.into()).await), [200, 403, 404]);

    let post = |ids: &[i32]| TestRequest::post().uri("/made").set_json(ids);
    let found = answers(member(), false, vec![post(&[1, 2]), post(&[1, 3]), post(&[4]), post(&[])]).await;
    assert_eq!(statuses(&found), [200, 403, 404, 403]);
    assert!(found[1].1.contains("sensor 3"), "{}", found[1].1);

    // More than a statement should contain.
    let many: Vec<i32> = (1..=10_001).collect();
    let found = answers(member(), false, vec![post(&many)]).await;
    assert_eq!((found[0].0, found[0].2), (404, 0));
}

#[actix_web::test]
async fn the_query_of_a_list_is_for_who_is_logged_in() {
    let found = answers(member(), false, vec![get("/accessible")]).await;
    assert!(found[0].1.contains("binds: [3]"), "{}", found[0].1);

    let pool =
        Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(":memory:")).unwrap();
    let auth = Auth::builder().mechanism(BearerToken::<Member>::new(pool)).build().unwrap();
    let app = init_service(App::new().app_data(auth).service(accessible)).await;
    assert_eq!(call_service(&app, get("/accessible").to_request()).await.status().as_u16(), 401);
}

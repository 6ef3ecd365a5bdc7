//! Guards, lists, decisions and changes through `diesel-async` keep what those through connections that block do.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, Responder, get,
    http::StatusCode,
    post,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, Json},
};
use auth_core::{
    AccessError, Accessible, Acl, AsyncLoadContext, AsyncStored, Auth, AuthModel, Authorized, LoadError,
    Permission, Scoped, User, account, allow, auth_required, permission::Read,
    permission_required_for_context, test::AlwaysAs,
};
use diesel::{connection::InstrumentationEvent, dsl::sql, prelude::*, sql_types::Bool};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use energy_service::{database::Location, test::TestDatabase};

use super::{Account, Connection, IMPATIENT, SERVER, Sensor, assets, connection, register, sensors};

/// By hand.
struct ByHand {
    account_id: Option<i32>,
}

impl AsyncLoadContext for ByHand {
    type Id = i32;
    type Connection = Connection;

    async fn load(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let account_id = assets::table.find(id).select(assets::account_id).first(connection).await?;
        Ok(Self { account_id })
    }
}

impl AuthModel for ByHand {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, self.account_id.map(account))
    }
}

#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view_account(account: Account) -> impl Responder {
    Json(account)
}

#[permission_required_for_context("read", ctx_arg = "sensor")]
#[get("/sensors/{sensor_id}")]
async fn view(sensor: Sensor) -> impl Responder {
    Json(sensor)
}

#[permission_required_for_context("read", ctx_arg = "sensors", id = query("sensor"))]
#[get("/several")]
async fn several(sensors: Authorized<Vec<Sensor>, Read>) -> impl Responder {
    sensors.len().to_string()
}

#[permission_required_for_context("read", ctx = ByHand, id = "asset_id")]
#[get("/by-hand/{asset_id}")]
async fn by_hand() -> impl Responder {
    "yes"
}

/// Made up by a function, and decided by the database all the same.
#[expect(clippy::unnecessary_wraps, reason = "a loader returns a result")]
fn made(ids: &Json<Vec<i32>>) -> Result<BTreeMap<String, Vec<Sensor>>, LoadError> {
    let sensor = |id: &i32| Sensor { id: *id, asset_id: 0, name: String::new() };
    Ok(ids.iter().map(|id| (format!("sensor {id}"), vec![sensor(id)])).collect())
}

#[permission_required_for_context("read", ctx_arg = "made", ctx_loader = made(ids))]
#[post("/made")]
async fn take(ids: Json<Vec<i32>>, made: BTreeMap<String, Vec<Sensor>>) -> impl Responder {
    let _ = ids;
    Json(made)
}

#[auth_required]
#[get("/sensors")]
async fn list(sensors: Accessible<Sensor, Read>, place: web::Data<TestDatabase>) -> impl Responder {
    let connection = &mut *connection(place.location()).await;
    let found: Vec<Sensor> = sensors.query().order(sensors::id).load(connection).await.unwrap();
    let count: i64 = sensors.query().count().get_result(connection).await.unwrap();
    assert_eq!(usize::try_from(count), Ok(found.len()));
    Json(found.into_iter().map(|sensor| sensor.id).collect::<Vec<_>>())
}

/// Account 2 is looked after by account 1; asset 2 is public, and asset 3 is of account 3.
pub(super) async fn world() -> Option<TestDatabase> {
    let place = SERVER.database();
    // Without the server, there is nothing to test; a line on standard error has said so.
    if *place.location() == Location::Memory {
        return None;
    }
    connection(place.location())
        .await
        .batch_execute(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER);
             CREATE TABLE assets (id INTEGER PRIMARY KEY, account_id INTEGER);
             CREATE TABLE sensors (id INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL, name VARCHAR(80) NOT NULL);
             INSERT INTO accounts (id, consultancy_id) VALUES (1, NULL), (2, 1), (3, NULL);
             INSERT INTO assets (id, account_id) VALUES (1, 2), (2, NULL), (3, 3);
             INSERT INTO sensors (id, asset_id, name) VALUES (1, 1, 'power'), (2, 2, 'wind'), (3, 3, 'secret');",
        )
        .await
        .unwrap();
    Some(place)
}

fn consultant() -> User {
    User::new(7).with_account(1).with_roles(["consultant"])
}

/// The status and the body of each request by this user.
async fn answers(user: User, hides: bool, requests: Vec<TestRequest>) -> Option<Vec<(u16, String)>> {
    let place = world().await?;
    let mut builder = Auth::builder().mechanism(AlwaysAs(user));
    if hides {
        builder = builder.hide_unreadable();
    }
    let auth = register(builder, place.location()).await;
    let app = App::new().app_data(auth).app_data(web::Data::new(place));
    let app = app.service(view_account).service(view).service(several).service(by_hand).service(take);
    let app = init_service(app.service(list)).await;
    let mut all = Vec::new();
    for request in requests {
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let body = read_body(response).await;
        all.push((status, String::from_utf8(body.to_vec()).unwrap()));
    }
    Some(all)
}

fn statuses(answers: &[(u16, String)]) -> Vec<u16> {
    answers.iter().map(|(status, _)| *status).collect()
}

#[actix_web::test]
async fn guards_load_and_decide() {
    let get = |path: &str| TestRequest::get().uri(path);
    let Some(found) = answers(
        consultant(),
        false,
        vec![
            get("/accounts/1"),
            get("/accounts/3"),
            get("/sensors/1"),
            get("/sensors/2"),
            get("/sensors/3"),
            get("/sensors/4"),
            get("/several?sensor=1&sensor=2"),
            get("/several?sensor=1&sensor=3"),
            get("/several?sensor=1&sensor=4"),
            get("/by-hand/1"),
            get("/by-hand/4"),
            get("/sensors"),
        ],
    )
    .await
    else {
        return;
    };
    assert_eq!(statuses(&found), [200, 403, 200, 200, 403, 404, 200, 403, 404, 403, 404, 200]);
    assert_eq!(found[2].1, r#"{"id":1,"asset_id":1,"name":"power"}"#);
    assert_eq!(found[11].1, "[1,2]");

    let Some(found) = answers(
        User::new(7).with_account(3),
        true,
        vec![get("/sensors/1"), get("/sensors/3"), get("/sensors/4"), get("/by-hand/3"), get("/sensors")],
    )
    .await
    else {
        return;
    };
    assert_eq!(statuses(&found), [404, 200, 404, 200, 200]);
    assert_eq!(found[0].1, found[2].1);
    assert_eq!(found[4].1, "[2,3]");
}

#[actix_web::test]
async fn what_functions_make_is_decided_by_the_database() {
    let post = |ids: &[i32]| TestRequest::post().uri("/made").set_json(ids);
    let Some(found) =
        answers(consultant(), false, vec![post(&[1, 2]), post(&[1, 3]), post(&[1, 4]), post(&[])]).await
    else {
        return;
    };
    assert_eq!(statuses(&found), [200, 403, 404, 403]);
    assert!(found[1].1.contains("sensor 3"), "{}", found[1].1);
    // The handler gets the row that was decided about.
    assert_eq!(
        found[0].1,
        r#"{"sensor 1":[{"id":1,"asset_id":1,"name":"power"}],"sensor 2":[{"id":2,"asset_id":2,"name":"wind"}]}"#
    );
}

#[actix_web::test]
async fn without_a_pool_nobody_is_let_in() {
    let auth = Auth::builder().mechanism(AlwaysAs(consultant())).build().unwrap();
    let app = init_service(App::new().app_data(auth).service(view)).await;
    let request = TestRequest::get().uri("/sensors/1").to_request();
    assert_eq!(call_service(&app, request).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[actix_web::test]
async fn a_failing_database_is_an_outage() {
    let Some(place) = world().await else { return };
    connection(place.location()).await.batch_execute("DROP TABLE accounts").await.unwrap();
    let auth = register(Auth::builder().mechanism(AlwaysAs(consultant())), place.location()).await;
    let app = init_service(App::new().app_data(auth).service(view)).await;
    let response = call_service(&app, TestRequest::get().uri("/sensors/1").to_request()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = read_body(response).await;
    assert!(!String::from_utf8(body.to_vec()).unwrap().contains("accounts"));
}

#[actix_web::test]
async fn rows_are_decided_explained_and_locked_outside_of_requests() {
    let Some(place) = world().await else { return };
    let connection = &mut *connection(place.location()).await;
    let user = consultant();
    let statements = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&statements);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { .. } = event {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    for (id, allowed) in [(1, true), (2, true), (3, false)] {
        let decision = Sensor::check_access(connection, &user, id, Permission::READ).await.unwrap();
        assert_eq!(decision.is_allowed(), allowed, "{id}");
        let explanation = Sensor::explain(connection, &user, id, Permission::READ).await.unwrap();
        assert_eq!(explanation.decision(), decision);
    }
    assert_eq!(AtomicUsize::load(&statements, Ordering::Relaxed), 6);
    assert!(matches!(
        Sensor::check_access(connection, &user, 4, Permission::READ).await,
        Err(LoadError::NotFound)
    ));
    let outside = Sensor::authorize_for_update(connection, &user, 1, Permission::READ).await;
    assert!(matches!(outside, Err(AccessError::Unavailable(_))), "outside of a transaction");

    let changed = connection
        .transaction(async |connection| {
            let sensor = Sensor::authorize_for_update(connection, &user, 1, Permission::READ).await?;
            diesel::update(sensors::table.find(sensor.id))
                .set(sensors::name.eq("changed"))
                .execute(connection)
                .await?;
            let refused = Sensor::authorize_for_update(connection, &user, 1, Permission::UPDATE).await;
            assert!(matches!(refused, Err(AccessError::Denied(_))));
            let missing = Sensor::authorize_for_update(connection, &user, 4, Permission::READ).await;
            assert!(matches!(missing, Err(AccessError::NotFound)));
            Ok::<_, AccessError>(sensor.name)
        })
        .await;
    assert_eq!(changed.unwrap(), "power");

    let none = diesel::update(Sensor::changeable_by(&user, Permission::UPDATE).find(1))
        .set(sensors::name.eq("not by this user"))
        .execute(connection)
        .await;
    assert_eq!(none, Ok(0));
}

#[actix_web::test]
async fn a_filter_of_the_applications_own_widens_nothing() {
    let Some(place) = world().await else { return };
    let connection = &mut *connection(place.location()).await;
    let user = consultant();
    let raw = || sql::<Bool>("sensors.id = 1 OR 1 = 1");
    let listed = || Sensor::accessible_by(&user, Permission::READ);
    let all: Vec<Sensor> = listed().order(sensors::id).load(connection).await.unwrap();
    let found: Vec<Sensor> = listed().filter(raw()).order(sensors::id).load(connection).await.unwrap();
    let ids = |sensors: Vec<Sensor>| sensors.into_iter().map(|sensor| sensor.id).collect::<Vec<_>>();
    let readable = ids(all);
    assert_eq!(ids(found), readable);

    let change = diesel::update(Sensor::changeable_by(&user, Permission::READ).filter(raw()));
    let changed = change.set(sensors::name.eq("read")).execute(connection).await;
    assert_eq!(changed, Ok(readable.len()));
    let removed = diesel::delete(Sensor::changeable_by(&user, Permission::READ).filter(raw()));
    assert_eq!(removed.execute(connection).await, Ok(readable.len()));
    let left: i64 = sensors::table.count().get_result(connection).await.unwrap();
    assert!(left > 0, "somebody else's");
}

#[actix_web::test]
async fn what_is_locked_is_not_changed_by_others() {
    let Some(place) = world().await else { return };
    let mine = &mut *connection(place.location()).await;
    let others = &mut *connection(place.location()).await;
    others.batch_execute(IMPATIENT).await.unwrap();
    let user = consultant();
    // The row, and the parents by which it was decided.
    let changes =
        ["UPDATE sensors SET name = 'x' WHERE id = 1", "UPDATE assets SET account_id = 3 WHERE id = 1"];
    mine.transaction(async |mine| {
        Sensor::authorize_for_update(mine, &user, 1, Permission::READ).await?;
        for change in changes {
            assert!(others.batch_execute(change).await.is_err(), "{change}");
        }
        Ok::<_, AccessError>(())
    })
    .await
    .unwrap();
    for change in changes {
        others.batch_execute(change).await.unwrap();
    }
}

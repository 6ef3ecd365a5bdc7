//! A load that is given up, by the time limit or by the client, never becomes the answer of another request.

use std::time::Duration;

use actix_web::{
    App, HttpRequest, Responder,
    dev::Service as _,
    get,
    test::{TestRequest, call_service, init_service, read_body},
};
use auth_core::{
    Acl, AsyncLoadContext, Auth, AuthModel, LoadError, Permission, User, allow,
    mechanism::{Authenticated, Mechanism, Rejection},
    permission_required_for_context, user,
};
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::{Connection, connection, promises::world, register_pool_of, sensors};

/// The row of a sensor, once no other transaction changes it. The row with number N is for user N alone.
struct Awaited {
    id: i32,
    name: String,
}

impl AsyncLoadContext for Awaited {
    type Id = i32;
    type Connection = Connection;

    async fn load(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let row = sensors::table.find(id).select((sensors::id, sensors::name)).for_update();
        let (id, name) = row.first(connection).await?;
        Ok(Self { id, name })
    }
}

impl AuthModel for Awaited {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, user(self.id))
    }
}

#[permission_required_for_context("read", ctx_arg = "row", id = "id")]
#[get("/awaited/{id}")]
async fn awaited(row: Awaited) -> impl Responder {
    format!("{} {}", row.id, row.name)
}

/// The user with the number in the header.
struct Numbered;

impl Mechanism for Numbered {
    fn name(&self) -> &'static str {
        "numbered"
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let number =
            request.headers().get("number").and_then(|number| number.to_str().ok()?.parse::<i32>().ok());
        Ok(number.map(|number| User::new(number).into()))
    }
}

/// The answers to these users, each of whom requests their own row, through one connection for all of them. An answer is
/// their row, or says that there is none in time.
macro_rules! own_rows {
    ($app:ident, $numbers:expr) => {{
        let mut rows = Vec::new();
        for number in $numbers {
            let request = TestRequest::get().uri(&format!("/awaited/{number}"));
            let request = request.insert_header(("number", number.to_string())).to_request();
            let response = call_service(&$app, request).await;
            let status = response.status().as_u16();
            let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
            let own = ["1 power", "2 wind", "3 secret"][number - 1];
            assert!(status == 503 || (status, body.as_str()) == (200, own), "{number}: {status} {body}");
            rows.push(status == 200);
        }
        rows
    }};
}

/// Sends requests until the user gets their own row.
macro_rules! until_answered {
    ($app:ident, $number:expr) => {{
        let mut tries = 0;
        while own_rows!($app, [$number]) != [true] {
            tries += 1;
            assert!(tries < 100, "{} is never answered", $number);
        }
    }};
}

/// Another transaction changes row 1, so loads of [`Awaited`] wait for it.
async fn hold(other: &mut Connection) {
    other.batch_execute("BEGIN").await.unwrap();
    other.batch_execute("UPDATE sensors SET name = 'power' WHERE id = 1").await.unwrap();
}

#[actix_web::test]
async fn a_load_that_ends_at_the_time_limit_leaves_nothing_to_the_next_user() {
    let Some(place) = world().await else { return };
    let builder = Auth::builder().mechanism(Numbered).time_limit(Duration::from_millis(300));
    let auth = register_pool_of(1, builder, place.location()).await;
    let app = init_service(App::new().app_data(auth).service(awaited)).await;
    for number in [1, 2, 3] {
        until_answered!(app, number);
    }
    let other = &mut *connection(place.location()).await;
    for released_first in [true, false] {
        hold(other).await;
        assert_eq!(own_rows!(app, [1]), [false]);
        if !released_first {
            until_answered!(app, 2);
            until_answered!(app, 3);
        }
        // Now the statement without a waiting request can end as well.
        other.batch_execute("COMMIT").await.unwrap();
        for number in [2, 1, 3] {
            until_answered!(app, number);
        }
    }
}

#[actix_web::test]
async fn a_load_of_a_client_who_has_gone_leaves_nothing_to_the_next_user() {
    let Some(place) = world().await else { return };
    let auth = register_pool_of(1, Auth::builder().mechanism(Numbered), place.location()).await;
    let app = init_service(App::new().app_data(auth).service(awaited)).await;
    assert_eq!(own_rows!(app, [1, 2]), [true, true]);
    let other = &mut *connection(place.location()).await;
    hold(other).await;
    let request = TestRequest::get().uri("/awaited/1").insert_header(("number", "1")).to_request();
    // The server drops the work for a connection that is closed.
    let answer = actix_web::rt::time::timeout(Duration::from_millis(100), app.call(request)).await;
    assert!(answer.is_err(), "another transaction holds the row");
    assert_eq!(own_rows!(app, [2, 3]), [true, true]);
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(own_rows!(app, [3, 1, 2]), [true, true, true]);
}

/// The limit ends loads wherever they are: while a connection is opened, a statement is prepared, or a row is read.
#[actix_web::test]
async fn wherever_a_load_ends_it_leaves_nothing_to_the_next_user() {
    let Some(place) = world().await else { return };
    for limit in [50, 200, 400, 800, 1_600, 3_200] {
        let builder = Auth::builder().mechanism(Numbered).time_limit(Duration::from_micros(limit));
        let auth = register_pool_of(1, builder, place.location()).await;
        let app = init_service(App::new().app_data(auth).service(awaited)).await;
        own_rows!(app, [1, 2, 3, 2, 1, 3, 3, 1, 2].repeat(3));
    }
}

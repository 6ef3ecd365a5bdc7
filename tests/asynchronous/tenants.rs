//! Memberships with an end, trees and deleted rows, through `diesel-async`.

use std::time::{Duration, SystemTime};

use actix_web::{
    App, Responder, get, patch,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, Json},
};
use auth_core::{
    AccessError, Accessible, AsyncStored, Auth, AuthChangeset, ChangeError, Permission, Scoped, User,
    Visible, auth_required,
    permission::{Read, Update},
    permission_required_for_context,
    test::AlwaysAs,
};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use energy_service::{database::Location, test::TestDatabase};

use super::{Connection, Folder, IMPATIENT, SERVER, connection, folders, register};

const MIA: i32 = 1;
const BEN: i32 = 2;

/// Mia edits project 1, Ben reads it until the end of 2029. Project 2, which is deleted, is Mia's alone. Folder 1 is of
/// project 1, 2 within it, 3 within that; 4 within 1 inherits nothing; 5 is of project 2, and 6 of none.
async fn world() -> Option<TestDatabase> {
    let place = SERVER.database();
    // Without the server, there is nothing to test; a line on standard error has said so.
    if *place.location() == Location::Memory {
        return None;
    }
    connection(place.location())
        .await
        .batch_execute(
            "CREATE TABLE projects (id INTEGER PRIMARY KEY, deleted_at TIMESTAMP NULL);
             CREATE TABLE memberships (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
                 level VARCHAR(20) NOT NULL, ends_at TIMESTAMP NULL);
             CREATE TABLE folders (id INTEGER PRIMARY KEY, parent_id INTEGER, project_id INTEGER,
                 inherits BOOLEAN NOT NULL, name VARCHAR(80) NOT NULL);
             INSERT INTO projects VALUES (1, NULL), (2, '2020-01-01 00:00:00');
             INSERT INTO memberships VALUES (1, 1, 1, 'editor', NULL), (2, 1, 2, 'reader', '2029-12-31 00:00:00'),
                 (3, 2, 1, 'editor', NULL);
             INSERT INTO folders VALUES (1, NULL, 1, TRUE, 'a'), (2, 1, NULL, TRUE, 'b'), (3, 2, NULL, TRUE, 'c'),
                 (4, 1, NULL, FALSE, 'd'), (5, NULL, 2, TRUE, 'e'), (6, NULL, NULL, TRUE, 'f');",
        )
        .await
        .unwrap();
    Some(place)
}

/// At noon of the first day of this year, or of the next.
fn at(id: i32, year: u64) -> User {
    let days = (year - 1970) * 365 + (year - 1969) / 4;
    User::new(id).at(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + 43_200))
}

#[permission_required_for_context("read", ctx_arg = "folder")]
#[get("/folders/{id}")]
async fn view(folder: Visible<Folder, Update>) -> impl Responder {
    Json(folder)
}

#[permission_required_for_context("update", ctx_arg = "folder")]
#[patch("/folders/{id}")]
async fn rename(folder: Folder) -> impl Responder {
    Json(folder)
}

#[auth_required]
#[get("/folders")]
async fn list(folders: Accessible<Folder, Read>, place: web::Data<TestDatabase>) -> impl Responder {
    let connection = &mut *connection(place.location()).await;
    let found: Vec<Folder> = folders.query().order(folders::id).load(connection).await.unwrap();
    let shown = folders.visible::<Update>().order(folders::id);
    let shown = shown.load::<Visible<Folder, Update>>(connection).await.unwrap();
    assert_eq!(shown.len(), found.len());
    assert!(shown.iter().all(|folder| folder.can().next().is_some() == folder.shows(folders::name)));
    let row_by_row = folders.query_row_by_row().order(folders::id).load::<Folder>(connection).await.unwrap();
    assert_eq!(row_by_row.len(), found.len());
    Json(found.into_iter().map(|folder| folder.id).collect::<Vec<_>>())
}

#[actix_web::test]
async fn guards_and_lists_follow_memberships_and_trees() {
    for (user, readable, updatable) in [
        (at(MIA, 2026), &[1, 2, 3][..], &[1, 2, 3][..]),
        (at(BEN, 2026), &[1, 2, 3], &[]),
        (at(BEN, 2031), &[], &[]),
        (at(3, 2026), &[], &[]),
    ] {
        let Some(place) = world().await else { return };
        let about = format!("{user:?}");
        let auth = register(Auth::builder().mechanism(AlwaysAs(user)), place.location()).await;
        let app = App::new().app_data(auth).app_data(web::Data::new(place));
        let app = init_service(app.service(list).service(view).service(rename)).await;
        for id in 1..=6 {
            let uri = format!("/folders/{id}");
            for (request, allowed) in [(TestRequest::get(), readable), (TestRequest::patch(), updatable)] {
                let response = call_service(&app, request.uri(&uri).to_request()).await;
                let expected = if allowed.contains(&id) { 200 } else { 403 };
                assert_eq!(response.status().as_u16(), expected, "{uri} for {about}");
            }
            if readable.contains(&id) {
                let response = call_service(&app, TestRequest::get().uri(&uri).to_request()).await;
                let shown: serde_json::Value = serde_json::from_slice(&read_body(response).await).unwrap();
                assert_eq!(shown.get("name").is_some(), updatable.contains(&id), "{shown} for {about}");
                let can = if updatable.contains(&id) { &["update"][..] } else { &[] };
                assert_eq!(shown["_can"], serde_json::json!(can), "{shown} for {about}");
            }
        }
        let response = call_service(&app, TestRequest::get().uri("/folders").to_request()).await;
        let listed: Vec<i32> = serde_json::from_slice(&read_body(response).await).unwrap();
        assert_eq!(listed, readable, "{about}");
    }
}

#[actix_web::test]
async fn changes_follow_them() {
    let Some(place) = world().await else { return };
    let connection = &mut *connection(place.location()).await;
    for (user, ids) in [(at(MIA, 2026), vec![1, 2, 3]), (at(BEN, 2026), vec![])] {
        let all = Folder::changeable_by(&user, Permission::UPDATE);
        let changed = diesel::update(all).set(folders::name.eq("all")).execute(connection).await;
        assert_eq!(changed, Ok(ids.len()), "{user:?}");
        for id in 1..=6 {
            let one = Folder::changeable_by(&user, Permission::UPDATE).find(id);
            let changed =
                diesel::update(one).set(folders::name.eq(format!("{id}"))).execute(connection).await;
            assert_eq!(changed, Ok(usize::from(ids.contains(&id))), "{id}: {user:?}");
        }
    }
}

#[derive(Default, AuthChangeset)]
#[diesel(table_name = folders)]
struct Values {
    id: Option<i32>,
    #[expect(clippy::option_option, reason = "absent, null and a value are three things in a change")]
    parent_id: Option<Option<i32>>,
    inherits: Option<bool>,
    name: Option<&'static str>,
}

/// What a folder becomes is decided by the folders above it, so a look follows the change, and takes it back.
#[actix_web::test]
async fn changes_and_new_rows_are_judged_as_they_become() {
    let Some(place) = world().await else { return };
    let connection = &mut *connection(place.location()).await;
    let (mia, ben) = (at(MIA, 2026), at(BEN, 2026));
    let into = |id: Option<i32>| Values { parent_id: Some(id), ..Values::default() };
    let parent_of_3 = async |connection: &mut Connection| -> Option<i32> {
        folders::table.find(3).select(folders::parent_id).first(connection).await.unwrap()
    };
    for (user, to, denied) in [
        (&mia, Some(1), None),
        (&mia, Some(2), None),
        (&mia, Some(6), Some("denied for what the row would become")),
        (&mia, Some(3), Some("denied for what the row would become")),
        (&mia, None, Some("denied for what the row would become")),
        (&ben, Some(1), Some("denied")),
    ] {
        let before = parent_of_3(connection).await;
        let changed = Folder::change(connection, user, 3, &into(to)).await;
        assert_eq!(changed.as_ref().err().map(ToString::to_string).as_deref(), denied, "{to:?}");
        let after = parent_of_3(connection).await;
        assert_eq!(after, if denied.is_some() { before } else { to }, "{to:?}");
    }
    assert!(matches!(Folder::change(connection, &mia, 9, &into(None)).await, Err(ChangeError::NotFound)));

    let new = |id, parent, inherits| Values {
        id: Some(id),
        parent_id: Some(parent),
        inherits: Some(inherits),
        name: Some("new"),
    };
    let created = Folder::create(connection, &mia, &new(7, Some(2), true)).await.unwrap();
    assert_eq!((created.id, created.parent_id), (7, Some(2)));
    for refused in [new(8, Some(2), false), new(8, Some(6), true), new(8, None, true)] {
        let created = Folder::create(connection, &mia, &refused).await;
        assert!(matches!(created, Err(ChangeError::DeniedResult)));
    }
    // A row that is there already is an error of the database, and nothing stays of the attempt.
    let again = Folder::create(connection, &mia, &new(7, Some(2), true)).await;
    assert!(matches!(again, Err(ChangeError::Failed(_))));
    let left: i64 = folders::table.count().get_result(connection).await.unwrap();
    assert_eq!(left, 7);
    let granted = Folder::check_all(connection, &ben, &[1, 6, 9], &[Permission::READ, Permission::UPDATE]);
    let mut granted: Vec<_> = granted
        .await
        .unwrap()
        .into_iter()
        .map(|(id, granted)| (id, granted.holds(0), granted.holds(1)))
        .collect();
    granted.sort_unstable();
    assert_eq!(granted, [(1, true, false), (6, false, false)]);
}

#[actix_web::test]
async fn a_membership_that_let_someone_in_stays_until_the_change_is_done() {
    let Some(place) = world().await else { return };
    let mine: &mut Connection = &mut *connection(place.location()).await;
    let others = &mut *connection(place.location()).await;
    others.batch_execute(IMPATIENT).await.unwrap();
    let user = at(MIA, 2026);
    let changes =
        ["DELETE FROM memberships WHERE id = 1", "UPDATE folders SET inherits = FALSE WHERE id = 2"];
    mine.transaction(async |mine| {
        Folder::authorize_for_update(mine, &user, 3, Permission::UPDATE).await?;
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
    let refused = mine
        .transaction(async |mine| {
            Folder::authorize_for_update(mine, &user, 3, Permission::UPDATE).await.map(drop)
        })
        .await;
    assert!(matches!(refused, Err(AccessError::Denied(_))));
}

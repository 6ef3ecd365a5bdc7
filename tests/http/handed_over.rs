//! The row that a handler gets is the row that was decided about, also where a function loaded it first.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, Responder, get, post,
    test::{TestRequest, call_service, init_service, read_body},
    web::{Data, Json},
};
use auth_core::{
    Auth, AuthModel, Authorized, LoadContext, LoadContexts, LoadError, User, permission::Read,
    permission_required_for_context, test::AlwaysAs,
};
use diesel::{
    connection::SimpleConnection,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sqlite::Sqlite,
};

diesel::table! {
    folders (id) {
        id -> Integer,
        account_id -> Integer,
    }
}

diesel::table! {
    notes (id) {
        id -> Integer,
        folder_id -> Integer,
        text -> Text,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = folders, check_for_backend(Sqlite))]
#[acl(read = account(account_id))]
struct Folder {
    id: i32,
    account_id: i32,
}

/// Its policy depends on the folder, so the database decides.
#[derive(Clone, Queryable, Selectable, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[auth(belongs_to(folder: Folder, folder_id))]
#[acl(read = folder.read)]
struct Note {
    id: i32,
    folder_id: i32,
    text: String,
}

type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

/// Another transaction empties the notes and gives them to the caller.
const GIVEN_AWAY: &str = "UPDATE notes SET text = 'emptied', folder_id = 1";

fn stored(ids: &[i32], connection: &mut SqliteConnection) -> QueryResult<Vec<Note>> {
    let found = notes::table.filter(notes::id.eq_any(ids)).select(Note::as_select()).load(connection)?;
    let of_id = |id| found.iter().find(|note: &&Note| note.id == id).cloned().ok_or(diesel::NotFound);
    ids.iter().map(|id| of_id(*id)).collect()
}

/// Between this statement and the decision, a second connection changes the rows that it has read.
fn given_away_since(
    ids: &Json<Vec<i32>>,
    others: &Data<SqlitePool>,
    connection: &mut SqliteConnection,
) -> Result<Vec<Note>, LoadError> {
    let notes = stored(ids, connection)?;
    let mut other = others.get().map_err(LoadError::unavailable)?;
    other.batch_execute(GIVEN_AWAY)?;
    Ok(notes)
}

fn one(
    ids: &Json<Vec<i32>>,
    others: &Data<SqlitePool>,
    connection: &mut SqliteConnection,
) -> Result<Note, LoadError> {
    given_away_since(ids, others, connection)?.pop().ok_or(LoadError::NotFound)
}

fn grouped(
    ids: &Json<Vec<i32>>,
    others: &Data<SqlitePool>,
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<&'static str, Vec<Note>>, LoadError> {
    let notes = given_away_since(ids, others, connection)?;
    Ok(BTreeMap::from([("all", notes.clone()), ("again", notes)]))
}

fn shown<'a>(notes: impl IntoIterator<Item = &'a Note>) -> String {
    let notes = notes.into_iter().map(|note| format!("{} in {}: {}", note.id, note.folder_id, note.text));
    notes.collect::<Vec<_>>().join("; ")
}

#[permission_required_for_context("read", ctx_arg = "note", ctx_loader = one(ids, others, connection))]
#[post("/one")]
async fn take_one(ids: Json<Vec<i32>>, others: Data<SqlitePool>, note: Note) -> impl Responder {
    let _ = (ids, others);
    shown([&note])
}

#[permission_required_for_context("read", ctx_arg = "notes", ctx_loader = given_away_since(ids, others, connection))]
#[post("/several")]
async fn take_several(
    ids: Json<Vec<i32>>,
    others: Data<SqlitePool>,
    notes: Authorized<Vec<Note>, Read>,
) -> impl Responder {
    let _ = (ids, others);
    shown(&*notes)
}

#[permission_required_for_context("read", ctx_arg = "notes", ctx_loader = grouped(ids, others, connection))]
#[post("/grouped")]
async fn take_grouped(
    ids: Json<Vec<i32>>,
    others: Data<SqlitePool>,
    notes: BTreeMap<&'static str, Vec<Note>>,
) -> impl Responder {
    let _ = (ids, others);
    let groups = notes.iter().map(|(label, notes)| format!("{label}: {}", shown(notes)));
    groups.collect::<Vec<_>>().join(" | ")
}

/// Loaded by hand, and decided by the database all the same.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[auth(belongs_to(folder: Folder, folder_id))]
#[acl(read = folder.read)]
struct ByHand {
    id: i32,
    folder_id: i32,
    text: String,
}

impl LoadContext for ByHand {
    type Id = i32;
    type Connection = SqliteConnection;

    fn load(id: i32, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let note = notes::table.find(id).select(Self::as_select()).first(connection)?;
        connection.batch_execute(GIVEN_AWAY)?;
        Ok(note)
    }
}

impl LoadContexts for ByHand {
    fn load_all(ids: &[i32], connection: &mut SqliteConnection) -> Result<Vec<(i32, Self)>, LoadError> {
        ids.iter().map(|id| Ok((*id, LoadContext::load(*id, connection)?))).collect()
    }
}

#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/by-hand/{note_id}")]
async fn by_hand(note: ByHand) -> impl Responder {
    format!("{} in {}: {}", note.id, note.folder_id, note.text)
}

#[permission_required_for_context("read", ctx_arg = "notes", id = query("note"))]
#[get("/by-hand")]
async fn several_by_hand(notes: Vec<ByHand>) -> impl Responder {
    let notes = notes.iter().map(|note| format!("{} in {}: {}", note.id, note.folder_id, note.text));
    notes.collect::<Vec<_>>().join("; ")
}

/// Account 3 has folder 1; notes 1 and 2 are in folder 2, of account 4.
fn database() -> SqlitePool {
    static DATABASES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("file:/handed-over-{}?vfs=memdb", DATABASES.fetch_add(1, Ordering::Relaxed));
    let pool = Pool::builder().max_size(2).build(ConnectionManager::<SqliteConnection>::new(name)).unwrap();
    pool.get()
        .unwrap()
        .batch_execute(
            "CREATE TABLE folders (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL, text TEXT NOT NULL);
             INSERT INTO folders VALUES (1, 3), (2, 4);
             INSERT INTO notes VALUES (1, 2, 'secret'), (2, 2, 'secret');",
        )
        .unwrap();
    pool
}

/// The answer to this request of a member of account 3.
async fn answer(request: TestRequest) -> (u16, String) {
    let pool = database();
    let member = User::new(2).with_account(3);
    let auth = Auth::builder().mechanism(AlwaysAs(member)).connections(pool.clone()).build().unwrap();
    let app = App::new().app_data(auth).app_data(Data::new(pool));
    let app = app.service((take_one, take_several, take_grouped, by_hand, several_by_hand));
    let response = call_service(&init_service(app).await, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

#[actix_web::test]
async fn what_a_function_loaded_is_replaced_by_what_was_decided_about() {
    let post = |path: &str, ids: &[i32]| TestRequest::post().uri(path).set_json(ids);
    for (path, ids, expected) in [
        ("/one", &[1][..], "1 in 1: emptied"),
        ("/several", &[2, 1], "2 in 1: emptied; 1 in 1: emptied"),
        // One that is there several times has its own row each time.
        ("/several", &[1, 2, 1, 1], "1 in 1: emptied; 2 in 1: emptied; 1 in 1: emptied; 1 in 1: emptied"),
        (
            "/grouped",
            &[2, 1],
            "again: 2 in 1: emptied; 1 in 1: emptied | all: 2 in 1: emptied; 1 in 1: emptied",
        ),
    ] {
        assert_eq!(answer(post(path, ids)).await, (200, expected.to_owned()), "{path} {ids:?}");
    }
}

#[actix_web::test]
async fn what_was_loaded_by_hand_is_replaced_by_what_was_decided_about() {
    for (path, expected) in
        [("/by-hand/1", "1 in 1: emptied"), ("/by-hand?note=2&note=1", "2 in 1: emptied; 1 in 1: emptied")]
    {
        assert_eq!(answer(TestRequest::get().uri(path)).await, (200, expected.to_owned()), "{path}");
    }
}

//! Notes, and their shares with users of any account: the policies, and the routes.

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpResponse, Responder, delete, get, http::header::LOCATION, patch, post, put};
use auth_core::permission::{Delete, Read, Update};
use auth_core::{Accessible, AuthChangeset, AuthError, AuthModel, CurrentUser, LoadContext, Permission};
use auth_core::{Scoped, Stored, Visible, auth_required, permission_required_for_context};
use chrono::{DateTime, Utc};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::auth::LoggedIn;
use crate::database::{Database, notes, shares};
use crate::error::ServiceError;

/// To say with whom a note is shared.
const SHARE: Permission = Permission::new("share");

/// A note of an account. The policy holds for each route below, for lists and for changes.
#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[auth(has_many(shares: Share, note_id))]
#[acl(
    // Colleagues, and those with whom it is shared.
    read = account(account_id) | any(shares: user(user_id) & until(expires_at)),
    read(private_remark) = user(author_id),
    // The author, as long as they are in the account, and the account's admins.
    update = account(account_id) & (user(author_id) | role("account-admin")),
    update(private_remark) = user(author_id),
    // Admins of the service move notes, who stand above the policy.
    update(account_id) = nobody,
    delete = update,
    SHARE = update,
    // Of a new note, and of a note as a change makes it.
    becomes = account(account_id),
)]
pub(crate) struct Note {
    id: i32,
    account_id: i32,
    author_id: i32,
    title: String,
    text: String,
    private_remark: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    author_id: Option<i32>,
    /// The last note of the page before.
    #[serde(default)]
    after: i32,
    limit: Option<u8>,
}

/// A page of the notes that the caller may read, in one statement. `"_can"` of each has what they may do with it.
#[auth_required]
#[get("/notes")]
pub(crate) async fn list(
    readable: Accessible<Note, Read>,
    Query(Page { author_id, after, limit }): Query<Page>,
    database: Data<Database>,
) -> Result<impl Responder, ServiceError> {
    let mut page = readable
        .visible::<(Update, Delete)>()
        .filter(notes::id.gt(after))
        .order(notes::id)
        .limit(limit.unwrap_or(20).into());
    if let Some(author_id) = author_id {
        page = page.filter(notes::author_id.eq(author_id));
    }
    let page: Vec<Visible<Note, (Update, Delete)>> =
        database.run(move |connection| Ok(page.load(connection)?)).await?;
    Ok(Json(page))
}

#[derive(Deserialize, AuthChangeset)]
#[diesel(table_name = notes)]
#[serde(deny_unknown_fields)]
struct NewNote {
    /// Left out, it is the account of the author.
    account_id: Option<i32>,
    #[serde(skip)]
    author_id: i32,
    title: String,
    text: String,
    #[serde(default)]
    private_remark: String,
}

/// Creates a note of the caller, if `becomes` allows it, in one statement.
#[auth_required]
#[post("/notes")]
pub(crate) async fn create(
    Json(mut new): Json<NewNote>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    new.author_id = caller.id;
    new.account_id.get_or_insert(caller.account_id);
    let note = database.run(move |connection| Ok(Note::create(connection, &caller, &new)?)).await?;
    let location = (LOCATION, format!("/notes/{}", note.id));
    Ok(HttpResponse::Created().insert_header(location).json(json!({ "id": note.id })))
}

/// Shows a note. Its guard loads it and decides about it in one statement.
#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/notes/{note_id}")]
pub(crate) async fn view(note: Visible<Note, (Update, Delete)>) -> impl Responder {
    Json(note)
}

/// A field that is left out stays as it is.
#[derive(Deserialize, AuthChangeset)]
#[diesel(table_name = notes)]
#[serde(deny_unknown_fields)]
struct NoteChanges {
    account_id: Option<i32>,
    title: Option<String>,
    text: Option<String>,
    private_remark: Option<String>,
}

/// Changes a note in one statement, whose condition is the policy. So its guard asks for no more than a log-in.
#[auth_required]
#[patch("/notes/{note_id}")]
pub(crate) async fn change(
    note_id: Path<i32>,
    Json(changes): Json<NoteChanges>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let id = note_id.into_inner();
    database.run(move |connection| Ok(Note::change(connection, &caller, id, &changes)?)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a note. The guard refuses early; the statement has the condition once more, for the moment in which it runs.
#[permission_required_for_context("delete", ctx = Note)]
#[delete("/notes/{note_id}")]
pub(crate) async fn delete(
    note_id: Path<i32>,
    _: Query<()>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let id = note_id.into_inner();
    let done = database.run(move |connection| {
        let hit =
            diesel::delete(Note::changeable_by(&caller, Permission::DELETE).find(id)).execute(connection)?;
        Ok(Note::changed(hit, connection, &caller, id, Permission::DELETE).map_err(AuthError::from)?)
    });
    done.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A user who may read a note of others.
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shares, primary_key(note_id, user_id), check_for_backend(Sqlite))]
#[auth(belongs_to(note: Note, note_id))]
#[acl(delete = note.SHARE)]
struct Share {
    note_id: i32,
    user_id: i32,
    #[expect(dead_code, reason = "the database looks at it, by the policy of notes")]
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    /// Left out, the share has no end. One in the past ends it.
    expires_at: Option<DateTime<Utc>>,
}

/// Shares a note with a user, or replaces the share. The guard refuses before the body is read; the transaction decides
/// once more, and holds the note until the share is stored.
#[permission_required_for_context(SHARE, ctx = Note)]
#[put("/notes/{note_id}/shares/{user_id}")]
pub(crate) async fn share(
    path: Path<(i32, i32)>,
    Json(Terms { expires_at }): Json<Terms>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let (note_id, user_id) = path.into_inner();
    let done = database.run(move |connection| {
        connection.immediate_transaction(|connection| {
            Note::authorize_for_update(connection, &caller, note_id, SHARE).map_err(AuthError::from)?;
            let end = shares::expires_at.eq(expires_at);
            diesel::insert_into(shares::table)
                .values((shares::note_id.eq(note_id), shares::user_id.eq(user_id), end))
                .on_conflict((shares::note_id, shares::user_id))
                .do_update()
                .set(end)
                .execute(connection)?;
            Ok(())
        })
    });
    done.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a share back. It ends with the next request.
#[permission_required_for_context(SHARE, ctx = Note)]
#[delete("/notes/{note_id}/shares/{user_id}")]
pub(crate) async fn revoke(
    path: Path<(i32, i32)>,
    _: Query<()>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let key = path.into_inner();
    let done = database.run(move |connection| {
        let hit = diesel::delete(Share::changeable_by(&caller, Permission::DELETE).find(key))
            .execute(connection)?;
        Ok(Share::changed(hit, connection, &caller, key, Permission::DELETE).map_err(AuthError::from)?)
    });
    done.await?;
    Ok(HttpResponse::NoContent().finish())
}

//! The first chapter: what it adds to the program of the README, word for word, and the answers that it promises.

// What is in scope beside the program of the README, in tests, and as the chapter has it.
use actix_web::{
    Responder, get,
    http::StatusCode,
    test::TestRequest,
    web::{Json, ServiceConfig},
};
use auth_core::{permission_required_for_context, test};
use diesel::{
    prelude::*,
    r2d2::{ConnectionManager, Pool},
};

use super::{Caller, Note, notes, view, world};

use actix_web::{
    Error, HttpResponse, patch,
    web::{Data, Path, block},
};
use auth_core::{
    Accessible, AuthChangeset, AuthError, CurrentUser, ProtectedConfig, Stored, auth_required,
    permission::Read,
};
use serde::Deserialize;

type Database = Data<Pool<ConnectionManager<SqliteConnection>>>;

#[auth_required]
#[get("/notes")]
async fn list(readable: Accessible<Note, Read>, database: Database) -> Result<impl Responder, Error> {
    let page = readable.query().order(notes::id).limit(20);
    let page = block(move || {
        let mut connection = database.get().map_err(|_| AuthError::Unavailable)?;
        page.load::<Note>(&mut *connection).map_err(|_| AuthError::Unavailable)
    });
    Ok(Json(page.await??))
}

#[derive(Deserialize, AuthChangeset)]
#[diesel(table_name = notes)]
#[serde(deny_unknown_fields)]
struct NoteChanges {
    text: Option<String>,
}

#[permission_required_for_context("update", ctx = Note)]
#[patch("/notes/{note_id}")]
async fn change(
    id: Path<i32>,
    changes: Json<NoteChanges>,
    caller: CurrentUser<Caller>,
    database: Database,
) -> Result<HttpResponse, Error> {
    let done = block(move || {
        let mut connection = database.get().map_err(|_| AuthError::Unavailable)?;
        Ok::<_, AuthError>(Note::change(&mut *connection, &caller, *id, &*changes)?)
    });
    done.await??;
    Ok(HttpResponse::NoContent().finish())
}

fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(list).service(change);
}

async fn status_for(caller: Caller, request: TestRequest, database: &Database) -> StatusCode {
    let auth = test::authenticated_as(caller).connections(database.get_ref().clone()).build().unwrap();
    let service = |config: &mut ServiceConfig| {
        configure(ProtectedConfig::new(config).app_data(database.clone()));
    };
    test::call(auth, service, request).await.status()
}

mod tests {
    use super::*;

    fn member(role: &str) -> Caller {
        Caller { id: 1, account_id: 1, role: role.to_owned() }
    }

    #[actix_web::test]
    async fn rows_lists_and_changes_are_for_those_whom_the_policy_says() {
        let (pool, _) = world(1, "");
        let database = Data::new(pool);
        let get = |path| TestRequest::get().uri(path);
        let patch = |text| TestRequest::patch().uri("/notes/1").set_json(serde_json::json!({ "text": text }));
        let stranger = || Caller { id: 2, account_id: 2, role: "account-admin".to_owned() };
        assert_eq!(status_for(member(""), get("/notes/1"), &database).await, 200);
        assert_eq!(status_for(member(""), get("/notes/abc"), &database).await, 404);
        assert_eq!(status_for(member(""), get("/notes"), &database).await, 200);
        assert_eq!(status_for(member(""), patch("It hums in E."), &database).await, 204);
        assert_eq!(status_for(stranger(), patch("It is silent."), &database).await, 403);
        let text = notes::table.select(notes::text).first::<String>(&mut database.get().unwrap());
        assert_eq!(text.unwrap(), "It hums in E.");
        diesel::update(notes::table).set(notes::account_id.eq(2)).execute(&mut database.get().unwrap()).unwrap();
        assert_eq!(status_for(member(""), get("/notes/1"), &database).await, 403);
    }
}

//! The chapter for those who come from `actix-web-grants`: its examples of this library, word for word, and requests to them.

use actix_web::{Responder, get, web::Json};
use auth_core::{AuthModel, LoadContext, permission_required_for_context, roles_accepted, roles_required};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Serialize;

diesel::table! {
    notes (id) {
        id -> Integer,
        account_id -> Integer,
        author_id -> Integer,
    }
}

const ACCOUNT_ADMIN: &str = "account-admin";

#[roles_required("operator", "trainer")]
#[get("/shifts")]
async fn shifts() -> impl Responder {
    "for operators who train others"
}

#[roles_accepted(ACCOUNT_ADMIN, "consultant")]
#[get("/invitations")]
async fn invitations() -> impl Responder {
    "for either"
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[acl(
    read = user(author_id) | role("editor") & account(account_id),
    update = user(author_id),
)]
struct Note {
    id: i32,
    account_id: i32,
    author_id: i32,
}

#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/notes/{note_id}")]
async fn view(note: Note) -> impl Responder {
    Json(note)
}

mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};
    use auth_core::{Auth, ProtectedApp, User, test::AlwaysAs};
    use diesel::{
        connection::SimpleConnection as _,
        r2d2::{ConnectionManager, Pool},
    };

    use super::*;

    #[actix_web::test]
    async fn its_handlers_answer() {
        let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
        let pool = Pool::builder().max_size(1).build(manager).unwrap();
        let world = "
            CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, author_id INTEGER NOT NULL);
            INSERT INTO notes VALUES (1, 3, 2), (2, 3, 5), (3, 4, 5);";
        pool.get().unwrap().batch_execute(world).unwrap();
        let user = User::new(2).with_account(3).with_roles(["operator", "consultant", "editor"]);
        let auth = Auth::builder().mechanism(AlwaysAs(user)).connections(pool).build().unwrap();
        let app = ProtectedApp::new().app_data(auth).service(shifts).service(invitations).service(view);
        let app = init_service(app).await;
        for (path, status) in
            [("/shifts", 403), ("/invitations", 200), ("/notes/1", 200), ("/notes/2", 200), ("/notes/3", 403)]
        {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status(), status, "{path}");
        }
    }
}

//! The program of the README, word for word as it is there, and requests to it.

// The first chapter goes on from here.
#[path = "start.rs"]
mod start;

use actix_web::{HttpServer, Responder, get, web::Json};
use auth_core::mechanism::{BearerToken, FindByToken, Token, TokenHash};
use auth_core::{AdminRoles, Auth, AuthModel, IdRef, LoadContext, LoadError, ProtectedApp, Subject};
use auth_core::permission_required_for_context;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
use serde::Serialize;

diesel::table! { notes (id) { id -> Integer, account_id -> Integer, author_id -> Integer, text -> Text } }
diesel::table! { users (id) { id -> Integer, account_id -> Integer, role -> Text, token_hash -> Binary } }

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, author_id INTEGER NOT NULL, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS users (
        id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, role TEXT NOT NULL, token_hash BLOB NOT NULL UNIQUE);
    INSERT OR IGNORE INTO notes VALUES (1, 1, 1, 'The heat pump hums in D.');";

/// The user of a request, found by the hash of a bearer token.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
struct Caller { id: i32, account_id: i32, role: String }

impl Subject for Caller {
    fn id(&self) -> IdRef<'_> { self.id.into() }
    fn account_id(&self) -> Option<IdRef<'_>> { Some(self.account_id.into()) }
    fn has_role(&self, role: &str) -> bool { self.role == role }
    fn account_has_role(&self, _role: &str) -> bool { false }
    fn admin_roles(&self) -> AdminRoles { AdminRoles::none() }
}

impl FindByToken for Caller {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let user = users::table.filter(users::token_hash.eq(token.as_bytes().as_slice()));
        Ok(user.select(Self::as_select()).get_result(connection)?)
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::new(ConnectionManager::<SqliteConnection>::new("notes.sqlite"))?;
    let token = Token::generate()?;
    let new_user = (users::account_id.eq(1), users::role.eq(""), users::token_hash.eq(token.hash().as_bytes().to_vec()));
    pool.get()?.batch_execute(TABLES)?;
    diesel::insert_into(users::table).values(new_user).execute(&mut pool.get()?)?;
    println!("curl -i -H 'Authorization: Bearer {}' http://127.0.0.1:8080/notes/1", token.as_str());

    let auth = Auth::builder().mechanism(BearerToken::<Caller>::new(pool.clone())).connections(pool).build()?;
    let app = move || ProtectedApp::new().app_data(auth.clone()).service(view);
    Ok(HttpServer::new(app).bind(("127.0.0.1", 8080))?.run().await?)
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[acl(
    read = account(account_id) | role("auditor"),
    update = user(author_id) | account(account_id) & role("account-admin"),
)]
struct Note {
    id: i32,
    account_id: i32,
    author_id: i32,
    text: String,
}

#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/notes/{note_id}")]
async fn view(note: Note) -> impl Responder {
    Json(note)
}

/// A database in memory with the tables of the README and a user of this account, and the user's token.
fn world(account_id: i32, role: &str) -> (Pool<ConnectionManager<SqliteConnection>>, String) {
    let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
    let pool = Pool::builder().max_size(1).build(manager).unwrap();
    let token = Token::generate().unwrap();
    let hash = users::token_hash.eq(token.hash().as_bytes().to_vec());
    let connection = &mut *pool.get().unwrap();
    connection.batch_execute(TABLES).unwrap();
    let user = (users::account_id.eq(account_id), users::role.eq(role), hash);
    diesel::insert_into(users::table).values(user).execute(connection).unwrap();
    (pool.clone(), token.as_str().to_owned())
}

mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};

    use super::*;

    #[actix_web::test]
    async fn its_handler_lets_in_those_whom_its_policy_says() {
        for (account_id, role, path, status) in [
            (1, "", "/notes/1", 200),
            (2, "", "/notes/1", 403),
            (2, "auditor", "/notes/1", 200),
            (1, "", "/notes/2", 404),
        ] {
            let (pool, token) = world(account_id, role);
            let auth = Auth::builder().mechanism(BearerToken::<Caller>::new(pool.clone())).connections(pool);
            let app = init_service(ProtectedApp::new().app_data(auth.build().unwrap()).service(view)).await;
            let request = TestRequest::get().uri(path);
            let anonymous = call_service(&app, request.to_request()).await;
            assert_eq!(anonymous.status(), 401);
            let request = TestRequest::get().uri(path).insert_header(("authorization", format!("Bearer {token}")));
            assert_eq!(call_service(&app, request.to_request()).await.status(), status, "{account_id} {role} {path}");
        }
    }
}

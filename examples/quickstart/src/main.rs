//! The smallest whole service: notes that belong to accounts, and one guarded handler.
//!
//! `cargo run -p quickstart` starts it and prints requests to try.

use std::error::Error;

use actix_web::{HttpServer, Responder, get, web};
use auth_core::{
    AdminRoles, Auth, AuthModel, IdRef, LoadContext, LoadError, ProtectedApp, Subject,
    mechanism::{BearerToken, FindByToken, Token, TokenHash},
    permission_required_for_context,
};
use diesel::{
    connection::SimpleConnection,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sqlite::Sqlite,
};
use serde::Serialize;

// 1. The context: a row, its loader, and its policy.

diesel::table! {
    notes (id) {
        id -> Integer,
        account_id -> Integer,
        text -> Text,
    }
}

#[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[acl(read = account(account_id) | role("auditor"))]
struct Note {
    id: i32,
    account_id: i32,
    text: String,
}

// 2. The handler. It runs only for those who may read the note, and receives it.

#[permission_required_for_context("read", ctx_arg = "note")]
#[get("/notes/{note_id}")]
async fn view(note: Note) -> impl Responder {
    web::Json(note)
}

// 3. The subject: the user, found by the hash of a bearer token.

diesel::table! {
    users (id) {
        id -> Integer,
        account_id -> Integer,
        role -> Text,
        token_hash -> Binary,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
struct LoggedIn {
    id: i32,
    account_id: i32,
    role: String,
}

impl Subject for LoggedIn {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        Some(self.account_id.into())
    }

    fn has_role(&self, role: &str) -> bool {
        self.role == role
    }

    fn account_has_role(&self, _role: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

impl FindByToken for LoggedIn {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let with_token = users::table.filter(users::token_hash.eq(token.as_bytes().as_slice()));
        Ok(with_token.select(Self::as_select()).get_result(connection)?)
    }
}

// 4. The service: a pool, an `Auth` made of it, and the routes. A handler without a guard would not compile here.

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A database in memory lives as long as its one connection does.
    let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
    let pool = Pool::builder().max_size(1).max_lifetime(None).idle_timeout(None).build(manager)?;
    fill(&mut *pool.get()?)?;

    let auth =
        Auth::builder().mechanism(BearerToken::<LoggedIn>::new(pool.clone())).connections(pool).build()?;
    HttpServer::new(move || ProtectedApp::new().app_data(auth.clone()).service(view))
        .bind(("127.0.0.1", 5001))?
        .run()
        .await?;
    Ok(())
}

/// Writes a note of account 1, a user of account 1, one of account 2 and an auditor; prints requests to try.
fn fill(connection: &mut SqliteConnection) -> Result<(), Box<dyn Error>> {
    connection.batch_execute(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, text TEXT NOT NULL);
         CREATE TABLE users (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, role TEXT NOT NULL,
                             token_hash BLOB NOT NULL UNIQUE);
         INSERT INTO notes VALUES (1, 1, 'The heat pump hums in D.');",
    )?;
    for (account_id, role, answer) in [(1, "", "the note"), (2, "", "403"), (2, "auditor", "the note")] {
        let token = Token::generate()?;
        diesel::insert_into(users::table)
            .values((
                users::account_id.eq(account_id),
                users::role.eq(role),
                users::token_hash.eq(token.hash().as_bytes().as_slice()),
            ))
            .execute(connection)?;
        println!("# {answer}");
        println!("curl -i -H 'Authorization: Bearer {}' http://127.0.0.1:5001/notes/1", token.as_str());
    }
    Ok(())
}

//! Who the caller is, and how users log in and out.
//!
//! A log-in is a row with the hash of a token: a program keeps the token, a browser has it in the encrypted cookie of its
//! session. Each request looks the row up, so a log-out, which deletes it, ends copies of a cookie as well.

use actix_web::web::{Data, Json, Query};
use actix_web::{HttpRequest, HttpResponse, http::header::CACHE_CONTROL, post};
use auth_core::mechanism::{FindBySession, FindByToken, FindByUsername};
use auth_core::mechanism::{PasswordHash, PasswordLogIn, Token, TokenHash, session};
use auth_core::{AdminRoles, AuthError, CurrentUser, IdRef, LoadError, Subject, auth_required, public};
use chrono::{Days, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::database::{Database, log_ins, users};
use crate::error::ServiceError;

#[derive(Queryable)]
pub(crate) struct LoggedIn {
    pub(crate) id: i32,
    pub(crate) account_id: i32,
    role: String,
    /// The log-in of the request; none while the password is compared.
    log_in_id: Option<i32>,
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
        AdminRoles::none().admin("admin")
    }
}

impl FindByToken for LoggedIn {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let found = log_ins::table
            .inner_join(users::table)
            .filter(log_ins::token_hash.eq(token.as_bytes().as_slice()))
            .filter(log_ins::expires_at.gt(Utc::now()))
            .select((users::id, users::account_id, users::role, log_ins::id.nullable()));
        Ok(found.first(connection)?)
    }
}

impl FindBySession for LoggedIn {
    type Id = String;
    type Connection = SqliteConnection;

    fn find_by_id(token: String, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        Self::find_by_token(&TokenHash::of(&token), connection)
    }
}

impl FindByUsername for LoggedIn {
    type Connection = SqliteConnection;

    fn find_by_username(
        email: &str,
        connection: &mut SqliteConnection,
    ) -> Result<(Self, PasswordHash), LoadError> {
        let (id, account_id, role, hash): (i32, i32, String, String) = users::table
            .filter(users::email.eq(email.to_lowercase()))
            .select((users::id, users::account_id, users::role, users::password_hash))
            .first(connection)?;
        Ok((Self { id, account_id, role, log_in_id: None }, hash.into()))
    }
}

// No `Debug`: a password is not for logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: String,
    /// Whether the log-in is that of a browser.
    #[serde(default)]
    session: bool,
}

/// Logs a user in: for a token, which the answer has, or for a session, whose cookie it sets. After too many wrong
/// passwords the answer is 429.
#[public(reason = "who logs in is not logged in yet")]
#[post("/log-in")]
pub(crate) async fn log_in(
    request: HttpRequest,
    Json(Credentials { email, password, session }): Json<Credentials>,
    passwords: Data<PasswordLogIn<LoggedIn>>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let user = passwords.log_in(&request, &email, password).await.map_err(AuthError::from)?;
    let token = Token::generate().map_err(ServiceError::unavailable)?;
    let hash = token.hash();
    let done = database.run(move |connection| {
        let now = Utc::now();
        diesel::delete(log_ins::table.filter(log_ins::expires_at.le(now))).execute(connection)?;
        let until = log_ins::expires_at.eq(now + Days::new(30));
        let new = (log_ins::user_id.eq(user.id), log_ins::token_hash.eq(hash.as_bytes().as_slice()), until);
        Ok(diesel::insert_into(log_ins::table).values(new).execute(connection)?)
    });
    done.await?;
    if session {
        session::log_in(&request, token.as_str())?;
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({ "token": token.as_str() })))
}

/// Ends the log-in of this request, be it a token or a session.
#[auth_required]
#[post("/log-out")]
pub(crate) async fn log_out(
    request: HttpRequest,
    _: Query<()>,
    caller: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let ended = log_ins::table.filter(log_ins::id.nullable().eq(caller.log_in_id));
    database.run(move |connection| Ok(diesel::delete(ended).execute(connection)?)).await?;
    session::log_out(&request)?;
    Ok(HttpResponse::NoContent().finish())
}

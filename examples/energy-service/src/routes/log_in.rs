//! Logging in: an email address and a password for a token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    post,
    web::{Data, Json},
};
use auth_core::{
    AuthError, ProtectedConfig,
    mechanism::{Attempts, PasswordHash, Passwords, Token, TokenHash},
    public,
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, dsl::exists};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::openapi::{InvalidBody, LogInRefused};
use crate::{
    auth::{MAX_TOKENS, SessionUser, TOKEN_MAX_AGE},
    database::{Connection, Database, Instant},
    error::ServiceError,
    schema::{auth_tokens, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(request_auth_token);
}

#[derive(OpenApi)]
#[openapi(paths(request_auth_token))]
pub(super) struct Api;

// No `Debug`: a password is not for logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    pub(super) email: String,
    pub(super) password: String,
}

#[derive(Serialize, ToSchema)]
struct LogIn<'a> {
    auth_token: &'a str,
    user_id: i32,
}

/// Logs in: an email address and a password for a token, which is good for 30 days. Of a user's tokens the newest ten are.
// For [`TOKEN_MAX_AGE`], unless it is revoked or the user deactivated before; and [`MAX_TOKENS`] of them.
#[utoipa::path(
    request_body = Credentials,
    responses((status = 200, description = "The token.", body = LogIn), InvalidBody, LogInRefused),
)]
#[public(reason = "who logs in is not logged in yet")]
#[post("/requestAuthToken")]
async fn request_auth_token(
    request: HttpRequest,
    Json(credentials): Json<Credentials>,
    attempts: Data<Attempts>,
    passwords: Data<Passwords>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let user = verify(credentials, &request, &attempts, &passwords, &database).await?;
    let token = Token::generate().map_err(ServiceError::internal)?;
    let hash = token.hash();
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                still_active(user, connection)?;
                insert_token(&hash, user.id, connection)
            })
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(LogIn { auth_token: token.as_str(), user_id: user.id }))
}

/// Stores a token, and makes room for it: it deletes expired tokens, and the oldest, until there are [`MAX_TOKENS`]. In a
/// transaction that sees no other log-in of this user half done.
fn insert_token(hash: &TokenHash, user_id: i32, connection: &mut Connection) -> Result<(), ServiceError> {
    let now = Instant::now();
    let expired = auth_tokens::table
        .filter(auth_tokens::user_id.eq(user_id))
        .filter(auth_tokens::created_at.lt(now.before(TOKEN_MAX_AGE)));
    diesel::delete(expired).execute(connection)?;
    // Before the new one is inserted, which stays, even if the clocks of other instances differ.
    let mut oldest: Vec<Vec<u8>> = auth_tokens::table
        .filter(auth_tokens::user_id.eq(user_id))
        .order((auth_tokens::created_at.desc(), auth_tokens::token_hash))
        .select(auth_tokens::token_hash)
        .load(connection)?;
    let kept = usize::try_from(MAX_TOKENS).unwrap_or(usize::MAX).saturating_sub(1);
    let oldest = oldest.split_off(kept.min(oldest.len()));
    diesel::delete(auth_tokens::table.filter(auth_tokens::token_hash.eq_any(oldest))).execute(connection)?;
    diesel::insert_into(auth_tokens::table)
        .values((
            auth_tokens::token_hash.eq(hash.as_bytes().as_slice()),
            auth_tokens::user_id.eq(user_id),
            auth_tokens::created_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// The user with these credentials. An unknown address, a wrong password and an inactive user get one answer, after equal
/// work. After too many attempts the answer is 429, for any password.
pub(super) async fn verify(
    Credentials { email, password }: Credentials,
    request: &HttpRequest,
    attempts: &Attempts,
    passwords: &Passwords,
    database: &Database,
) -> Result<SessionUser, ServiceError> {
    let address = attempts.address_of(request);
    let attempt = attempts.begin(&email, address).await.map_err(|error| {
        tracing::info!(?address, outcome = "deny", reason = "too-many-requests", "log-in");
        AuthError::from(error)
    })?;
    let user = user_with(email, password, passwords, database).await;
    // Not the typed address: people type their password there, too.
    match &user {
        Ok(SessionUser { id, .. }) => tracing::info!(?address, subject = id, outcome = "allow", "log-in"),
        Err(error) => tracing::info!(?address, outcome = "deny", reason = %error, "log-in"),
    }
    // A user who logs in guessed nothing, and a failure of the database revealed nothing.
    if !matches!(user, Err(ServiceError::LogInFailed)) {
        attempt.take_back();
    }
    user
}

/// The active user with this email address and password.
async fn user_with(
    email: String,
    password: String,
    passwords: &Passwords,
    database: &Database,
) -> Result<SessionUser, ServiceError> {
    // Addresses are stored in lower case. And none has a NUL in it, which PostgreSQL would not even compare.
    let email = email.to_ascii_lowercase();
    let found: Option<((i32, i32), String)> = if email.contains('\0') {
        None
    } else {
        database
            .run(move |connection| {
                let active = users::table.filter(users::email.eq(email)).filter(users::active);
                let known = ((users::id, users::log_outs), users::password_hash);
                Ok(active.select(known).first(connection).optional()?)
            })
            .await?
    };
    // No connection is held while the password is compared, which takes longer than all the rest.
    let (user, stored) = found.unzip();
    let verified = passwords.verify(password, stored.map(PasswordHash::from)).await?;
    let (id, log_outs) = user.filter(|_| verified).ok_or(ServiceError::LogInFailed)?;
    let user = SessionUser { id, log_outs };
    database.run(move |connection| still_active(user, connection)).await?;
    Ok(user)
}

/// Looks again after the password. A user who was deactivated meanwhile is not logged in, nor one who was activated again:
/// the log-out was counted.
fn still_active(
    SessionUser { id, log_outs }: SessionUser,
    connection: &mut Connection,
) -> Result<(), ServiceError> {
    let user = users::table.find(id).filter(users::active).filter(users::log_outs.eq(log_outs));
    let is_active: bool = diesel::select(exists(user.select(users::id))).get_result(connection)?;
    if is_active { Ok(()) } else { Err(ServiceError::LogInFailed) }
}

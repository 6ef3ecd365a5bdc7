//! Logging in: an email address and a password for a token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    post,
    web::{Data, Json},
};
use auth_core::{
    LoadError, ProtectedConfig,
    mechanism::{FindBySession, PasswordLogIn, Token, TokenHash},
    public,
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::openapi::{InvalidBody, LogInRefused};
use crate::{
    auth::{LoggedIn, MAX_TOKENS, TOKEN_MAX_AGE},
    database::{Connection, Database, Instant},
    error::ServiceError,
    schema::auth_tokens,
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
struct Credentials {
    email: String,
    password: String,
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
    Json(Credentials { email, password }): Json<Credentials>,
    log_in: Data<PasswordLogIn<LoggedIn>>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let user = log_in.log_in(&request, &email, password).await?;
    let session = user.session();
    let token = Token::generate().map_err(ServiceError::internal)?;
    let hash = token.hash();
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                // Here, too, or the token would be good after the next activation.
                LoggedIn::find_by_id(session, connection).map_err(|error| match error {
                    LoadError::NotFound => ServiceError::LogInFailed,
                    error @ LoadError::Unavailable(_) => error.into(),
                })?;
                insert_token(&hash, session.id, connection)
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

//! Logging in: an email address and a password for a token.

use actix_web::{
    HttpResponse,
    http::header,
    post,
    web::{Data, Json, ServiceConfig},
};
use auth_core::{mechanism::Token, public};
use chrono::Utc;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use serde::{Deserialize, Serialize};

use super::guarded;
use crate::{
    auth::Passwords,
    database::Database,
    error::ServiceError,
    schema::{auth_tokens, users},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(guarded(request_auth_token));
}

/// No `Debug`: a password is not for logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
struct LogIn<'a> {
    auth_token: &'a str,
    user_id: i32,
}

/// The token is good until the user is deactivated. An unknown address, a wrong password and an inactive user are
/// answered alike, and after the same work.
#[public]
#[post("/requestAuthToken")]
async fn request_auth_token(
    Json(Credentials { email, password }): Json<Credentials>,
    passwords: Data<Passwords>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let found: Option<(i32, String)> = database
        .run(move |connection| {
            let active = users::table.filter(users::email.eq(email)).filter(users::active);
            Ok(active.select((users::id, users::password_hash)).first(connection).optional()?)
        })
        .await?;
    // No connection is held while the password is compared, which takes longer than all the rest.
    let (id, stored) = found.unzip();
    let verified = passwords.verify(password, stored).await.map_err(ServiceError::internal)?;
    let user_id = id.filter(|_| verified).ok_or(ServiceError::LogInFailed)?;

    let token = Token::generate().map_err(ServiceError::internal)?;
    let hash = token.hash();
    database
        .run(move |connection| {
            diesel::insert_into(auth_tokens::table)
                .values((
                    auth_tokens::token_hash.eq(hash.as_bytes().as_slice()),
                    auth_tokens::user_id.eq(user_id),
                    auth_tokens::created_at.eq(Utc::now().naive_utc()),
                ))
                .execute(connection)?;
            Ok(())
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(LogIn { auth_token: token.as_str(), user_id }))
}

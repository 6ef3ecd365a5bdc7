//! Tokens, which their users revoke here. The log-in issues them.

use actix_web::{
    HttpResponse, delete,
    web::{Data, Query},
};
use auth_core::{CurrentUser, ProtectedConfig, auth_token_required};
use diesel::{QueryDsl, RunQueryDsl};
use utoipa::OpenApi;

use super::{input::NoParameters, openapi::InvalidQuery};
use crate::{auth::LoggedIn, database::Database, error::ServiceError, schema::auth_tokens};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(revoke);
}

#[derive(OpenApi)]
#[openapi(paths(revoke))]
pub(super) struct Api;

/// Revokes the token that the request carries: from the next request on, it lets no request in.
#[utoipa::path(responses((status = 204, description = "Done."), InvalidQuery))]
#[auth_token_required]
#[delete("/auth-tokens/current")]
async fn revoke(
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let token = current_user.token.ok_or(ServiceError::NotFound)?;
    database
        .run(move |connection| {
            diesel::delete(auth_tokens::table.find(token.hash.as_bytes().as_slice())).execute(connection)?;
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

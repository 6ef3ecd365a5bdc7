//! Users: oneself, and others by their id.

use actix_web::{
    get, patch,
    web::{Data, Json, ServiceConfig},
};
use auth_core::{CurrentUser, auth_required, permission_required_for_context};
use diesel::{
    AsChangeset, ExpressionMethods, OptionalEmptyChangesetExtension, QueryDsl, RunQueryDsl, SelectableHelper,
};
use serde::{Deserialize, Serialize};

use super::{
    guarded,
    input::{Valid, Validate, some, valid_name},
};
use crate::{
    auth::LoggedIn,
    database::Database,
    error::ServiceError,
    models::{User, UserRow},
    schema::{auth_tokens, users},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    // `me` first: the pattern of `view` fits it, too.
    config.service(guarded(me)).service(guarded(view)).service(guarded(change));
}

#[derive(Serialize)]
struct Profile {
    #[serde(flatten)]
    user: UserRow,
    roles: Vec<String>,
    account_roles: Vec<String>,
}

/// The caller, with all roles.
#[auth_required]
#[get("/users/me")]
async fn me(
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Profile>, ServiceError> {
    let id = current_user.id;
    let user = database
        .run(move |connection| Ok(users::table.find(id).select(UserRow::as_select()).first(connection)?))
        .await?;
    Ok(Json(Profile {
        user,
        roles: current_user.roles.clone(),
        account_roles: current_user.account_roles.clone(),
    }))
}

#[permission_required_for_context("read", ctx_arg = "user")]
#[get("/users/{user_id}")]
async fn view(user: User) -> Json<UserRow> {
    Json(user.row)
}

/// Neither the account nor the roles nor the password: those are not part of a profile, and they decide what
/// a user may do.
#[derive(AsChangeset, Deserialize)]
#[diesel(table_name = users)]
#[serde(deny_unknown_fields)]
struct UserChanges {
    #[serde(default, deserialize_with = "some")]
    username: Option<String>,
    #[serde(default, deserialize_with = "some")]
    active: Option<bool>,
}

impl Validate for UserChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.username.as_deref().map_or(Ok(()), |name| valid_name("username", name))
    }
}

/// Deactivating a user ends the user's log-ins for good: they do not come back with the user.
#[permission_required_for_context("update", ctx_arg = "user")]
#[patch("/users/{user_id}")]
async fn change(
    user: User,
    Valid(changes): Valid<UserChanges>,
    database: Data<Database>,
) -> Result<Json<UserRow>, ServiceError> {
    let updated = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                if changes.active == Some(false) {
                    diesel::delete(auth_tokens::table.filter(auth_tokens::user_id.eq(user.row.id)))
                        .execute(connection)?;
                }
                let row = users::table.find(user.row.id);
                diesel::update(row).set(&changes).execute(connection).optional_empty_changeset()?;
                Ok(row.select(UserRow::as_select()).first(connection)?)
            })
        })
        .await?;
    Ok(Json(updated))
}

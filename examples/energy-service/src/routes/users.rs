//! Users: oneself, others by their id, and the list of them.

use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{Data, Json, Query},
};
use auth_core::{
    Accessible, AuthChangeset, Authorized, CurrentUser, LoadContext, OwnRule, Permission, ProtectedConfig,
    Scoped, Stored, Subject, Visible, auth_required,
    mechanism::Passwords,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    TextExpressionMethods, dsl::exists,
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    bounds, created,
    input::{NoParameters, Valid, Validate, some, valid_email, valid_name, valid_password},
    openapi::{Conflict, InvalidBody, InvalidQuery},
    page::{Buttons, ESCAPE, ListQuery, Rows, Shown, lower, pattern},
};
use crate::{
    audit::{self, Affected, changed_fields},
    auth::{ACTIVATE, ADMIN, ADMIN_READER, LoggedIn},
    database::{Connection, Database},
    error::ServiceError,
    models::{Account, User},
    schema::{auth_tokens, roles, users, users_roles},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    // `me` first: the pattern of `view` fits it, too.
    config.service(list).service(me).service(view).service(change).service(create).service(remove);
}

#[derive(OpenApi)]
#[openapi(paths(list, me, view, change, create, remove))]
pub(super) struct Api;

#[derive(Serialize, ToSchema)]
struct Profile {
    #[serde(flatten)]
    user: User,
    roles: Vec<String>,
    account_roles: Vec<String>,
}

/// The caller, with all roles.
// The policy of users lets all of them read their own row.
#[utoipa::path(responses((status = 200, description = "The caller.", body = Profile), InvalidQuery))]
#[auth_required]
#[get("/users/me")]
async fn me(
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Profile>, ServiceError> {
    let id = current_user.id;
    let user = database.run(move |connection| Ok(User::load(id, connection)?)).await?;
    Ok(Json(Profile {
        user,
        roles: current_user.roles.clone(),
        account_roles: current_user.account_roles.clone(),
    }))
}

/// Shows a user.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = Shown<User>)),
)]
#[permission_required_for_context("read", ctx_arg = "user")]
#[get("/users/{user_id}")]
async fn view(user: Visible<User, Buttons>) -> Json<Shown<User>> {
    Json(user)
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Column {
    Id,
    Username,
    Email,
}

/// The users that the caller may read, by id, unless the client chooses another order.
#[utoipa::path(
    params(ListQuery<Column, i32>),
    responses((status = 200, description = "The users.", body = Rows<Shown<User>>), InvalidQuery),
)]
#[auth_required]
#[get("/users")]
async fn list(
    Query(page): Query<ListQuery<Column, i32>>,
    readable: Accessible<User, Read>,
    database: Data<Database>,
) -> Result<Json<Rows<Shown<User>>>, ServiceError> {
    let is_page = page.is_page();
    let listed = page
        .read(
            readable,
            |page, mut query| {
                if let Some(text) = page.filter() {
                    let username = lower(users::username).like(lower(pattern(text))).escape(ESCAPE);
                    let email = lower(users::email).like(lower(pattern(text))).escape(ESCAPE);
                    query = query.filter(username.or(email));
                }
                if let Some(id) = page.account_id() {
                    query = query.filter(users::account_id.eq(id));
                }
                query
            },
            |page, query| match page.sort_by().unwrap_or(Column::Id) {
                Column::Id => page.sorted(query, users::id),
                Column::Username => page.sorted(query, users::username).then_order_by(users::id),
                Column::Email => page.sorted(query, users::email).then_order_by(users::id),
            },
            &database,
        )
        .await?;
    Ok(Json(Rows::of(listed, is_page)))
}

// Neither the account nor the roles nor the password: those are not part of a profile, and they determine a user's
// permissions.
#[derive(AuthChangeset, Deserialize, ToSchema)]
#[diesel(table_name = users)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChanges {
    #[schema(schema_with = bounds::name)]
    #[serde(default, deserialize_with = "some")]
    pub(super) username: Option<String>,
    #[schema(value_type = bool)]
    #[serde(default, deserialize_with = "some")]
    pub(super) active: Option<bool>,
}

impl Validate for UserChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.username.as_deref().map_or(Ok(()), |name| valid_name("username", name))
    }
}

/// Changes a user. Deactivating one ends the user's log-ins for good: they do not come back with the user. Nobody
/// deactivates themselves.
// Only admins say whether a user with one of the admin roles is active: the last admin would be gone for good.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user.")),
    request_body = UserChanges,
    responses((status = 200, description = "The user.", body = User), InvalidBody, Conflict),
)]
#[permission_required_for_context("update", ctx_arg = "user")]
#[patch("/users/{user_id}")]
async fn change(
    user: User,
    Valid(changes): Valid<UserChanges>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<User>, ServiceError> {
    Ok(Json(update(user, changes, current_user, &database).await?))
}

/// Whether the caller may say whether the user is active, at this moment. The change decides anew.
pub(super) fn may_activate(
    user: &User,
    caller: &LoggedIn,
    connection: &mut Connection,
) -> Result<bool, ServiceError> {
    Ok(user.id != caller.id
        && (caller.has_role(ADMIN) || !has_admin_role(user.id, connection)?)
        && User::check_access(connection, caller, user.id, ACTIVATE)?.is_allowed())
}

/// Changes the user, if the caller still may.
pub(super) async fn update(
    user: User,
    changes: UserChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<User, ServiceError> {
    if changes.active == Some(false) && user.id == current_user.id {
        return Err(ServiceError::Conflict("nobody deactivates themselves: another admin does it"));
    }
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                if changes.active.is_some()
                    && !current_user.has_role(ADMIN)
                    && has_admin_role(user.id, connection)?
                {
                    let rule = OwnRule::new("active of an admin");
                    return Err(current_user.deny(rule.on::<User>(Permission::UPDATE, &user.id)).into());
                }
                let fields = [
                    ("username", changes.username.is_some()),
                    ("activated", changes.active == Some(true)),
                    ("deactivated", changes.active == Some(false)),
                ];
                if let Some(fields) = changed_fields(&fields) {
                    // First, because a user who changes their own name did it under the former.
                    let event = format!("changed the user {}: {fields}", user.id);
                    let affected = Affected::User(Some(user.id), user.account_id);
                    audit::record(&current_user, affected, &event, connection)?;
                    if changes.active == Some(false) {
                        diesel::delete(auth_tokens::table.filter(auth_tokens::user_id.eq(user.id)))
                            .execute(connection)?;
                        diesel::update(users::table.find(user.id))
                            .set(users::log_outs.eq(users::log_outs + 1))
                            .execute(connection)?;
                    }
                }
                User::change(connection, &current_user, user.id, &changes)?;
                Ok(User::load(user.id, connection)?)
            })
        })
        .await
}

fn has_admin_role(user_id: i32, connection: &mut Connection) -> QueryResult<bool> {
    let held = users_roles::table.inner_join(roles::table).filter(users_roles::user_id.eq(user_id));
    let of_admins = held.filter(roles::name.eq_any([ADMIN, ADMIN_READER]));
    diesel::select(exists(of_admins.select(users_roles::user_id))).get_result(connection)
}

// No `Debug`: a password is not for logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    #[schema(schema_with = bounds::email)]
    email: String,
    #[schema(schema_with = bounds::name)]
    username: String,
    #[schema(schema_with = bounds::password)]
    password: String,
}

impl Validate for NewUser {
    fn validate(&self) -> Result<(), ServiceError> {
        valid_email(&self.email)?;
        valid_name("username", &self.username)?;
        valid_password(&self.password)
    }
}

/// Creates a user in an account, without any role.
// Roles are given by [`user_roles::change`](super::user_roles), which has rules of its own.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    request_body = NewUser,
    responses(
        (status = 201, description = "The user.", body = User, headers(("Location" = String))),
        InvalidBody,
        Conflict,
    ),
)]
#[permission_required_for_context("create-children", ctx_arg = "account")]
#[post("/accounts/{account_id}/users")]
async fn create(
    account: Account,
    Valid(user): Valid<NewUser>,
    current_user: CurrentUser<LoggedIn>,
    passwords: Data<Passwords>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let NewUser { email, username, password } = user;
    // As it is compared.
    let email = email.to_ascii_lowercase();
    // No connection is held meanwhile: it takes longer than all the rest.
    let password_hash = passwords.hash_in_turn(password).await?;
    let row = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = Permission::CREATE_CHILDREN;
                Account::authorize_for_update(connection, &current_user, account.id, permission)?;
                diesel::insert_into(users::table)
                    .values((
                        users::account_id.eq(account.id),
                        users::email.eq(&email),
                        users::username.eq(&username),
                        users::password_hash.eq(password_hash.as_str()),
                        users::active.eq(true),
                    ))
                    .execute(connection)
                    .map_err(|error| {
                        ServiceError::or_duplicate(error, "there is a user with this email address already")
                    })?;
                let id = connection.last_id()?;
                let row = User::load(id, connection)?;
                let event = format!("created the user {}, {:?}", row.id, row.username);
                let affected = Affected::User(Some(row.id), account.id);
                audit::record(&current_user, affected, &event, connection)?;
                Ok(row)
            })
        })
        .await?;
    Ok(created(&format!("/users/{}", row.id), row))
}

/// Deletes a user, with roles and log-ins. Nobody deletes themselves.
// The last admin would be gone for good.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user.")),
    responses((status = 204, description = "Done."), InvalidQuery, Conflict),
)]
#[permission_required_for_context("delete", ctx_arg = "user")]
#[delete("/users/{user_id}")]
async fn remove(
    user: Authorized<User, Delete>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    if user.id == current_user.id {
        return Err(ServiceError::Conflict("nobody deletes themselves: another admin does it"));
    }
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit =
                    diesel::delete(User::changeable_by(&current_user, Permission::DELETE).find(user.id))
                        .execute(connection)?;
                User::changed(hit, connection, &current_user, user.id, Permission::DELETE)?;
                let event = format!("deleted the user {}, {:?}", user.id, user.username);
                let affected = Affected::User(None, user.account_id);
                audit::record(&current_user, affected, &event, connection)
            })
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

//! The roles of a user. A caller who may read the user sees them, and one who may change both the user and each of the
//! roles changes them.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{
    get, patch,
    web::{Data, Json, Query},
};
use auth_core::{
    CurrentUser, LoadContext, OwnRule, Permission, ProtectedConfig, Stored, permission_required_for_context,
};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    bounds::{self, ROLES},
    input::{NoParameters, Valid, Validate},
    openapi::{Conflict, InvalidBody, InvalidQuery},
};
use crate::{
    audit::{self, Affected},
    auth::{ACCOUNT_ADMIN, CONSULT, LoggedIn, can_modify_role},
    database::{Connection, Database},
    error::ServiceError,
    models::{Account, User},
    schema::{roles, users_roles},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(change);
}

#[derive(OpenApi)]
#[openapi(paths(list, change))]
pub(super) struct Api;

/// The names of the user's roles.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user.")),
    responses((status = 200, description = "The names of the roles.", body = Vec<String>), InvalidQuery),
)]
#[permission_required_for_context("read", ctx_arg = "user")]
#[get("/users/{user_id}/roles")]
async fn list(
    user: User,
    _: Query<NoParameters>,
    database: Data<Database>,
) -> Result<Json<Vec<String>>, ServiceError> {
    let held = database.run(move |connection| Ok(held(user.id, connection)?)).await?;
    Ok(Json(held.into_keys().collect()))
}

/// Roles by their names.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleChanges {
    #[schema(schema_with = bounds::roles)]
    #[serde(default)]
    pub(super) grant: BTreeSet<String>,
    #[schema(schema_with = bounds::roles)]
    #[serde(default)]
    pub(super) revoke: BTreeSet<String>,
}

impl Validate for RoleChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        let (min, max) = ROLES.into_inner();
        let roles = self.grant.len() + self.revoke.len();
        if roles < min {
            return Err(ServiceError::invalid("there are no roles to `grant` and none to `revoke`"));
        }
        if roles > max {
            return Err(ServiceError::invalid(format!("`grant` and `revoke` have more than {max} roles")));
        }
        if !self.grant.is_disjoint(&self.revoke) {
            return Err(ServiceError::invalid("`grant` and `revoke` name the same role"));
        }
        Ok(())
    }
}

/// Gives and takes roles, all or none, and answers with those that the user has then. A user who is logged in has the new
/// roles from the next request on.
///
/// A role that does not exist is refused as one that may not be changed.
// The guard lets in callers who may change the user. The transaction of the change decides about each of the roles.
#[utoipa::path(
    params(("user_id" = i32, Path, description = "The user.")),
    request_body = RoleChanges,
    responses(
        (status = 200, description = "The names of the roles.", body = Vec<String>),
        InvalidBody,
        Conflict,
    ),
)]
#[permission_required_for_context("update", ctx_arg = "user")]
#[patch("/users/{user_id}/roles")]
async fn change(
    user: User,
    Valid(changes): Valid<RoleChanges>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Vec<String>>, ServiceError> {
    Ok(Json(update(user, changes, current_user, &database).await?))
}

/// Whether the caller may change each of these roles of a user of the account, at this moment.
fn may_change(
    named: &[Option<&str>],
    user: &User,
    account: &Account,
    caller: &CurrentUser<LoggedIn>,
    connection: &mut Connection,
) -> Result<bool, ServiceError> {
    // FlexMeasures' rule knows the consultancy, and not the consultants who are assigned to the account.
    let looks_after = !named.contains(&Some(ACCOUNT_ADMIN))
        || Account::check_access(connection, &**caller, account.id, CONSULT)?.is_allowed();
    Ok(looks_after && can_modify_role(caller, named, user, account))
}

/// A role, for the buttons of a page.
pub(super) struct Role {
    pub(super) name: String,
    /// Whether the user has it.
    pub(super) is_held: bool,
    /// Whether the caller may change that, if the caller may change the user. The change decides anew.
    pub(super) may_change: bool,
}

/// All roles by their names, for a user.
pub(super) fn of_user(
    user: &User,
    caller: &CurrentUser<LoggedIn>,
    connection: &mut Connection,
) -> Result<Vec<Role>, ServiceError> {
    let account = Account::load(user.account_id, connection)?;
    let held = held(user.id, connection)?;
    let names: Vec<String> = roles::table.order(roles::name).select(roles::name).load(connection)?;
    let role = |name: String| {
        let may_change = may_change(&[Some(&name)], user, &account, caller, connection)?;
        Ok(Role { is_held: held.contains_key(&name), may_change, name })
    };
    names.into_iter().map(role).collect()
}

/// Gives and takes the roles, if the caller still may. Returns those that the user has then.
pub(super) async fn update(
    user: User,
    changes: RoleChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Vec<String>, ServiceError> {
    let held = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = Permission::UPDATE;
                let user = User::authorize_for_update(connection, &current_user, user.id, permission)?;
                let account = Account::load(user.account_id, connection)?;
                let known: BTreeMap<String, i32> =
                    roles::table.select((roles::name, roles::id)).load(connection)?.into_iter().collect();
                let RoleChanges { grant, revoke } = &changes;
                let named: Vec<_> = grant
                    .iter()
                    .chain(revoke)
                    .map(|name| known.get_key_value(name).map(|(name, _)| name.as_str()))
                    .collect();
                if !may_change(&named, &user, &account, &current_user, connection)? {
                    let named: Vec<_> = named.into_iter().flatten().collect();
                    let rule = OwnRule::new("can_modify_role").on::<User>(permission, &user.id);
                    return Err(current_user.deny(rule.roles(&named)).into());
                }

                let before = held(user.id, connection)?;
                let mut done = Vec::new();
                for (name, role) in known.iter().filter(|(name, _)| grant.contains(*name)) {
                    if !before.contains_key(name) {
                        diesel::insert_into(users_roles::table)
                            .values((users_roles::user_id.eq(user.id), users_roles::role_id.eq(role)))
                            .execute(connection)
                            .map_err(|error| {
                                ServiceError::or_duplicate(error, "somebody changes these roles as well")
                            })?;
                        done.push(format!("granted {name:?}"));
                    }
                }
                for (name, role) in before.iter().filter(|(name, _)| revoke.contains(*name)) {
                    diesel::delete(users_roles::table.find((user.id, role))).execute(connection)?;
                    done.push(format!("revoked {name:?}"));
                }
                if !done.is_empty() {
                    let event = format!("changed the roles of the user {}: {}", user.id, done.join(", "));
                    let affected = Affected::User(Some(user.id), user.account_id);
                    audit::record(&current_user, affected, &event, connection)?;
                }
                Ok(held(user.id, connection)?)
            })
        })
        .await?;
    Ok(held.into_keys().collect())
}

/// The user's roles by name, with their keys.
fn held(user_id: i32, connection: &mut Connection) -> QueryResult<BTreeMap<String, i32>> {
    let held = users_roles::table.inner_join(roles::table).filter(users_roles::user_id.eq(user_id));
    Ok(held.select((roles::name, roles::id)).load(connection)?.into_iter().collect())
}

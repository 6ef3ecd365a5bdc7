//! Accounts: one by its id, all for admin-readers, and the clients of a consultancy.

use actix_web::{
    get, patch,
    web::{Data, Json, ServiceConfig},
};
use auth_core::{CurrentUser, account_roles_required, permission_required_for_context, roles_required};
use diesel::{
    AsChangeset, ExpressionMethods, OptionalEmptyChangesetExtension, QueryDsl, RunQueryDsl, SelectableHelper,
};
use serde::Deserialize;

use super::{
    guarded,
    input::{Valid, Validate, some, valid_name},
};
use crate::{
    auth::{ADMIN_READER, CONSULTANCY, LoggedIn},
    database::Database,
    error::ServiceError,
    models::Account,
    schema::accounts,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(guarded(list)).service(guarded(clients)).service(guarded(view)).service(guarded(change));
}

#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view(account: Account) -> Json<Account> {
    Json(account)
}

/// The consultancy is missing on purpose: whoever could change it could hand the account to strangers.
#[derive(AsChangeset, Deserialize)]
#[diesel(table_name = accounts)]
#[serde(deny_unknown_fields)]
struct AccountChanges {
    #[serde(default, deserialize_with = "some")]
    name: Option<String>,
}

impl Validate for AccountChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.name.as_deref().map_or(Ok(()), |name| valid_name("name", name))
    }
}

#[permission_required_for_context("update", ctx_arg = "account")]
#[patch("/accounts/{account_id}")]
async fn change(
    account: Account,
    Valid(changes): Valid<AccountChanges>,
    database: Data<Database>,
) -> Result<Json<Account>, ServiceError> {
    let updated = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let row = accounts::table.find(account.id);
                diesel::update(row).set(&changes).execute(connection).optional_empty_changeset()?;
                Ok(row.select(Account::as_select()).first(connection)?)
            })
        })
        .await?;
    Ok(Json(updated))
}

/// All accounts, by id.
#[roles_required(ADMIN_READER)]
#[get("/accounts")]
async fn list(database: Data<Database>) -> Result<Json<Vec<Account>>, ServiceError> {
    let all = database
        .run(|connection| {
            Ok(accounts::table.order(accounts::id).select(Account::as_select()).load(connection)?)
        })
        .await?;
    Ok(Json(all))
}

/// The accounts whose consultancy is the caller's account, by id.
#[account_roles_required(CONSULTANCY)]
#[get("/clients")]
async fn clients(
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Vec<Account>>, ServiceError> {
    let clients = database
        .run(move |connection| {
            let clients =
                accounts::table.filter(accounts::consultancy_account_id.eq(current_user.account_id));
            Ok(clients.order(accounts::id).select(Account::as_select()).load(connection)?)
        })
        .await?;
    Ok(Json(clients))
}

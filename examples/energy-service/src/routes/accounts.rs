//! Accounts: one by its id, the list of them, and the clients of a consultancy.

use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{Data, Json, Query},
};
use auth_core::{
    Accessible, AuthChangeset, Authorized, CurrentUser, LoadContext, Permission, ProtectedConfig, Scoped,
    Stored, Subject, Visible, account_roles_required, auth_required,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{
    EscapeExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, TextExpressionMethods, dsl::exists,
};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    bounds, created,
    input::{NoParameters, Valid, Validate, some, valid_name},
    openapi::{Conflict, InvalidBody, InvalidQuery},
    page::{Buttons, ESCAPE, ListQuery, Listed, Rows, Shown, lower, pattern},
};
use crate::{
    audit::{self, Affected, changed_fields},
    auth::{ADMIN, CONSULTANCY, LoggedIn},
    database::Database,
    error::ServiceError,
    models::{Account, Platform},
    schema::{accounts, assets, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list).service(create).service(clients).service(view).service(change).service(remove);
}

#[derive(OpenApi)]
#[openapi(paths(list, create, clients, view, change, remove))]
pub(super) struct Api;

/// Shows an account.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    responses((status = 200, description = "The account.", body = Shown<Account>)),
)]
#[permission_required_for_context("read", ctx_arg = "account")]
#[get("/accounts/{account_id}")]
async fn view(account: Visible<Account, Buttons>) -> Json<Shown<Account>> {
    Json(account)
}

/// The policy leaves the consultancy to admins: a caller who could change it could hand the account to strangers.
#[derive(AuthChangeset, Deserialize, ToSchema)]
#[diesel(table_name = accounts)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a change")]
pub(super) struct AccountChanges {
    #[schema(schema_with = bounds::name)]
    #[serde(default, deserialize_with = "some")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "some")]
    pub(super) consultancy_account_id: Option<Option<i32>>,
}

impl Validate for AccountChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.name.as_deref().map_or(Ok(()), |name| valid_name("name", name))
    }
}

/// Changes an account.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    request_body = AccountChanges,
    responses((status = 200, description = "The account.", body = Account), InvalidBody),
)]
#[permission_required_for_context("update", ctx_arg = "account")]
#[patch("/accounts/{account_id}")]
async fn change(
    account: Account,
    Valid(changes): Valid<AccountChanges>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Account>, ServiceError> {
    Ok(Json(update(account.id, changes, current_user, &database).await?))
}

/// Changes the account, if the caller still may.
pub(super) async fn update(
    id: i32,
    changes: AccountChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Account, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                Account::change(connection, &current_user, id, &changes).map_err(|error| {
                    ServiceError::or_missing(error, "consultancy_account_id", "is not an account")
                })?;
                let fields = [
                    ("name", changes.name.is_some()),
                    ("consultancy", changes.consultancy_account_id.is_some()),
                ];
                if let Some(fields) = changed_fields(&fields) {
                    let event = format!("changed the account {id}: {fields}");
                    audit::record(&current_user, Affected::Account(Some(id)), &event, connection)?;
                }
                Ok(Account::load(id, connection)?)
            })
        })
        .await
}

#[derive(AuthChangeset, Deserialize, ToSchema)]
#[diesel(table_name = accounts)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    #[schema(schema_with = bounds::name)]
    name: String,
    consultancy_account_id: Option<i32>,
}

impl Validate for NewAccount {
    fn validate(&self) -> Result<(), ServiceError> {
        valid_name("name", &self.name)
    }
}

/// Creates an account. An account that a consultant creates becomes a client of the consultant's own account; admins name
/// any consultancy or none.
#[utoipa::path(
    request_body = NewAccount,
    responses(
        (status = 201, description = "The account.", body = Account, headers(("Location" = String))),
        InvalidBody,
    ),
)]
#[permission_required_for_context("create-children", ctx = Platform, id = ())]
#[post("/accounts")]
async fn create(
    Valid(mut account): Valid<NewAccount>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    if !current_user.has_role(ADMIN) {
        // The policy lets nobody hand a new account to strangers, or be strangers' consultant.
        account.consultancy_account_id.get_or_insert(current_user.account_id);
    }
    let account: Account = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let account = Account::create(connection, &current_user, &account).map_err(|error| {
                    match ServiceError::or_missing(error, "consultancy_account_id", "is not an account") {
                        // Of the accounts of others, a caller does not learn which there are.
                        ServiceError::InvalidField { .. } if !current_user.has_role(ADMIN) => {
                            current_user.deny("consultancy of a new account").into()
                        }
                        error => error,
                    }
                })?;
                let event = format!("created the account {}, {:?}", account.id, account.name);
                audit::record(&current_user, Affected::Account(Some(account.id)), &event, connection)?;
                Ok(account)
            })
        })
        .await?;
    Ok(created(&format!("/accounts/{}", account.id), account))
}

/// Deletes an account that has neither users nor assets any more. Its clients are left without a consultancy.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    responses((status = 204, description = "Done."), InvalidQuery, Conflict),
)]
#[permission_required_for_context("delete", ctx_arg = "account")]
#[delete("/accounts/{account_id}")]
async fn remove(
    account: Authorized<Account, Delete>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let in_use = diesel::select((
                    exists(users::table.filter(users::account_id.eq(account.id)).select(users::id)),
                    exists(assets::table.filter(assets::account_id.eq(account.id)).select(assets::id)),
                ));
                if in_use.get_result::<(bool, bool)>(connection)? != (false, false) {
                    return Err(ServiceError::Conflict(IN_USE));
                }
                let hit = diesel::delete(
                    Account::changeable_by(&current_user, Permission::DELETE).find(account.id),
                )
                .execute(connection)
                // Another request was faster than the look for references.
                .map_err(|error| ServiceError::or_in_use(error, IN_USE))?;
                Account::changed(hit, connection, &current_user, account.id, Permission::DELETE)?;
                let event = format!("deleted the account {}, {:?}", account.id, account.name);
                audit::record(&current_user, Affected::Account(None), &event, connection)
            })
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

const IN_USE: &str = "the account still has users or assets: delete those first";

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Column {
    Id,
    Name,
}

/// The accounts that the caller may read, by id, unless the client chooses another order.
#[utoipa::path(
    params(ListQuery<Column>),
    responses(
        (status = 200, description = "The accounts.", body = Rows<Shown<Account>>),
        InvalidQuery,
    ),
)]
#[auth_required]
#[get("/accounts")]
async fn list(
    Query(page): Query<ListQuery<Column>>,
    readable: Accessible<Account, Read>,
    database: Data<Database>,
) -> Result<Json<Rows<Shown<Account>>>, ServiceError> {
    let is_page = page.is_page();
    Ok(Json(Rows::of(read_page(readable, page, &database).await?, is_page)))
}

pub(super) async fn read_page(
    readable: Accessible<Account, Read>,
    page: ListQuery<Column>,
    database: &Database,
) -> Result<Listed<Shown<Account>>, ServiceError> {
    page.read(
        readable,
        |page, mut query| {
            if let Some(text) = page.filter() {
                query = query.filter(lower(accounts::name).like(lower(pattern(text))).escape(ESCAPE));
            }
            query
        },
        |page, query| match page.sort_by().unwrap_or(Column::Id) {
            Column::Id => page.sorted(query, accounts::id),
            Column::Name => page.sorted(query, accounts::name).then_order_by(accounts::id),
        },
        database,
    )
    .await
}

/// `utoipa` takes no parameter within a list.
type ShownAccount = Shown<Account>;

/// The accounts whose consultancy is the caller's account, as far as the caller may read them, by id.
#[utoipa::path(responses((status = 200, description = "The accounts.", body = Vec<ShownAccount>)))]
#[account_roles_required(CONSULTANCY)]
#[get("/clients")]
async fn clients(
    readable: Accessible<Account, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Vec<Shown<Account>>>, ServiceError> {
    let clients = database
        .run(move |connection| {
            let own = accounts::consultancy_account_id.eq(current_user.account_id);
            Ok(readable.visible::<Buttons>().filter(own).order(accounts::id).load(connection)?)
        })
        .await?;
    Ok(Json(clients))
}

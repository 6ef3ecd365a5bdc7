//! The consultants of an account: all of its consultancy, or those who are assigned to it.

use actix_web::{
    get, put,
    web::{Data, Json, Path, Query},
};
use auth_core::{CurrentUser, ProtectedConfig, Scoped, Stored, permission_required_for_context};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, dsl::exists};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    input::{NoParameters, Valid, Validate},
    openapi::{InvalidBody, InvalidQuery},
};
use crate::{
    audit::{self, Affected},
    auth::{ASSIGN_CONSULTANTS, LoggedIn, confirm},
    database::{Connection, Database},
    error::ServiceError,
    models::Account,
    schema::{accounts, assigned_consultants, users},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(view).service(change).service(assign);
}

#[derive(OpenApi)]
#[openapi(paths(view, change, assign))]
pub(super) struct Api;

/// A consultant who looks after an account.
#[derive(Serialize, ToSchema)]
struct Consultants {
    /// Whether only those who are assigned look after the account, or all consultants of its consultancy.
    assigned_only: bool,
    /// The users who are assigned, by id.
    assigned: Vec<i32>,
}

impl Consultants {
    fn of(account_id: i32, connection: &mut Connection) -> QueryResult<Self> {
        let account = accounts::table.find(account_id).select(accounts::assigned_consultants_only);
        let assigned = assigned_consultants::table.filter(assigned_consultants::account_id.eq(account_id));
        Ok(Self {
            assigned_only: account.first(connection)?,
            assigned: assigned
                .order(assigned_consultants::user_id)
                .select(assigned_consultants::user_id)
                .load(connection)?,
        })
    }
}

/// Which consultants of its consultancy look after an account.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    responses((status = 200, description = "The consultants.", body = Consultants), InvalidQuery),
)]
#[permission_required_for_context(ASSIGN_CONSULTANTS, ctx_arg = "account")]
#[get("/accounts/{account_id}/consultants")]
async fn view(
    account: Account,
    _: Query<NoParameters>,
    database: Data<Database>,
) -> Result<Json<Consultants>, ServiceError> {
    let read = move |connection: &mut Connection| {
        connection.read_transaction(|connection| Ok(Consultants::of(account.id, connection)?))
    };
    Ok(Json(database.run(read).await?))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restriction {
    assigned_only: bool,
}

impl Validate for Restriction {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// Says whether only those consultants look after an account who are assigned to it.
#[utoipa::path(
    params(("account_id" = i32, Path, description = "The account.")),
    request_body = Restriction,
    responses((status = 200, description = "The consultants.", body = Consultants), InvalidBody),
)]
#[permission_required_for_context(ASSIGN_CONSULTANTS, ctx_arg = "account")]
#[put("/accounts/{account_id}/consultants")]
async fn change(
    account: Account,
    Valid(Restriction { assigned_only }): Valid<Restriction>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Consultants>, ServiceError> {
    let id = account.id;
    let consultants = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit = diesel::update(Account::changeable_by(&current_user, ASSIGN_CONSULTANTS).find(id))
                    .set(accounts::assigned_consultants_only.eq(assigned_only))
                    .execute(connection)?;
                Account::changed(hit, connection, &current_user, id, ASSIGN_CONSULTANTS)?;
                let who = if assigned_only { "those alone who are assigned" } else { "all consultants" };
                let event = format!("the account {id} is looked after by {who}");
                audit::record(&current_user, Affected::Account(Some(id)), &event, connection)?;
                Ok(Consultants::of(id, connection)?)
            })
        })
        .await?;
    Ok(Json(consultants))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    assigned: bool,
}

impl Validate for Assignment {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// Says whether a user of the consultancy is assigned to an account.
// The answer is the same about a user of another account and about one who is not there.
#[utoipa::path(
    params(
        ("account_id" = i32, Path, description = "The account."),
        ("user_id" = i32, Path, description = "A user of its consultancy."),
    ),
    request_body = Assignment,
    responses((status = 200, description = "The consultants.", body = Consultants), InvalidBody),
)]
#[permission_required_for_context(ASSIGN_CONSULTANTS, ctx_arg = "account")]
#[put("/accounts/{account_id}/consultants/{user_id}")]
async fn assign(
    account: Account,
    path: Path<(i32, i32)>,
    Valid(Assignment { assigned }): Valid<Assignment>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Consultants>, ServiceError> {
    let (_, user_id) = path.into_inner();
    let consultants = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = ASSIGN_CONSULTANTS;
                let account =
                    Account::authorize_for_update(connection, &current_user, account.id, permission)?;
                let assignment = assigned_consultants::table.find((account.id, user_id));
                let is_assigned = exists(assignment.select(assigned_consultants::user_id));
                if diesel::select(is_assigned).get_result::<bool>(connection)? == assigned {
                    confirm(&current_user, connection)?;
                    return Ok(Consultants::of(account.id, connection)?);
                }
                let event = if assigned {
                    if !is_of_consultancy(user_id, &account, connection)? {
                        return Err(ServiceError::NotFound);
                    }
                    let row = (
                        assigned_consultants::account_id.eq(account.id),
                        assigned_consultants::user_id.eq(user_id),
                    );
                    diesel::insert_into(assigned_consultants::table).values(row).execute(connection)?;
                    format!("assigned the user {user_id} to the account {}", account.id)
                } else {
                    diesel::delete(assignment).execute(connection)?;
                    format!("withdrew the user {user_id} from the account {}", account.id)
                };
                // In the log of the consultancy, which assigns them.
                let affected = Affected::Account(account.consultancy_account_id);
                audit::record(&current_user, affected, &event, connection)?;
                Ok(Consultants::of(account.id, connection)?)
            })
        })
        .await?;
    Ok(Json(consultants))
}

fn is_of_consultancy(user_id: i32, account: &Account, connection: &mut Connection) -> QueryResult<bool> {
    let users = users::table
        .filter(users::id.eq(user_id))
        .filter(users::account_id.eq_any(account.consultancy_account_id));
    diesel::select(exists(users.select(users::id))).get_result(connection)
}

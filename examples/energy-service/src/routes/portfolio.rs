//! The portfolio: what an account that produces or sells energy has, at a glance.

use actix_web::{
    get,
    web::{Data, Json},
};
use auth_core::{CurrentUser, ProtectedConfig, account_roles_accepted};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl, SelectableHelper, dsl::count,
};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::{
    auth::{LoggedIn, PROSUMER, SUPPLIER},
    database::Database,
    error::ServiceError,
    models::Asset,
    schema::{assets, sensors},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(portfolio);
}

#[derive(OpenApi)]
#[openapi(paths(portfolio))]
pub(super) struct Api;

#[derive(Serialize, ToSchema)]
struct Holding {
    #[serde(flatten)]
    asset: Asset,
    number_of_sensors: i64,
}

/// The assets of the caller's account, by name, with the number of their sensors.
// Every member may read these, so the account is all that the query has to ask for.
#[utoipa::path(responses((status = 200, description = "The assets.", body = Vec<Holding>)))]
#[account_roles_accepted(PROSUMER, SUPPLIER)]
#[get("/portfolio")]
async fn portfolio(
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Vec<Holding>>, ServiceError> {
    let rows: Vec<(Asset, i64)> = database
        .run(move |connection| {
            Ok(assets::table
                .left_join(sensors::table)
                .filter(assets::account_id.eq(current_user.account_id))
                .group_by(assets::id)
                .order((assets::name, assets::id))
                .select((Asset::as_select(), count(sensors::id.nullable())))
                .load(connection)?)
        })
        .await?;
    Ok(Json(
        rows.into_iter().map(|(asset, number_of_sensors)| Holding { asset, number_of_sensors }).collect(),
    ))
}

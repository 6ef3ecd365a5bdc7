//! The portfolio: the assets of an account that produces or sells energy, at a glance.

use std::collections::HashMap;

use actix_web::{
    get,
    web::{Data, Json},
};
use auth_core::{Accessible, CurrentUser, ProtectedConfig, account_roles_accepted, permission::Read};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, dsl::count_star};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::page::{Buttons, Shown};
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
    asset: Shown<Asset>,
    number_of_sensors: i64,
}

/// The assets of the caller's account, by name, with the number of their sensors.
// The policy of a sensor is that of its asset, so the numbers need no condition of their own.
#[utoipa::path(responses((status = 200, description = "The assets.", body = Vec<Holding>)))]
#[account_roles_accepted(PROSUMER, SUPPLIER)]
#[get("/portfolio")]
async fn portfolio(
    readable: Accessible<Asset, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Vec<Holding>>, ServiceError> {
    let holdings = database
        .run(move |connection| {
            connection.read_transaction(|connection| {
                let own = assets::account_id.eq(current_user.account_id);
                let held = readable.visible::<Buttons>().filter(own).order((assets::name, assets::id));
                let held: Vec<Shown<Asset>> = held.load(connection)?;
                let numbers: HashMap<i32, i64> = sensors::table
                    .filter(sensors::asset_id.eq_any(held.iter().map(|asset| asset.id)))
                    .group_by(sensors::asset_id)
                    .select((sensors::asset_id, count_star()))
                    .load(connection)?
                    .into_iter()
                    .collect();
                let holding = |asset: Shown<Asset>| {
                    let number_of_sensors = numbers.get(&asset.id).copied().unwrap_or_default();
                    Holding { asset, number_of_sensors }
                };
                Ok(held.into_iter().map(holding).collect())
            })
        })
        .await?;
    Ok(Json(holdings))
}

//! The roles that users may have.

use actix_web::{
    get,
    web::{Data, Json},
};
use auth_core::{ProtectedConfig, roles_accepted};
use diesel::{QueryDsl, Queryable, RunQueryDsl, Selectable, SelectableHelper};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::{
    auth::{ACCOUNT_ADMIN, CONSULTANT},
    database::{Backend, Database},
    error::ServiceError,
    schema::roles,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(list);
}

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Api;

#[derive(Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = roles, check_for_backend(Backend))]
struct Role {
    id: i32,
    name: String,
}

/// All roles, by name, for those who have to do with other people's roles.
// Under no policy: they are the same for all accounts, and belong to none.
#[utoipa::path(responses((status = 200, description = "The roles.", body = Vec<Role>)))]
#[roles_accepted(ACCOUNT_ADMIN, CONSULTANT)]
#[get("/roles")]
async fn list(database: Data<Database>) -> Result<Json<Vec<Role>>, ServiceError> {
    let all = database
        .run(|connection| Ok(roles::table.order(roles::name).select(Role::as_select()).load(connection)?))
        .await?;
    Ok(Json(all))
}

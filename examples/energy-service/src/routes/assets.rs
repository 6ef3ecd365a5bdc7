//! Assets, and the sensors that are added to them.

use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{Data, Json, Query},
};
use auth_core::{
    Accessible, AuthChangeset, Authorized, CurrentUser, LoadContext, Permission, ProtectedConfig, Scoped,
    Stored, Visible, auth_required, check_access,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, Insertable, QueryDsl, RunQueryDsl,
    TextExpressionMethods,
};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    asset_bodies::{AssetBody, AssetPatch, Documents},
    bounds, created,
    input::{NoParameters, Valid, Validate, valid_location, valid_name, valid_resolution, valid_unit},
    narrowing::{Narrowing, Parameters, only},
    no_content,
    openapi::{InvalidBody, InvalidQuery, Refused},
    page::{Buttons, ESCAPE, ListQuery, Listed, Never, Rows, Shown, lower, pattern},
    sensors::Details,
};
use crate::{
    audit::{self, Affected, changed_fields},
    auth::{LoggedIn, SHARE},
    database::Database,
    error::ServiceError,
    models::{Account, Asset, AssetOfAccount, PublicAssets, Sensor},
    schema::assets,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(view)
        .service(view_in_account)
        .service(change)
        .service(remove)
        .service(create_sensor);
}

#[derive(OpenApi)]
#[openapi(paths(list, create, view, view_in_account, change, remove, create_sensor))]
pub(super) struct Api;

/// Shows an asset.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    responses((status = 200, description = "The asset.", body = Shown<Asset>)),
)]
#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}")]
async fn view(asset: Visible<Asset, Buttons>) -> Json<Shown<Asset>> {
    Json(asset)
}

/// Shows an asset below its account.
// The key has two parts, so an asset is never shown under another account.
#[utoipa::path(
    params(
        ("account_id" = i32, Path, description = "The account."),
        ("asset_id" = i32, Path, description = "The asset."),
    ),
    responses((status = 200, description = "The asset.", body = Asset)),
)]
#[permission_required_for_context("read", ctx_arg = "asset", id = ("account_id", "asset_id"))]
#[get("/accounts/{account_id}/assets/{asset_id}")]
async fn view_in_account(asset: AssetOfAccount) -> Json<Asset> {
    Json(asset.asset)
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Column {
    Id,
    Name,
}

/// The assets that the caller may read, by id, unless the client chooses another order.
#[utoipa::path(
    params(ListQuery<Column, i32, Never, String>),
    responses((status = 200, description = "The assets.", body = Rows<Shown<Asset>>), InvalidQuery, Refused),
)]
#[auth_required]
#[get("/assets")]
async fn list(
    Query(page): Query<ListQuery<Column, i32, Never, String>>,
    readable: Accessible<Asset, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let parameters = Parameters::of(&page)?;
    let narrowing = parameters.narrowing(page.account_id(), &readable, &current_user, &database).await?;
    let is_page = page.is_page();
    let rows = Rows::of(read_narrowed(readable, page, narrowing, &database).await?, is_page);
    Ok(match parameters.fields() {
        Some(fields) => HttpResponse::Ok().json(rows.try_map(|asset| only(&asset, fields))?),
        None => HttpResponse::Ok().json(rows),
    })
}

pub(super) async fn read_page(
    readable: Accessible<Asset, Read>,
    page: ListQuery<Column, i32>,
    database: &Database,
) -> Result<Listed<Shown<Asset>>, ServiceError> {
    let narrowing = Narrowing { account: page.account_id(), public: page.account_id().is_none(), tree: None };
    read_narrowed(readable, page, narrowing, database).await
}

async fn read_narrowed<T: Send + 'static>(
    readable: Accessible<Asset, Read>,
    page: ListQuery<Column, i32, Never, T>,
    narrowing: Narrowing,
    database: &Database,
) -> Result<Listed<Shown<Asset>>, ServiceError> {
    page.read(
        readable,
        move |page, mut query| {
            if let Some(text) = page.filter() {
                query = query.filter(lower(assets::name).like(lower(pattern(text))).escape(ESCAPE));
            }
            query = match (narrowing.account, narrowing.public) {
                (Some(id), true) => query.filter(assets::account_id.eq(id).or(assets::account_id.is_null())),
                (Some(id), false) => query.filter(assets::account_id.eq(id)),
                (None, true) => query,
                (None, false) => query.filter(assets::account_id.is_not_null()),
            };
            if let Some(ids) = &narrowing.tree {
                query = query.filter(assets::id.eq_any(ids.clone()));
            }
            query
        },
        |page, query| match page.sort_by().unwrap_or(Column::Id) {
            Column::Id => page.sorted(query, assets::id),
            Column::Name => page.sorted(query, assets::name).then_order_by(assets::id),
        },
        database,
    )
    .await
}

/// The columns that people write, too.
#[derive(Insertable)]
#[diesel(table_name = assets)]
pub(super) struct NewAsset {
    pub(super) name: String,
    pub(super) account_id: Option<i32>,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) parent_asset_id: Option<i32>,
    pub(super) inherits_access: bool,
}

impl Validate for NewAsset {
    fn validate(&self) -> Result<(), ServiceError> {
        valid_name("name", &self.name)?;
        valid_location(self.latitude, self.longitude)
    }
}

/// Creates an asset in the account that the body names, below the asset that the body names; without an
/// account it becomes public.
#[utoipa::path(
    request_body = AssetBody,
    responses(
        (status = 201, description = "The asset.", body = Asset, headers(("Location" = String))),
        InvalidBody,
        Refused,
    ),
)]
#[permission_required_for_context("read", ctx_loader = AssetBody::sensors(asset, connection), allow_empty = true)]
#[post("/assets")]
async fn create(
    Valid(asset): Valid<AssetBody>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let (asset, documents) = asset.split()?;
    let row = insert_all(asset, documents, current_user, &database).await?;
    Ok(created(&format!("/assets/{}", row.id), row))
}

/// Inserts an asset without documents, if the caller may create it where it says.
pub(super) async fn insert(
    asset: NewAsset,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Asset, ServiceError> {
    insert_all(asset, Documents::default(), current_user, database).await
}

/// Inserts an asset, if the caller may create it where it says. A guard has checked the sensors of the documents.
///
/// A guard cannot look into the body before it knows that the caller may send it. So this function calls the library
/// itself, in the transaction that inserts, for every object that the body refers to: one without a check would be a way
/// into another account's data. The answers are those of a guard.
async fn insert_all(
    asset: NewAsset,
    documents: Documents,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Asset, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = Permission::CREATE_CHILDREN;
                match asset.account_id {
                    Some(id) => {
                        drop(Account::authorize_for_update(connection, &current_user, id, permission)?);
                    }
                    None => check_access(&*current_user, &PublicAssets, permission).into_result()?,
                }
                if let Some(id) = asset.parent_asset_id {
                    Asset::authorize_for_update(connection, &current_user, id, permission)?;
                }
                diesel::insert_into(assets::table).values((&asset, &documents)).execute(connection)?;
                let id = connection.last_id()?;
                if asset.inherits_access {
                    Asset::check_access(connection, &*current_user, id, SHARE)?.into_result()?;
                }
                let event = format!("created the asset {id}, {:?}", asset.name);
                audit::record(&current_user, Affected::Asset(Some(id)), &event, connection)?;
                Ok(Asset::load(id, connection)?)
            })
        })
        .await
}

// Neither the account nor the parent: to move an asset is to create it elsewhere.
#[derive(AuthChangeset)]
#[diesel(table_name = assets)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a change")]
pub(super) struct AssetChanges {
    pub(super) name: Option<String>,
    pub(super) latitude: Option<Option<f64>>,
    pub(super) longitude: Option<Option<f64>>,
}

impl Validate for AssetChanges {
    fn validate(&self) -> Result<(), ServiceError> {
        self.name.as_deref().map_or(Ok(()), |name| valid_name("name", name))?;
        valid_location(self.latitude.flatten(), self.longitude.flatten())
    }
}

/// Changes an asset.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = AssetPatch,
    responses((status = 200, description = "The asset.", body = Asset), InvalidBody),
)]
#[permission_required_for_context("update", ctx_arg = "asset")]
#[permission_required_for_context("read", ctx_loader = AssetPatch::sensors(changes, connection), allow_empty = true)]
#[patch("/assets/{asset_id}")]
async fn change(
    asset: Asset,
    Valid(changes): Valid<AssetPatch>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Asset>, ServiceError> {
    let (changes, documents) = changes.split()?;
    Ok(Json(update_all(asset.id, changes, documents, current_user, &database).await?))
}

/// Changes an asset, but none of its documents, under the condition of its policy.
pub(super) async fn update(
    id: i32,
    changes: AssetChanges,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Asset, ServiceError> {
    update_all(id, changes, Documents::default(), current_user, database).await
}

/// Changes an asset under the condition of its policy. A guard has checked the sensors of the documents.
async fn update_all(
    id: i32,
    changes: AssetChanges,
    documents: Documents,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Asset, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let mut fields = vec![
                    ("name", changes.name.is_some()),
                    ("latitude", changes.latitude.is_some()),
                    ("longitude", changes.longitude.is_some()),
                ];
                fields.extend(documents.fields());
                Asset::change(connection, &current_user, id, &changes)?;
                Asset::change(connection, &current_user, id, &documents)?;
                if let Some(fields) = changed_fields(&fields) {
                    let event = format!("changed the asset {id}: {fields}");
                    audit::record(&current_user, Affected::Asset(Some(id)), &event, connection)?;
                }
                Ok(Asset::load(id, connection)?)
            })
        })
        .await
}

/// Deletes an asset with its sensors and their measurements. Assets that are parts of it stay.
// The argument is a proof: it does not compile when its guard checks another permission than `delete`.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    responses((status = 204, description = "Done."), InvalidQuery),
)]
#[permission_required_for_context("delete", ctx_arg = "asset")]
#[delete("/assets/{asset_id}")]
async fn remove(
    asset: Authorized<Asset, Delete>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    delete(asset, current_user, &database).await?;
    Ok(no_content())
}

/// Deletes an asset with its sensors and their measurements, under the condition of its policy. Assets that are parts
/// of it stay.
pub(super) async fn delete(
    asset: Authorized<Asset, Delete>,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<(), ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit =
                    diesel::delete(Asset::changeable_by(&current_user, Permission::DELETE).find(asset.id))
                        .execute(connection)?;
                Asset::changed(hit, connection, &current_user, asset.id, Permission::DELETE)?;
                let event = format!("deleted the asset {}, {:?}", asset.id, asset.name);
                audit::record(&current_user, Affected::Asset(None), &event, connection)
            })
        })
        .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSensor {
    #[schema(schema_with = bounds::name)]
    pub(super) name: String,
    #[schema(schema_with = bounds::unit)]
    pub(super) unit: String,
    #[schema(schema_with = bounds::resolution)]
    pub(super) event_resolution_minutes: i32,
}

impl Validate for NewSensor {
    fn validate(&self) -> Result<(), ServiceError> {
        valid_name("name", &self.name)?;
        valid_unit(&self.unit)?;
        valid_resolution(self.event_resolution_minutes)
    }
}

/// Creates a sensor at an asset.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = NewSensor,
    responses(
        (status = 201, description = "The sensor.", body = Sensor, headers(("Location" = String))),
        InvalidBody,
    ),
)]
#[permission_required_for_context("create-children", ctx_arg = "asset")]
#[post("/assets/{asset_id}/sensors")]
async fn create_sensor(
    asset: Asset,
    Valid(sensor): Valid<NewSensor>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let row = insert_sensor(asset.id, sensor, current_user, &database).await?;
    Ok(created(&format!("/sensors/{}", row.id), row))
}

/// Adds a sensor to an asset, if the caller may.
pub(super) async fn insert_sensor(
    asset_id: i32,
    sensor: NewSensor,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Sensor, ServiceError> {
    super::sensors::insert(asset_id, sensor, Details::default(), current_user, database).await
}

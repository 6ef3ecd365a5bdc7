//! With whom an asset is shared, and whether it inherits the readers of the asset of which it is a part.

use actix_web::{
    HttpResponse, delete, get, put,
    web::{Data, Json, Path, Query},
};
use auth_core::{
    Accessible, Authorized, CurrentUser, LoadContext, Permission, ProtectedConfig, Scoped, Stored,
    permission::{Delete, Read},
    permission_required_for_context,
};
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, SelectableHelper,
    dsl::sql,
    sql_types::{Nullable, Timestamp},
};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use super::{
    audit_log::Page,
    input::{NoParameters, Valid, Validate},
    openapi::{InvalidBody, InvalidQuery},
};
use crate::{
    audit::{self, Affected},
    auth::{LoggedIn, SHARE},
    database::{Connection, Database, Datetime, Instant},
    error::ServiceError,
    models::{Asset, AssetShare},
    schema::{asset_shares, assets},
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config
        .service(list)
        .service(share_with_user)
        .service(share_with_account)
        .service(revoke_from_user)
        .service(revoke_from_account)
        .service(give_up)
        .service(set_inheritance);
}

#[derive(OpenApi)]
#[openapi(paths(
    list,
    share_with_user,
    share_with_account,
    revoke_from_user,
    revoke_from_account,
    give_up,
    set_inheritance,
))]
pub(super) struct Api;

/// The shares of an asset that the caller may read, the latest first: all of them, if the caller may share it, and otherwise those
/// with the caller. Those that have ended are among them.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset."), Page),
    responses((status = 200, description = "The shares.", body = Vec<AssetShare>), InvalidQuery),
)]
#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}/shares")]
async fn list(
    asset: Asset,
    Query(page): Query<Page>,
    readable: Accessible<AssetShare, Read>,
    database: Data<Database>,
) -> Result<Json<Vec<AssetShare>>, ServiceError> {
    let (before, limit) = page.bounds()?;
    let shares = readable
        .query()
        .filter(asset_shares::asset_id.eq(asset.id))
        .filter(asset_shares::id.lt(before))
        .order(asset_shares::id.desc())
        .limit(limit);
    Ok(Json(database.run(move |connection| Ok(shares.load(connection)?)).await?))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    /// Whether they may change the asset as well.
    #[serde(default)]
    pub(super) can_update: bool,
    /// The moment at which the share ends. Without one it has no end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) expires_at: Option<Instant>,
}

impl Validate for Terms {
    fn validate(&self) -> Result<(), ServiceError> {
        if self.expires_at.is_some_and(|end| end <= Instant::now()) {
            return Err(ServiceError::invalid_field("expires_at", "is past"));
        }
        Ok(())
    }
}

/// Shares an asset with a user, or replaces the share: what the body leaves out is not kept.
// The answer tells whether there is such a user, as `GET /users/{user_id}` does, which answers 404 or 403.
#[utoipa::path(
    params(
        ("asset_id" = i32, Path, description = "The asset."),
        ("user_id" = i32, Path, description = "The user."),
    ),
    request_body = Terms,
    responses((status = 200, description = "The share.", body = AssetShare), InvalidBody),
)]
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[put("/assets/{asset_id}/shares/users/{user_id}")]
async fn share_with_user(
    asset: Asset,
    path: Path<(i32, i32)>,
    Valid(terms): Valid<Terms>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<AssetShare>, ServiceError> {
    let (_, user_id) = path.into_inner();
    Ok(Json(share(asset.id, Receiver::User(user_id), terms, current_user, &database).await?))
}

/// Shares an asset with all users of an account, or replaces the share: what the body leaves out is not kept.
#[utoipa::path(
    params(
        ("asset_id" = i32, Path, description = "The asset."),
        ("account_id" = i32, Path, description = "The account."),
    ),
    request_body = Terms,
    responses((status = 200, description = "The share.", body = AssetShare), InvalidBody),
)]
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[put("/assets/{asset_id}/shares/accounts/{account_id}")]
async fn share_with_account(
    asset: Asset,
    path: Path<(i32, i32)>,
    Valid(terms): Valid<Terms>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<AssetShare>, ServiceError> {
    let (_, account_id) = path.into_inner();
    Ok(Json(share(asset.id, Receiver::Account(account_id), terms, current_user, &database).await?))
}

/// Takes the share with a user back. It ends with the next request.
#[utoipa::path(
    params(
        ("asset_id" = i32, Path, description = "The asset."),
        ("user_id" = i32, Path, description = "The user."),
    ),
    responses((status = 204, description = "Done."), InvalidQuery),
)]
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[delete("/assets/{asset_id}/shares/users/{user_id}")]
async fn revoke_from_user(
    asset: Asset,
    path: Path<(i32, i32)>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let (_, user_id) = path.into_inner();
    revoke(asset.id, Receiver::User(user_id), current_user, &database).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes the share with an account back. It ends with the next request.
#[utoipa::path(
    params(
        ("asset_id" = i32, Path, description = "The asset."),
        ("account_id" = i32, Path, description = "The account."),
    ),
    responses((status = 204, description = "Done."), InvalidQuery),
)]
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[delete("/assets/{asset_id}/shares/accounts/{account_id}")]
async fn revoke_from_account(
    asset: Asset,
    path: Path<(i32, i32)>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    let (_, account_id) = path.into_inner();
    revoke(asset.id, Receiver::Account(account_id), current_user, &database).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends a share: by those who may share the asset, by its user, or by an admin of its account.
#[utoipa::path(
    params(("asset_share_id" = i32, Path, description = "The share.")),
    responses((status = 204, description = "Done."), InvalidQuery),
)]
#[permission_required_for_context("delete", ctx_arg = "share", id = "asset_share_id")]
#[delete("/asset-shares/{asset_share_id}")]
async fn give_up(
    share: Authorized<AssetShare, Delete>,
    _: Query<NoParameters>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, ServiceError> {
    end(share, current_user, &database).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// With whom an asset is shared: never with both at once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Receiver {
    User(i32),
    Account(i32),
}

impl Receiver {
    /// The columns `user_id` and `account_id`.
    fn columns(self) -> (Option<i32>, Option<i32>) {
        match self {
            Self::User(id) => (Some(id), None),
            Self::Account(id) => (None, Some(id)),
        }
    }

    fn of(share: &AssetShare) -> Option<Self> {
        share.user_id.map(Self::User).or(share.account_id.map(Self::Account))
    }

    fn in_words(self) -> String {
        match self {
            Self::User(id) => format!("the user {id}"),
            Self::Account(id) => format!("the account {id}"),
        }
    }

    /// Deletes the share with it, if there is one that the user may take back.
    fn delete_share(
        self,
        asset_id: i32,
        subject: &LoggedIn,
        connection: &mut Connection,
    ) -> QueryResult<usize> {
        let shares = AssetShare::changeable_by(subject, Permission::DELETE)
            .filter(asset_shares::asset_id.eq(asset_id));
        let of_receiver = match self {
            Self::User(id) => shares.filter(asset_shares::user_id.eq(id)),
            Self::Account(id) => shares.filter(asset_shares::account_id.eq(id)),
        };
        diesel::delete(of_receiver).execute(connection)
    }
}

/// Replaces the share of the asset with the receiver by one on these terms, if the caller may still share the asset.
pub(super) async fn share(
    asset_id: i32,
    receiver: Receiver,
    terms: Terms,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<AssetShare, ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                Asset::authorize_for_update(connection, &current_user, asset_id, SHARE)?;
                receiver.delete_share(asset_id, &current_user, connection)?;
                let (user_id, account_id) = receiver.columns();
                // Bound as our own type: diesel's reaches MariaDB as one that ends in 2038, and a later end would be none.
                let expires_at =
                    sql::<Nullable<Timestamp>>("").bind::<Nullable<Datetime>, _>(terms.expires_at);
                diesel::insert_into(asset_shares::table)
                    .values((
                        asset_shares::asset_id.eq(asset_id),
                        asset_shares::user_id.eq(user_id),
                        asset_shares::account_id.eq(account_id),
                        asset_shares::can_update.eq(terms.can_update),
                        asset_shares::expires_at.eq(expires_at),
                    ))
                    .execute(connection)?;
                let id = connection.last_id()?;
                let level = if terms.can_update { ", who may change it" } else { "" };
                let end = match terms.expires_at {
                    Some(Instant(end)) => format!(", until {}", end.and_utc().to_rfc3339()),
                    None => String::new(),
                };
                let event = format!("shared the asset {asset_id} with {}{level}{end}", receiver.in_words());
                audit::record(&current_user, Affected::Asset(Some(asset_id)), &event, connection)?;
                Ok(asset_shares::table.find(id).select(AssetShare::as_select()).first(connection)?)
            })
        })
        .await
}

/// Ends this share, if the caller still may.
pub(super) async fn end(
    share: Authorized<AssetShare, Delete>,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<(), ServiceError> {
    let share = *share;
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let permission = Permission::DELETE;
                let target = AssetShare::changeable_by(&current_user, permission).find(share.id);
                let hit = diesel::delete(target).execute(connection)?;
                AssetShare::changed(hit, connection, &current_user, share.id, permission)?;
                let with = Receiver::of(&share).map_or_else(String::new, Receiver::in_words);
                let event = format!("ended the share of the asset {} with {with}", share.asset_id);
                audit::record(&current_user, Affected::Asset(Some(share.asset_id)), &event, connection)
            })
        })
        .await
}

async fn revoke(
    asset_id: i32,
    receiver: Receiver,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<(), ServiceError> {
    database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit = receiver.delete_share(asset_id, &current_user, connection)?;
                Asset::changed(hit, connection, &current_user, asset_id, SHARE)?;
                if hit == 0 {
                    return Err(ServiceError::NotFound);
                }
                let event = format!("no longer shares the asset {asset_id} with {}", receiver.in_words());
                audit::record(&current_user, Affected::Asset(Some(asset_id)), &event, connection)
            })
        })
        .await
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Inheritance {
    inherits_access: bool,
}

impl Validate for Inheritance {
    fn validate(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// Says whether the readers of the asset of which this one is a part read this one, too.
// Not a field of `PATCH /assets/{asset_id}`: who may change an asset need not be allowed to show it to others.
#[utoipa::path(
    params(("asset_id" = i32, Path, description = "The asset.")),
    request_body = Inheritance,
    responses((status = 200, description = "The asset.", body = Asset), InvalidBody),
)]
#[permission_required_for_context(SHARE, ctx_arg = "asset")]
#[put("/assets/{asset_id}/inherits-access")]
async fn set_inheritance(
    asset: Asset,
    Valid(Inheritance { inherits_access }): Valid<Inheritance>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<Json<Asset>, ServiceError> {
    let id = asset.id;
    let updated = database
        .run(move |connection| {
            connection.immediate_transaction(|connection| {
                let hit = diesel::update(Asset::changeable_by(&current_user, SHARE).find(id))
                    .set(assets::inherits_access.eq(inherits_access))
                    .execute(connection)?;
                Asset::changed(hit, connection, &current_user, id, SHARE)?;
                let event = format!("changed the asset {id}: inherits_access is {inherits_access}");
                audit::record(&current_user, Affected::Asset(Some(id)), &event, connection)?;
                Ok(Asset::load(id, connection)?)
            })
        })
        .await?;
    Ok(Json(updated))
}

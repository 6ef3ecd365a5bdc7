//! Assets: things that use, make, store or measure energy, and their parts.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, NullableExpressionMethods, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::{
    auth::{ACCOUNT_ADMIN, CONSULT},
    database::{Backend, Connection},
    schema::assets,
};

/// An asset, as it is stored and shown.
///
/// Members of the account work with its assets; its admins and its consultants may delete one. Public assets are read by
/// everyone and changed by admins.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = assets, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(account: Account, account_id))]
#[acl(
    create_children = account(account_id) | account.CONSULT,
    read = account(account_id) | account.CONSULT | is_null(account_id),
    update = account(account_id) | account.CONSULT,
    delete = account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT,
)]
pub struct Asset {
    /// The key.
    pub id: i32,
    /// The name for people.
    pub name: String,
    /// Its account; none makes it public.
    pub account_id: Option<i32>,
    /// In degrees, north is positive.
    pub latitude: Option<f64>,
    /// In degrees, east is positive.
    pub longitude: Option<f64>,
    /// The asset of which it is a part. This gives no access: a part may belong to another account than the whole.
    pub parent_asset_id: Option<i32>,
}

/// An asset as a part of an account: under another account's id there is none, and a public one is under none.
#[derive(AuthModel, Clone, Debug, LoadContext, Queryable, Selectable)]
#[diesel(table_name = assets, primary_key(account_id, id), check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(asset: Asset, id))]
#[acl(read = asset.read)]
pub struct AssetOfAccount {
    /// The account.
    #[diesel(select_expression = assets::account_id.assume_not_null())]
    pub account_id: i32,
    /// The asset.
    pub id: i32,
    /// Its row.
    #[diesel(embed)]
    pub asset: Asset,
}

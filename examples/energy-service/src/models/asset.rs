//! Assets: things that use, make, store or measure energy, and their parts.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, NullableExpressionMethods, Queryable, Selectable};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::{Account, AssetShare};
use crate::{
    auth::{ACCOUNT_ADMIN, CONSULT, SHARE},
    database::{Backend, Connection},
    schema::assets,
};

/// An asset, as it is stored and shown.
///
/// Members of the account work with its assets; its admins and its consultants may delete one, and share it. Public assets are
/// read by everyone and changed by admins. Readers of the whole read a part that says so; no other right goes down to it.
// Databases evaluate a rule from left to right: the flag spares most rows the way up the tree.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = assets, check_for_backend(Backend))]
#[auth(
    connection = Connection,
    belongs_to(account: Account, account_id),
    belongs_to(whole: Self, parent_asset_id, recursive),
    has_many(shares: AssetShare, asset_id),
)]
#[acl(
    create_children = account(account_id) | account.CONSULT,
    read = account(account_id)
        | account.CONSULT
        | is_null(account_id)
        | any(shares: (user(user_id) | account(account_id)) & until(expires_at))
        | inherits_access & whole.read,
    update = account(account_id)
        | account.CONSULT
        | any(shares: (user(user_id) | account(account_id)) & is(can_update, true) & until(expires_at)),
    delete = account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT,
    SHARE = account(account_id) & role(ACCOUNT_ADMIN),
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
    /// The asset of which it is a part. By itself this gives no access: a part may belong to another account than the whole.
    pub parent_asset_id: Option<i32>,
    /// Whether the readers of the asset of which it is a part read it, too.
    pub inherits_access: bool,
    /// The kind of thing that it is, one of `/assets/types`.
    pub generic_asset_type_id: Option<i32>,
    /// The text of a JSON object, of which the service makes nothing.
    pub attributes: String,
    /// The text of a JSON object: what a scheduler knows of its surroundings.
    pub flex_context: String,
    /// The text of a JSON object: the freedom of a scheduler with it.
    #[serde(serialize_with = "or_empty")]
    #[schema(value_type = String)]
    pub flex_model: Option<String>,
    /// The text of a JSON array: the sensors of its charts.
    pub sensors_to_show: String,
    /// The text of a JSON array: the sensors of its key figures.
    pub sensors_to_show_as_kpis: String,
}

/// Without a document, clients see one that says nothing.
#[expect(clippy::ref_option, reason = "serde passes the field")]
fn or_empty<S: Serializer>(document: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(document.as_deref().unwrap_or("{}"))
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

//! Shares of assets: with a user or with an account, until a date or without an end.

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Asset;
use crate::{
    auth::{ACCOUNT_ADMIN, SHARE},
    database::{Backend, Connection, Instant},
    schema::asset_shares,
};

/// A share of an asset with a user, or with all users of an account.
///
/// They see the share themselves, and those who may share the asset see all of its shares, and take them back. The user, or an
/// admin of the account, gives a share up.
#[derive(
    AuthModel, Clone, Copy, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema,
)]
#[diesel(table_name = asset_shares, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(asset: Asset, asset_id))]
#[acl(
    read = user(user_id) | account(account_id) | asset.SHARE,
    delete = user(user_id) | account(account_id) & role(ACCOUNT_ADMIN) | asset.SHARE,
)]
pub struct AssetShare {
    /// The key. A later share has a greater one.
    pub id: i32,
    /// The asset.
    pub asset_id: i32,
    /// The user, if it is not an account.
    pub user_id: Option<i32>,
    /// The account, if it is not a user.
    pub account_id: Option<i32>,
    /// Whether they may change the asset as well.
    pub can_update: bool,
    /// The moment at which it ends, in UTC; none: it has no end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Instant>,
}

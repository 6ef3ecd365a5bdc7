//! Assets: what uses, makes, stores or measures energy, and what it is made of.

use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, Permission, account, allow, every_logged_in_user, role,
};
use diesel::{
    ExpressionMethods, Identifiable, NullableExpressionMethods, QueryDsl, Queryable, RunQueryDsl, Selectable,
    SelectableHelper,
};
use serde::Serialize;

use super::consultant_of;
use crate::{
    auth::ACCOUNT_ADMIN,
    database::{Backend, Connection},
    schema::{accounts, assets},
};

/// An asset, as it is stored and shown.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable, Serialize)]
#[diesel(table_name = assets, check_for_backend(Backend))]
pub struct AssetRow {
    /// The key.
    pub id: i32,
    /// What people call it.
    pub name: String,
    /// Whose it is. Nobody's: it is public.
    pub account_id: Option<i32>,
    /// In degrees, north is positive.
    pub latitude: Option<f64>,
    /// In degrees, east is positive.
    pub longitude: Option<f64>,
    /// What it is a part of. This gives nobody access: a part may belong to another account than the whole.
    pub parent_asset_id: Option<i32>,
}

/// An asset, with what the access-control list needs of its account.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The row.
    pub row: AssetRow,
    /// The consultancy of the asset's account.
    pub consultancy_account_id: Option<i32>,
}

impl LoadContext for Asset {
    type Id = i32;
    type Connection = Connection;

    fn load(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let (row, consultancy_account_id) = assets::table
            .left_join(accounts::table)
            .filter(assets::id.eq(id))
            .select((AssetRow::as_select(), accounts::consultancy_account_id.nullable()))
            .first(connection)?;
        Ok(Self { row, consultancy_account_id })
    }
}

/// Members of the account work with its assets; deleting one is for who runs the account. Public assets are
/// read by everyone and changed by admins.
impl AuthModel for Asset {
    fn acl(&self) -> impl Acl {
        let members = || self.row.account_id.map(account);
        let consultants = || consultant_of(self.consultancy_account_id);
        let everyone_if_public = self.row.account_id.is_none().then(every_logged_in_user);
        allow(Permission::READ, consultants() | members() | everyone_if_public)
            .allow(Permission::CREATE_CHILDREN, consultants() | members())
            .allow(Permission::UPDATE, consultants() | members())
            .allow(Permission::DELETE, consultants() | role(ACCOUNT_ADMIN) & members())
    }
}

/// An asset as a part of an account: under another account's id there is none.
#[derive(Clone, Debug)]
pub struct AssetOfAccount(pub Asset);

impl LoadContext for AssetOfAccount {
    /// The account's, and the asset's.
    type Id = (i32, i32);
    type Connection = Connection;

    fn load((account_id, id): (i32, i32), connection: &mut Connection) -> Result<Self, LoadError> {
        let asset = Asset::load(id, connection)?;
        if asset.row.account_id == Some(account_id) { Ok(Self(asset)) } else { Err(LoadError::NotFound) }
    }
}

impl AuthModel for AssetOfAccount {
    fn acl(&self) -> impl Acl {
        self.0.acl()
    }
}

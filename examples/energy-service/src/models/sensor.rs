//! Sensors: one series of measurements each, at an asset.

use auth_core::{
    Acl, AuthModel, LoadContext, LoadContexts, LoadError, Permission, account, allow, every_logged_in_user,
    role,
};
use diesel::{
    ExpressionMethods, Identifiable, NullableExpressionMethods, QueryDsl, Queryable, RunQueryDsl, Selectable,
    SelectableHelper,
    dsl::{AsSelect, auto_type},
};
use serde::Serialize;

use super::consultant_of;
use crate::{
    auth::ACCOUNT_ADMIN,
    database::{Backend, Connection},
    schema::{accounts, assets, sensors},
};

/// A sensor, as it is stored and shown.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable, Serialize)]
#[diesel(table_name = sensors, check_for_backend(Backend))]
pub struct SensorRow {
    /// The key.
    pub id: i32,
    /// The asset that it measures.
    pub asset_id: i32,
    /// What it measures.
    pub name: String,
    /// The unit of its values, such as `kW`; empty for plain numbers.
    pub unit: String,
    /// How long one measured event lasts, in minutes.
    pub event_resolution_minutes: i32,
}

/// A sensor, with what the access-control list needs of its asset and of that one's account.
#[derive(Clone, Debug, Queryable)]
pub struct Sensor {
    /// The row.
    pub row: SensorRow,
    /// The account of the sensor's asset; without one the asset, and so the sensor, is public.
    pub account_id: Option<i32>,
    /// The consultancy of that account.
    pub consultancy_account_id: Option<i32>,
}

#[auto_type]
fn with_account() -> _ {
    let columns: (AsSelect<SensorRow, Backend>, assets::account_id, _) =
        (SensorRow::as_select(), assets::account_id, accounts::consultancy_account_id.nullable());
    sensors::table.inner_join(assets::table.left_join(accounts::table)).select(columns)
}

impl LoadContext for Sensor {
    type Id = i32;
    type Connection = Connection;

    fn load(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        Ok(with_account().filter(sensors::id.eq(id)).first(connection)?)
    }
}

impl LoadContexts for Sensor {
    fn load_all(ids: &[i32], connection: &mut Connection) -> Result<Vec<(i32, Self)>, LoadError> {
        let found: Vec<Self> = with_account().filter(sensors::id.eq_any(ids)).load(connection)?;
        Ok(found.into_iter().map(|sensor| (sensor.row.id, sensor)).collect())
    }
}

/// Members of the account read its sensors and record measurements, which are the children; the sensor itself
/// is changed and deleted by who runs the account. Public sensors are read by everyone and changed by admins.
impl AuthModel for Sensor {
    fn acl(&self) -> impl Acl {
        let members = || self.account_id.map(account);
        let consultants = || consultant_of(self.consultancy_account_id);
        let everyone_if_public = self.account_id.is_none().then(every_logged_in_user);
        allow(Permission::READ, consultants() | members() | everyone_if_public)
            .allow(Permission::CREATE_CHILDREN, consultants() | members())
            .allow(Permission::UPDATE, consultants() | role(ACCOUNT_ADMIN) & members())
            .allow(Permission::DELETE, consultants() | role(ACCOUNT_ADMIN) & members())
    }
}

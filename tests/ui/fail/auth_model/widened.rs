use auth_core::{Permission, Scoped, User};
use auth_ui::{Asset, assets};
use diesel::prelude::*;

fn list(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Asset>> {
    let rows = Asset::accessible_by(user, Permission::READ);
    rows.or_filter(assets::name.eq("roof")).load(connection)
}

fn main() {}

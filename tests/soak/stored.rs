//! Changes that the service has no endpoint for: its operator makes them in the database.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use energy_service::{
    database::Connection,
    error::ServiceError,
    schema::{account_roles, accounts, accounts_account_roles, assets, roles, users, users_roles},
};

use crate::soak::model::{ADMIN, State};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    MoveAsset {
        asset: i32,
        account: Option<i32>,
        parent: Option<i32>,
    },
    MoveUser {
        user: i32,
        account: i32,
    },
    SetConsultancy {
        account: i32,
        consultancy: Option<i32>,
    },
    SetAccountRole {
        account: i32,
        role: &'static str,
        held: bool,
    },
    /// A new admin is active, too: there has to be one.
    SetAdmin {
        user: i32,
        admin: bool,
    },
}

impl Stored {
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::MoveAsset { .. } => "move an asset",
            Self::MoveUser { .. } => "move a user",
            Self::SetConsultancy { .. } => "set a consultancy",
            Self::SetAccountRole { .. } => "set a role of an account",
            Self::SetAdmin { .. } => "set an admin",
        }
    }

    pub(crate) fn carry_out(&self, connection: &mut Connection) -> Result<(), ServiceError> {
        connection.immediate_transaction(|connection| {
            self.execute(connection)?;
            Ok(())
        })
    }

    fn execute(&self, connection: &mut Connection) -> QueryResult<usize> {
        match *self {
            Self::MoveAsset { asset, account, parent } => diesel::update(assets::table.find(asset))
                .set((assets::account_id.eq(account), assets::parent_asset_id.eq(parent)))
                .execute(connection),
            Self::MoveUser { user, account } => {
                diesel::update(users::table.find(user)).set(users::account_id.eq(account)).execute(connection)
            }
            Self::SetConsultancy { account, consultancy } => diesel::update(accounts::table.find(account))
                .set(accounts::consultancy_account_id.eq(consultancy))
                .execute(connection),
            Self::SetAccountRole { account, role, held } => {
                let role: i32 = account_roles::table
                    .filter(account_roles::name.eq(role))
                    .select(account_roles::id)
                    .first(connection)?;
                if held {
                    let held = (
                        accounts_account_roles::account_id.eq(account),
                        accounts_account_roles::account_role_id.eq(role),
                    );
                    diesel::insert_into(accounts_account_roles::table).values(held).execute(connection)
                } else {
                    diesel::delete(accounts_account_roles::table.find((account, role))).execute(connection)
                }
            }
            Self::SetAdmin { user, admin } => {
                let role: i32 =
                    roles::table.filter(roles::name.eq(ADMIN)).select(roles::id).first(connection)?;
                diesel::delete(users_roles::table.find((user, role))).execute(connection)?;
                if !admin {
                    return Ok(1);
                }
                diesel::update(users::table.find(user)).set(users::active.eq(true)).execute(connection)?;
                diesel::insert_into(users_roles::table)
                    .values((users_roles::user_id.eq(user), users_roles::role_id.eq(role)))
                    .execute(connection)
            }
        }
    }

    pub(crate) fn effect(&self, before: &State) -> State {
        let mut after = before.clone();
        match *self {
            Self::MoveAsset { asset, account, parent } => {
                if let Some(asset) = after.assets.get_mut(&asset) {
                    (asset.account, asset.parent) = (account, parent);
                }
            }
            Self::MoveUser { user, account } => {
                if let Some(user) = after.users.get_mut(&user) {
                    user.account = account;
                }
            }
            Self::SetConsultancy { account, consultancy } => {
                if let Some(account) = after.accounts.get_mut(&account) {
                    account.consultancy = consultancy;
                }
            }
            Self::SetAccountRole { account, role, held } => {
                if let Some(account) = after.accounts.get_mut(&account) {
                    if held {
                        account.roles.insert(role)
                    } else {
                        account.roles.remove(role)
                    };
                }
            }
            Self::SetAdmin { user, admin } => {
                if let Some(user) = after.users.get_mut(&user) {
                    user.active |= admin;
                    if admin {
                        user.roles.insert(ADMIN)
                    } else {
                        user.roles.remove(ADMIN)
                    };
                }
            }
        }
        after
    }
}

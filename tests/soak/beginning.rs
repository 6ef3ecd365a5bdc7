//! The first state of the world.

use std::sync::Arc;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{
    database::Connection,
    schema::{account_roles, accounts, accounts_account_roles, assets, roles, sensors, users, users_roles},
};

use crate::soak::{
    ask::email,
    model::{
        ACCOUNT_ADMIN, ADMIN, ADMIN_READER, Account, Asset, CONSULTANCY, CONSULTANT, PROSUMER, SUPPLIER,
        State, User,
    },
};

/// Inserts the first objects of an island.
pub(crate) struct Beginning<'a> {
    pub(crate) connection: &'a mut Connection,
    /// The hash of the password of all users.
    pub(crate) password: &'a str,
    /// A number that no other object has.
    pub(crate) numbers: &'a dyn Fn() -> u64,
    pub(crate) state: State,
}

impl Beginning<'_> {
    /// A consultancy with two clients, and an account of its own; on the platform with the admins.
    pub(crate) fn of_island(mut self, is_platform: bool) -> State {
        let consultancy = self.account(None, &[CONSULTANCY]);
        let one = self.account(Some(consultancy), &[PROSUMER]);
        let other = self.account(Some(consultancy), &[SUPPLIER]);
        let alone = self.account(None, &[]);
        let accounts = [consultancy, one, other, alone];
        let roles: [&[&'static str]; 8] = if is_platform {
            [&[ADMIN], &[ADMIN], &[ADMIN], &[ADMIN_READER], &[ADMIN_READER], &[ADMIN], &[], &[ACCOUNT_ADMIN]]
        } else {
            [
                &[CONSULTANT],
                &[ACCOUNT_ADMIN, CONSULTANT],
                &[ACCOUNT_ADMIN],
                &[],
                &[ACCOUNT_ADMIN],
                &[CONSULTANT],
                &[],
                &[ACCOUNT_ADMIN],
            ]
        };
        for (number, held) in roles.into_iter().enumerate() {
            self.user(accounts[number / 2], held);
        }
        for account in [Some(one), Some(one), Some(other), Some(alone), Some(consultancy), None, None] {
            let parent = self.state.assets.keys().next().copied();
            let asset = self.asset(account, parent);
            self.sensor(asset);
            self.sensor(asset);
        }
        self.state
    }

    fn account(&mut self, consultancy: Option<i32>, held: &[&'static str]) -> i32 {
        diesel::insert_into(accounts::table)
            .values((accounts::name.eq("new"), accounts::consultancy_account_id.eq(consultancy)))
            .execute(self.connection)
            .unwrap();
        let id = self.connection.last_id().unwrap();
        for role in held {
            let role: i32 = account_roles::table
                .filter(account_roles::name.eq(role))
                .select(account_roles::id)
                .first(self.connection)
                .unwrap();
            let held =
                (accounts_account_roles::account_id.eq(id), accounts_account_roles::account_role_id.eq(role));
            let insert = diesel::insert_into(accounts_account_roles::table).values(held);
            insert.execute(self.connection).unwrap();
        }
        self.state.accounts.insert(id, Account { consultancy, roles: held.iter().copied().collect() });
        id
    }

    fn user(&mut self, account: i32, held: &[&'static str]) {
        let email = email((self.numbers)());
        diesel::insert_into(users::table)
            .values((
                users::account_id.eq(account),
                users::email.eq(&email),
                users::username.eq("new"),
                users::password_hash.eq(self.password),
            ))
            .execute(self.connection)
            .unwrap();
        let id = self.connection.last_id().unwrap();
        for role in held {
            let role: i32 =
                roles::table.filter(roles::name.eq(role)).select(roles::id).first(self.connection).unwrap();
            diesel::insert_into(users_roles::table)
                .values((users_roles::user_id.eq(id), users_roles::role_id.eq(role)))
                .execute(self.connection)
                .unwrap();
        }
        let roles = held.iter().copied().collect();
        self.state.users.insert(id, User { account, roles, active: true, email: Arc::from(email) });
    }

    fn asset(&mut self, account: Option<i32>, parent: Option<i32>) -> i32 {
        diesel::insert_into(assets::table)
            .values((
                assets::name.eq("new"),
                assets::account_id.eq(account),
                assets::parent_asset_id.eq(parent),
            ))
            .execute(self.connection)
            .unwrap();
        let id = self.connection.last_id().unwrap();
        self.state.assets.insert(id, Asset { account, parent });
        id
    }

    fn sensor(&mut self, asset: i32) {
        diesel::insert_into(sensors::table)
            .values((
                sensors::asset_id.eq(asset),
                sensors::name.eq("new"),
                sensors::unit.eq("kW"),
                sensors::event_resolution_minutes.eq(15),
            ))
            .execute(self.connection)
            .unwrap();
        let id = self.connection.last_id().unwrap();
        self.state.sensors.insert(id, asset);
    }
}

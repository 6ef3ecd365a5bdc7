//! Derived models of one service, three tables deep, with a key of another kind each; and their policies once more,
//! written by hand over rows in memory.

use std::{collections::BTreeSet, fmt::Write as _};

use auth_core::{Decision, Explanation, LoadError, Permission, Subject};
use diesel::QueryResult;
use proptest::{collection::vec, option, prelude::any, sample::select, strategy::Strategy};

use crate::{
    database::{Dialect, text},
    person::Person,
};

pub(crate) const PUBLISH: Permission = Permission::new("publish");
pub(crate) const AUDITOR: &str = "auditor";

pub(crate) const PERMISSIONS: [Permission; 5] =
    [Permission::READ, Permission::UPDATE, Permission::DELETE, Permission::CREATE_CHILDREN, PUBLISH];

#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    pub(crate) id: i32,
    pub(crate) consultancy_id: Option<i32>,
    pub(crate) is_public: bool,
    pub(crate) is_shared: Option<bool>,
    pub(crate) contact: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct AssetRow {
    pub(crate) id: &'static str,
    pub(crate) account_id: Option<i32>,
    pub(crate) parent_id: Option<&'static str>,
    pub(crate) owner_id: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct SensorRow {
    pub(crate) id: i64,
    pub(crate) asset_id: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) accounts: Vec<AccountRow>,
    pub(crate) assets: Vec<AssetRow>,
    pub(crate) sensors: Vec<SensorRow>,
}

const ASSETS: [&str; 5] = ["roof", "1", "cellar", "mia", "gone"];
const CONTACTS: [&str; 8] = ["a", "A", "a ", "ä", "mia", "", "1", "67e55044-10b1-426f-9247-0000000000ab"];

pub(crate) fn service() -> impl Strategy<Value = Service> {
    let id = || option::weighted(0.8, 1..=5);
    let account = (id(), any::<(bool, Option<bool>)>(), select(&CONTACTS[..]));
    let asset =
        (id(), option::of(select(&ASSETS[..])), option::of(select(&[1, 2, 4_294_967_297, i64::MAX][..])));
    (vec(account, 0..5), vec(asset, 0..5), vec(select(&ASSETS[..]), 0..5)).prop_map(
        |(accounts, assets, sensors)| Service {
            accounts: (1..)
                .zip(accounts)
                .map(|(id, (consultancy_id, (is_public, is_shared), contact))| AccountRow {
                    id,
                    consultancy_id,
                    is_public,
                    is_shared,
                    contact,
                })
                .collect(),
            assets: ASSETS
                .into_iter()
                .zip(assets)
                .map(|(id, (account_id, parent_id, owner_id))| AssetRow {
                    id,
                    account_id,
                    parent_id,
                    owner_id,
                })
                .collect(),
            sensors: (1..).zip(sensors).map(|(id, asset_id)| SensorRow { id, asset_id }).collect(),
        },
    )
}

impl Service {
    fn account(&self, id: Option<i32>) -> Option<&AccountRow> {
        self.accounts.iter().find(|row| Some(row.id) == id)
    }

    fn asset(&self, id: Option<&str>) -> Option<&AssetRow> {
        self.assets.iter().find(|row| Some(row.id) == id)
    }

    /// Whether the policy of `Account` grants it.
    pub(crate) fn grants_account(row: &AccountRow, person: &Person, permission: Permission) -> bool {
        let of_id = person.is_of(Some(&row.id.to_string()));
        let of_consultancy = person.is_of(row.consultancy_id.map(|id| id.to_string()).as_deref());
        match permission.as_str() {
            "read" => of_id || of_consultancy && person.has_role("operator") || row.is_public,
            "update" => of_id && (person.has_role("operator") || person.account_has_role("auditor")),
            "publish" => {
                row.is_shared == Some(true)
                    || row.consultancy_id.is_none() && person.has_role("auditor")
                    || person.is(Some(row.contact))
            }
            _ => false,
        }
    }

    /// Whether the policy of `Asset` grants it.
    pub(crate) fn grants_asset(&self, row: &AssetRow, person: &Person, permission: Permission) -> bool {
        let account = self.account(row.account_id);
        let parent = self.asset(row.parent_id);
        let of_account =
            |permission| account.is_some_and(|account| Self::grants_account(account, person, permission));
        let is_owner = |row: &AssetRow| person.is(row.owner_id.map(|id| id.to_string()).as_deref());
        match permission.as_str() {
            "read" => {
                of_account(Permission::READ)
                    || parent.is_some_and(|parent| self.grants_asset(parent, person, PUBLISH))
                        && person.has_role("operator")
                    || is_owner(row)
            }
            "update" => {
                of_account(Permission::UPDATE)
                    || parent.is_some_and(|parent| {
                        person.is_of(parent.account_id.map(|id| id.to_string()).as_deref())
                    }) && (row.account_id.is_none() || of_account(Permission::READ))
            }
            "delete" => {
                account.is_some_and(|account| account.is_public) && person.account_has_role("operator")
                    || account.is_some_and(|account| account.consultancy_id.is_none()) && is_owner(row)
            }
            "publish" => of_account(PUBLISH) && (row.parent_id.is_none() || parent.is_some_and(is_owner)),
            _ => false,
        }
    }

    /// Whether the policy of `Sensor` grants it.
    pub(crate) fn grants_sensor(&self, row: &SensorRow, person: &Person, permission: Permission) -> bool {
        let of_asset = |permission| {
            self.asset(Some(row.asset_id)).is_some_and(|asset| self.grants_asset(asset, person, permission))
        };
        match permission.as_str() {
            "read" => of_asset(Permission::READ),
            "update" => of_asset(Permission::UPDATE) || of_asset(PUBLISH) && person.has_role("auditor"),
            "delete" => of_asset(Permission::DELETE) || of_asset(Permission::UPDATE),
            "create-children" => true,
            _ => false,
        }
    }

    pub(crate) fn inserted(&self) -> String {
        fn or_null<T: ToString>(value: Option<T>) -> String {
            value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
        }
        let mut statements = "DELETE FROM accounts; DELETE FROM assets; DELETE FROM sensors;".to_owned();
        for AccountRow { id, consultancy_id, is_public, is_shared, contact } in &self.accounts {
            write!(
                statements,
                "INSERT INTO accounts VALUES ({id}, {}, {is_public}, {}, {});",
                or_null(*consultancy_id),
                or_null(*is_shared),
                text(contact),
            )
            .unwrap();
        }
        for AssetRow { id, account_id, parent_id, owner_id } in &self.assets {
            write!(
                statements,
                "INSERT INTO assets VALUES ({}, {}, {}, {});",
                text(id),
                or_null(*account_id),
                or_null(parent_id.map(text)),
                or_null(*owner_id),
            )
            .unwrap();
        }
        for SensorRow { id, asset_id } in &self.sensors {
            write!(statements, "INSERT INTO sensors VALUES ({id}, {});", text(asset_id)).unwrap();
        }
        statements
    }
}

pub(crate) fn created(dialect: Dialect) -> String {
    let sql_type = match dialect {
        #[cfg(feature = "mysql")]
        Dialect::Mysql => "VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        _ => "TEXT",
    };
    format!(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, consultancy_id INTEGER, is_public BOOLEAN NOT NULL,
             is_shared BOOLEAN, contact {sql_type} NOT NULL);
         CREATE TABLE assets (id {sql_type} NOT NULL PRIMARY KEY, account_id INTEGER, parent_id {sql_type}, owner_id BIGINT);
         CREATE TABLE sensors (id BIGINT NOT NULL PRIMARY KEY, asset_id {sql_type} NOT NULL);"
    )
}

/// A derived model, decided about in each way that it offers.
pub(crate) trait Model<C>: Sized {
    type Id: Clone + std::fmt::Debug + Ord;

    fn listed(
        connection: &mut C,
        subject: &dyn Subject,
        permission: Permission,
    ) -> QueryResult<BTreeSet<Self::Id>>;

    fn checked(
        connection: &mut C,
        subject: &dyn Subject,
        id: &Self::Id,
        permission: Permission,
    ) -> Result<Decision, LoadError>;

    fn explained(
        connection: &mut C,
        subject: &dyn Subject,
        id: &Self::Id,
        permission: Permission,
    ) -> Result<Explanation, LoadError>;

    /// The decision of the loaded row by itself, and its explanation, if it has all values.
    fn decided(
        connection: &mut C,
        subject: &dyn Subject,
        id: &Self::Id,
        permission: Permission,
    ) -> Result<Option<(Decision, Explanation)>, LoadError>;
}

macro_rules! services {
    ($connection:ident) => {
        mod service {
            use std::collections::BTreeSet;

            use auth_core::{
                AuthModel, Decision, Explanation, LoadContext, LoadError, Permission, Scoped, Stored, Subject,
            };
            use diesel::prelude::*;

            use crate::services::{AUDITOR, Model, PUBLISH};

            diesel::table! {
                accounts (id) {
                    id -> Integer,
                    consultancy_id -> Nullable<Integer>,
                    is_public -> Bool,
                    is_shared -> Nullable<Bool>,
                    contact -> Text,
                }
            }

            diesel::table! {
                assets (id) {
                    id -> Text,
                    account_id -> Nullable<Integer>,
                    parent_id -> Nullable<Text>,
                    owner_id -> Nullable<BigInt>,
                }
            }

            diesel::table! {
                sensors (id) {
                    id -> BigInt,
                    asset_id -> Text,
                }
            }

            diesel::allow_tables_to_appear_in_same_query!(accounts, assets, sensors);

            #[derive(Queryable, Selectable, LoadContext, AuthModel)]
            #[diesel(table_name = accounts)]
            #[auth(connection = $connection)]
            #[acl(
                read = account(id) | account(consultancy_id) & role("operator") | is_public,
                update = account(id) & (role("operator") | account_role(AUDITOR)),
                delete = nobody,
                PUBLISH = every_logged_in_user & is_shared | is_null(consultancy_id) & role(AUDITOR) | user(contact),
            )]
            pub(super) struct Account {
                pub(super) id: i32,
                consultancy_id: Option<i32>,
                is_public: bool,
                is_shared: Option<bool>,
                #[diesel(column_name = contact)]
                mail: String,
            }

            #[derive(Debug, Queryable, Selectable, LoadContext, AuthModel)]
            #[diesel(table_name = assets)]
            #[auth(connection = $connection)]
            #[auth(belongs_to(account: Account, account_id), belongs_to(parent: Asset, parent_id))]
            #[acl(
                read = account.read | parent.PUBLISH & role("operator") | user(owner_id),
                update = account.update | account(parent.account_id) & (is_null(account_id) | account.read),
                delete = account.is_public & account_role("operator")
                    | is_null(account.consultancy_id) & user(owner_id),
                PUBLISH = account.PUBLISH & (is_null(parent_id) | user(parent.owner_id)),
            )]
            #[expect(dead_code, reason = "policies ask the database about them")]
            pub(super) struct Asset {
                pub(super) id: String,
                account_id: Option<i32>,
                parent_id: Option<String>,
                owner_id: Option<i64>,
            }

            #[derive(Debug, Queryable, Selectable, LoadContext, AuthModel)]
            #[diesel(table_name = sensors)]
            #[auth(connection = $connection, belongs_to(asset: Asset, asset_id))]
            #[acl(
                read = asset.read,
                update = asset.update | asset.PUBLISH & role(AUDITOR),
                delete = (asset.delete | asset.update) & every_logged_in_user,
                create_children = every_logged_in_user,
            )]
            pub(super) struct Sensor {
                pub(super) id: i64,
            }

            services!(@model $connection Account accounts i32: |row, subject, permission| Some((
                auth_core::check_access(subject, &row, permission),
                auth_core::explain(subject, &row, permission),
            )));
            services!(@model $connection Asset assets String: |_row, _subject, _permission| None);
            services!(@model $connection Sensor sensors i64: |_row, _subject, _permission| None);
        }
    };
    (@model $connection:ident $model:ident $table:ident $id:ty:
        |$row:ident, $subject:ident, $permission:ident| $decided:expr) => {
        impl Model<$connection> for $model {
            type Id = $id;

            fn listed(
                connection: &mut $connection,
                subject: &dyn Subject,
                permission: Permission,
            ) -> QueryResult<BTreeSet<$id>> {
                let rows = $model::accessible_by(subject, permission).order($table::id).load(connection)?;
                Ok(rows.into_iter().map(|row| row.id).collect())
            }

            fn checked(
                connection: &mut $connection,
                subject: &dyn Subject,
                id: &$id,
                permission: Permission,
            ) -> Result<Decision, LoadError> {
                <$model as Stored>::check_access(connection, subject, id.clone(), permission)
            }

            fn explained(
                connection: &mut $connection,
                subject: &dyn Subject,
                id: &$id,
                permission: Permission,
            ) -> Result<Explanation, LoadError> {
                <$model as Stored>::explain(connection, subject, id.clone(), permission)
            }

            fn decided(
                connection: &mut $connection,
                $subject: &dyn Subject,
                id: &$id,
                $permission: Permission,
            ) -> Result<Option<(Decision, Explanation)>, LoadError> {
                let $row = <$model as LoadContext>::load(id.clone(), connection)?;
                Ok($decided)
            }
        }
    };
}

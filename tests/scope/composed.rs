//! Scopes in queries with joins, groups, aliases and subselects: the rows are those that the joins have in memory, of which
//! the policies of the tables grant each.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use auth_core::{Permission, Scope, Scoped as _, User};
use diesel::{
    Connection as _,
    connection::SimpleConnection as _,
    dsl::{count, count_star, exists, max, not},
    prelude::*,
    result::Error,
};
use proptest::{
    collection::vec,
    prelude::{TestCaseError, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{
    Connection, DIALECT, SERVER,
    service::{Account, Asset, Sensor, accounts, assets, sensors},
};
use crate::{
    database,
    person::{Person, person},
    services::{AccountRow, AssetRow, PERMISSIONS, SensorRow, Service, created, service},
};

type Checked = Result<(), TestCaseError>;

#[test]
fn a_scope_is_a_condition_of_a_join() {
    check(|it| {
        it.inner_joins()?;
        it.joins_of_three()
    });
}

#[test]
fn a_scope_is_a_condition_of_a_left_join_and_refuses_what_is_not_there() {
    check(|it| {
        it.left_joins()?;
        it.filtered_left_joins()
    });
}

#[test]
fn a_scope_is_that_of_an_alias() {
    check(|it| {
        it.aliases()?;
        it.alias_alone()
    });
}

#[test]
fn a_scope_is_a_condition_of_groups_and_of_subselects() {
    check(|it| {
        it.groups()?;
        it.subselects()
    });
}

#[test]
fn a_scoped_query_is_counted_paged_and_made_distinct_and_is_a_subselect() {
    check(|it| {
        it.scoped_query()?;
        it.scoped_subselects()
    });
}

fn check(compare: impl Fn(&mut Composed<'_>) -> Checked) {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    connection.batch_execute(&created(DIALECT)).unwrap();
    let (connection, counts) = (RefCell::new(connection), Cell::new((0, 0)));
    let config = Config { failure_persistence: None, ..Config::default() };
    // A quarter, because each runs every query.
    let config = Config { cases: config.cases.div_ceil(4), ..config };
    let result = TestRunner::new(config).run(&(service(), vec(person(), 2)), |(service, people)| {
        let mut connection = connection.borrow_mut();
        let mut result = Ok(());
        let rolled_back = connection.transaction(|connection| {
            connection.batch_execute(&service.inserted())?;
            result = people.iter().try_for_each(|person| {
                PERMISSIONS.into_iter().try_for_each(|permission| {
                    let (service, counts, subject) = (&service, &counts, person.user());
                    compare(&mut Composed { connection, service, person, subject, permission, counts })
                })
            });
            Err::<(), _>(Error::RollbackTransaction)
        });
        result?;
        prop_assert_eq!(rolled_back, Err(Error::RollbackTransaction));
        Ok(())
    });
    let (found, all) = counts.into_inner();
    println!("{DIALECT:?}, composed: {found} rows of {all}");
    result.unwrap();
    assert!(found > 0 && found < all, "{found} rows of {all}");
}

struct Composed<'a> {
    connection: &'a mut Connection,
    service: &'a Service,
    person: &'a Person,
    subject: User,
    permission: Permission,
    /// How many rows were found, and how many the joins had.
    counts: &'a Cell<(usize, usize)>,
}

impl<'a> Composed<'a> {
    fn inner_joins(&mut self) -> Checked {
        let joined =
            || assets::table.inner_join(accounts::table.on(assets::account_id.eq(accounts::id.nullable())));
        let pairs = self.assets_of_accounts();
        for (account, asset) in self.scopes::<Account>().into_iter().zip(self.scopes::<Asset>()) {
            let found =
                joined().filter(asset.clone()).select((assets::id, accounts::id)).load(self.connection);
            let right = pairs.iter().filter(|(_, of)| self.may_asset(of));
            self.same(
                "on the left",
                found,
                right.map(|(account, asset)| (id(asset), account.id)),
                pairs.len(),
            )?;

            let found =
                joined().filter(account.clone()).select((assets::id, accounts::id)).load(self.connection);
            let right = pairs.iter().filter(|(of, _)| self.may_account(of));
            self.same(
                "on the right",
                found,
                right.map(|(account, asset)| (id(asset), account.id)),
                pairs.len(),
            )?;

            let answers = (accounts::id, assets::id, account.is_true(), asset.is_true());
            let found = joined().select(answers).load(self.connection);
            let right = pairs.iter().map(|(account, asset)| {
                (account.id, id(asset), self.may_account(account), self.may_asset(asset))
            });
            self.same("selected", found, right, pairs.len() + 1)?;
        }
        Ok(())
    }

    fn joins_of_three(&mut self) -> Checked {
        let pairs = self.assets_of_accounts();
        let [sensor, _] = self.scopes::<Sensor>();
        let ([asset, _], [_, account]) = (self.scopes::<Asset>(), self.scopes::<Account>());
        let found = sensors::table
            .inner_join(assets::table.on(assets::id.eq(sensors::asset_id)))
            .inner_join(accounts::table.on(assets::account_id.eq(accounts::id.nullable())))
            .filter(sensor.clone())
            .filter(asset)
            .filter(account)
            .select((sensors::id, accounts::id, sensor.is_true()))
            .load(self.connection);
        let all = self.sensors_of_assets().into_iter().flat_map(|(asset, sensor)| {
            let of = pairs.iter().filter(move |(_, of)| of.id == asset.id);
            of.map(move |(account, asset)| (*account, *asset, sensor))
        });
        let all: Vec<_> = all.collect();
        let right = all.iter().filter(|(account, asset, sensor)| {
            self.may_account(account) && self.may_asset(asset) && self.may_sensor(sensor)
        });
        let right = right.map(|(account, _, sensor)| (sensor.id, account.id, true));
        self.same("of three tables", found, right, all.len())
    }

    fn left_joins(&mut self) -> Checked {
        let by_key = || assets::account_id.eq(accounts::id.nullable());
        let joined = || assets::table.left_join(accounts::table.on(by_key()));
        let selected = || (assets::id, accounts::id.nullable());
        let all: Vec<_> = self.service.assets.iter().map(|asset| (self.account_of(asset), asset)).collect();
        for (account, asset) in self.scopes::<Account>().into_iter().zip(self.scopes::<Asset>()) {
            let found = joined().filter(asset.clone()).select(selected()).load(self.connection);
            let right = all.iter().filter(|(_, asset)| self.may_asset(asset));
            let right = right.map(|(account, asset)| (id(asset), account.map(|account| account.id)));
            self.same("left of a left join", found, right, all.len())?;

            let on = accounts::table.on(by_key().and(account.clone()));
            let found = assets::table.left_join(on).select(selected()).load(self.connection);
            let right = all.iter().map(|(account, asset)| {
                let account = account.filter(|account| self.may_account(account));
                (id(asset), account.map(|account| account.id))
            });
            self.same("in the ON clause of a left join", found, right, all.len() + 1)?;
        }
        Ok(())
    }

    fn filtered_left_joins(&mut self) -> Checked {
        let by_key = || assets::account_id.eq(accounts::id.nullable());
        let joined = || assets::table.left_join(accounts::table.on(by_key()));
        let selected = || (assets::id, accounts::id.nullable());
        let all: Vec<_> = self.service.assets.iter().map(|asset| (self.account_of(asset), asset)).collect();
        let is_above = self.is_above();
        for (account, asset) in self.scopes::<Account>().into_iter().zip(self.scopes::<Asset>()) {
            let found = joined().filter(account.clone()).select(selected()).load(self.connection);
            let right = all.iter().filter(|(of, _)| of.map_or(is_above, |account| self.may_account(account)));
            let right = right.map(|(account, asset)| (id(asset), account.map(|account| account.id)));
            self.same("right of a left join", found, right, all.len())?;

            let answers = (assets::id, account.is_true().nullable(), asset.is_true());
            let found = joined().select(answers).load(self.connection);
            let right = all.iter().map(|(account, asset)| {
                let may = account.map_or(is_above, |account| self.may_account(account));
                (id(asset), Some(may), self.may_asset(asset))
            });
            self.same("selected from a left join", found, right, all.len() + 1)?;
        }
        Ok(())
    }

    fn aliases(&mut self) -> Checked {
        let parents = diesel::alias!(assets as parents);
        let on = || parents.on(parents.field(assets::id).nullable().eq(assets::parent_id));
        let selected = || (assets::id, parents.field(assets::id));
        let assets = &self.service.assets;
        let all: Vec<_> = assets
            .iter()
            .filter_map(|asset| {
                assets.iter().find(|parent| asset.parent_id == Some(parent.id)).map(|parent| (asset, parent))
            })
            .collect();
        for scope in self.scopes::<Asset>() {
            let of_parent = || scope.clone().of_alias(parents);
            let joined = || assets::table.inner_join(on());
            let found = joined().filter(of_parent()).select(selected()).load(self.connection);
            let right = all.iter().filter(|(_, parent)| self.may_asset(parent));
            self.same("alias", found, right.map(|(asset, parent)| (id(asset), id(parent))), all.len())?;

            let found =
                joined().filter(scope.clone()).filter(of_parent()).select(selected()).load(self.connection);
            let right = all.iter().filter(|(asset, parent)| self.may_asset(asset) && self.may_asset(parent));
            let right = right.map(|(asset, parent)| (id(asset), id(parent)));
            self.same("table and alias", found, right, all.len())?;

            let answers = (assets::id, scope.clone().is_true(), of_parent().is_true());
            let found = joined().select(answers).load(self.connection);
            let right =
                all.iter().map(|(asset, parent)| (id(asset), self.may_asset(asset), self.may_asset(parent)));
            self.same("selected of an alias", found, right, all.len() + 1)?;
        }
        Ok(())
    }

    fn alias_alone(&mut self) -> Checked {
        let others = diesel::alias!(assets as others);
        for scope in self.scopes::<Asset>() {
            let found =
                others.filter(scope.of_alias(others)).select(others.field(assets::id)).load(self.connection);
            let right = self.service.assets.iter().filter(|asset| self.may_asset(asset)).map(id);
            self.same("alias alone", found, right, self.service.assets.len())?;
        }
        Ok(())
    }

    fn groups(&mut self) -> Checked {
        let all = self.sensors_of_assets();
        for (asset, sensor) in self.scopes::<Asset>().into_iter().zip(self.scopes::<Sensor>()) {
            let found = sensors::table
                .inner_join(assets::table.on(assets::id.eq(sensors::asset_id)))
                .filter(asset)
                .filter(sensor)
                .group_by(assets::id)
                .select((assets::id, count(sensors::id)))
                .load(self.connection);
            let mut right = BTreeMap::new();
            for (asset, _) in all.iter().filter(|(of, sensor)| self.may_asset(of) && self.may_sensor(sensor))
            {
                *right.entry(id(asset)).or_insert(0_i64) += 1;
            }
            self.same("grouped", found, right, all.len())?;
        }
        for account in self.scopes::<Account>() {
            let grouped = accounts::table.group_by(accounts::id);
            let found = grouped.select((accounts::id, account.is_true())).load(self.connection);
            let right = self.service.accounts.iter().map(|account| (account.id, self.may_account(account)));
            self.same("selected by the key", found, right, self.service.accounts.len() + 1)?;
        }
        Ok(())
    }

    fn subselects(&mut self) -> Checked {
        let pairs = self.assets_of_accounts();
        for (account, asset) in self.scopes::<Account>().into_iter().zip(self.scopes::<Asset>()) {
            let of_account = || assets::table.filter(assets::account_id.eq(accounts::id.nullable()));
            let found = accounts::table
                .filter(account)
                .filter(exists(of_account().filter(asset)))
                .select(accounts::id)
                .load(self.connection);
            let right = self.service.accounts.iter().filter(|account| {
                let of = pairs.iter().any(|(of, asset)| of.id == account.id && self.may_asset(asset));
                of && self.may_account(account)
            });
            self.same("exists", found, right.map(|account| account.id), self.service.accounts.len())?;
        }
        // About the row of the query around it.
        for account in self.scopes::<Account>() {
            let assets = assets::table.filter(assets::account_id.eq(accounts::id.nullable()));
            let found = accounts::table.filter(exists(assets.filter(account))).select(accounts::id);
            let found = found.load(self.connection);
            let right = self.service.accounts.iter().filter(|account| {
                pairs.iter().any(|(of, _)| of.id == account.id) && self.may_account(account)
            });
            self.same("of the query around", found, right.map(|account| account.id), pairs.len() + 1)?;
        }
        Ok(())
    }

    fn scoped_query(&mut self) -> Checked {
        let (subject, permission) = (self.subject.clone(), self.permission);
        let rows = || Sensor::accessible_by(&subject, permission);
        let all = self.service.sensors.len();
        let right: Vec<_> = self.service.sensors.iter().filter(|sensor| self.may_sensor(sensor)).collect();
        let ids: Vec<i64> = right.iter().map(|sensor| sensor.id).collect();

        let total = i64::try_from(ids.len()).unwrap();
        prop_assert_eq!(rows().count().get_result(self.connection), Ok(total));
        prop_assert_eq!(rows().select(count_star()).get_result(self.connection), Ok(total));
        let last: QueryResult<Option<i64>> = rows().select(max(sensors::id)).get_result(self.connection);
        prop_assert_eq!(last, Ok(ids.iter().copied().max()));
        for SensorRow { id, .. } in &self.service.sensors {
            let found = rows().find(*id).select(sensors::id).load::<i64>(self.connection);
            prop_assert_eq!(found, Ok(ids.iter().copied().filter(|other| other == id).collect()));
        }
        let mut assets: Vec<_> = right.iter().map(|sensor| sensor.asset_id.to_owned()).collect();
        assets.sort();
        assets.dedup();
        let found = rows().select(sensors::asset_id).distinct().load(self.connection);
        self.same("distinct", found, assets, all)?;
        let first = rows().order(sensors::id).first::<Sensor>(self.connection).optional();
        prop_assert_eq!(first.map(|found| found.map(|sensor| sensor.id)), Ok(ids.first().copied()));
        let page =
            rows().order(sensors::id).select(sensors::id).limit(2).offset(1).load::<i64>(self.connection);
        prop_assert_eq!(page, Ok(ids.iter().copied().skip(1).take(2).collect()));
        let iterated = rows()
            .select(sensors::id)
            .load_iter::<i64, diesel::connection::DefaultLoadingMode>(self.connection);
        let iterated = iterated.and_then(Iterator::collect);
        self.same("iterated", iterated, ids, all)
    }

    fn scoped_subselects(&mut self) -> Checked {
        let (subject, permission) = (self.subject.clone(), self.permission);
        let rows = || Asset::accessible_by(&subject, permission);
        let is_of = |asset: &AssetRow, sensor: &SensorRow| asset.id == sensor.asset_id;
        let (all, assets) = (&self.service.sensors, &self.service.assets);
        let of =
            |sensor: &SensorRow| assets.iter().any(|asset| is_of(asset, sensor) && self.may_asset(asset));
        let right: Vec<i64> = all.iter().filter(|sensor| of(sensor)).map(|sensor| sensor.id).collect();
        let others: Vec<i64> = all.iter().filter(|sensor| !of(sensor)).map(|sensor| sensor.id).collect();

        let among = || sensors::asset_id.eq_any(rows().select(assets::id));
        let found = sensors::table.filter(among()).select(sensors::id).load(self.connection);
        self.same("eq_any", found, right.clone(), all.len())?;
        let found = sensors::table.filter(not(among())).select(sensors::id).load(self.connection);
        self.same("not eq_any", found, others.clone(), all.len())?;
        let of_asset = || rows().exists_where(assets::id.eq(sensors::asset_id));
        let found = sensors::table.filter(of_asset()).select(sensors::id).load(self.connection);
        self.same("exists", found, right.clone(), all.len())?;
        let found = sensors::table.filter(not(of_asset())).select(sensors::id).load(self.connection);
        self.same("not exists", found, others, all.len())?;
        let found = sensors::table
            .left_join(accounts::table.on(accounts::id.eq(-1)))
            .filter(of_asset())
            .select((sensors::id, of_asset()))
            .load(self.connection);
        self.same("exists for a join", found, right.into_iter().map(|id| (id, true)), all.len())?;
        for asset in assets {
            let exists = rows().filter(assets::id.eq(asset.id)).exists();
            let found = diesel::select(exists).get_result::<bool>(self.connection);
            prop_assert_eq!(found, Ok(self.may_asset(asset)));
        }
        Ok(())
    }

    /// In the form for single rows and in that for many.
    fn scopes<M: auth_core::Scoped>(&self) -> [Scope<M>; 2] {
        let scope = M::scope(&self.subject, self.permission);
        [scope.clone(), scope.of_many()]
    }

    fn is_above(&self) -> bool {
        self.person.stands_above(self.permission).is_some()
    }

    fn may_account(&self, row: &AccountRow) -> bool {
        self.is_above() || Service::grants_account(row, self.person, self.permission)
    }

    fn may_asset(&self, row: &AssetRow) -> bool {
        self.is_above() || self.service.grants_asset(row, self.person, self.permission)
    }

    fn may_sensor(&self, row: &SensorRow) -> bool {
        self.is_above() || self.service.grants_sensor(row, self.person, self.permission)
    }

    fn account_of(&self, asset: &AssetRow) -> Option<&'a AccountRow> {
        self.service.accounts.iter().find(|account| asset.account_id == Some(account.id))
    }

    fn assets_of_accounts(&self) -> Vec<(&'a AccountRow, &'a AssetRow)> {
        let assets = self.service.assets.iter();
        assets.filter_map(|asset| self.account_of(asset).map(|account| (account, asset))).collect()
    }

    fn sensors_of_assets(&self) -> Vec<(&'a AssetRow, &'a SensorRow)> {
        let of = |sensor: &SensorRow| self.service.assets.iter().find(|asset| asset.id == sensor.asset_id);
        self.service.sensors.iter().filter_map(|sensor| of(sensor).map(|asset| (asset, sensor))).collect()
    }

    /// Compares rows in any order.
    fn same<T: Ord + std::fmt::Debug>(
        &self,
        what: &str,
        found: QueryResult<Vec<T>>,
        right: impl IntoIterator<Item = T>,
        all: usize,
    ) -> Checked {
        let mut found = found.map_err(|error| TestCaseError::fail(format!("{what}: {error}")))?;
        let mut right: Vec<T> = right.into_iter().collect();
        found.sort();
        right.sort();
        let (before, before_of) = self.counts.get();
        self.counts.set((before + found.len(), before_of + all));
        prop_assert_eq!(&found, &right, "{}, {} for {:?}", what, self.permission, self.person);
        Ok(())
    }
}

fn id(asset: &AssetRow) -> String {
    asset.id.to_owned()
}

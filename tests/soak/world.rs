//! The world that clients share: how it begins, and whether it ended as in the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use auth_core::mechanism::Passwords;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, dsl::count_star};
use energy_service::{
    database::{Connection, Database},
    schema::{
        account_roles, accounts, accounts_account_roles, assets, auth_tokens, measurements, roles, sensors,
        users, users_roles,
    },
};

use crate::soak::{
    ask::{PASSWORD, name},
    beginning::Beginning,
    choose::Request,
    history::Island,
    model::{ACCOUNT_ROLES, Account, Asset, By, Names, ROLES, State, User},
};

/// The platform, where the admins are, and others.
const ISLANDS: usize = 5;
pub(crate) const PLATFORM: usize = 0;

pub(crate) struct World {
    pub(crate) islands: Vec<Island>,
    /// By island, requests whose answer the change turns that is under way there.
    pub(crate) chased: Vec<Mutex<Vec<Request>>>,
    pub(crate) database: Database,
    numbers: AtomicU64,
    /// How many users who are not active have tried to log in: the service takes only so many.
    pub(crate) refused_log_ins: AtomicU64,
    /// The numbers of those that were admitted.
    pub(crate) renamed: Mutex<BTreeSet<u64>>,
    /// How many measurements were admitted, by sensor.
    pub(crate) recorded: Mutex<BTreeMap<i32, i64>>,
    /// The errors, for people.
    pub(crate) wrong: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn create(database: &Database) -> Self {
        let connection = &mut *database.connection().unwrap();
        for role in ROLES {
            diesel::insert_into(roles::table).values(roles::name.eq(role)).execute(connection).unwrap();
        }
        for role in ACCOUNT_ROLES {
            let role = account_roles::name.eq(role);
            diesel::insert_into(account_roles::table).values(role).execute(connection).unwrap();
        }
        let world = Self {
            islands: Vec::new(),
            chased: (0..ISLANDS).map(|_| Mutex::default()).collect(),
            database: database.clone(),
            numbers: AtomicU64::new(0),
            refused_log_ins: AtomicU64::new(0),
            renamed: Mutex::default(),
            recorded: Mutex::default(),
            wrong: Mutex::default(),
        };
        // The cost of a log-in is not the subject here.
        let password = Passwords::with_cost(32, 1, 1).unwrap().hash(PASSWORD).unwrap();
        let islands = (0..ISLANDS).map(|island| {
            let numbers = || world.number();
            let beginning = Beginning {
                connection,
                password: password.as_str(),
                numbers: &numbers,
                state: State::default(),
            };
            Island::new(beginning.of_island(island == PLATFORM))
        });
        let islands = islands.collect();
        Self { islands, ..world }
    }

    /// A number that no other object has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The differences between the database and the model.
    pub(crate) fn differences(&self) -> Vec<String> {
        let connection = &mut *self.database.connection().unwrap();
        let mut all = State::default();
        for island in &self.islands {
            let State { accounts, users, assets, sensors, credentials } = (*island.now()).clone();
            all.accounts.extend(accounts);
            all.users.extend(users);
            all.assets.extend(assets);
            all.sensors.extend(sensors);
            all.credentials.extend(credentials);
        }
        let mut differences = Vec::new();
        let mut compare = |what: &str, stored: String, modelled: String| {
            if stored != modelled {
                differences.push(format!("{what}\n  in the database {stored}\n  by the model {modelled}"));
            }
        };

        compare("accounts", format!("{:?}", stored_accounts(connection)), format!("{:?}", all.accounts));
        compare("users", format!("{:?}", stored_users(connection)), format!("{:?}", all.users));
        let stored: BTreeMap<i32, Asset> = assets::table
            .select((assets::id, assets::account_id, assets::parent_asset_id))
            .load::<(i32, Option<i32>, Option<i32>)>(connection)
            .unwrap()
            .into_iter()
            .map(|(id, account, parent)| (id, Asset { account, parent }))
            .collect();
        compare("assets", format!("{stored:?}"), format!("{:?}", all.assets));
        let stored: BTreeMap<i32, i32> = sensors::table
            .select((sensors::id, sensors::asset_id))
            .load(connection)
            .unwrap()
            .into_iter()
            .collect();
        compare("sensors", format!("{stored:?}"), format!("{:?}", all.sensors));

        let stored: i64 = auth_tokens::table.count().get_result(connection).unwrap();
        let good = all.credentials.values().filter(|it| it.good && it.by == By::Token).count();
        compare("tokens", stored.to_string(), good.to_string());

        let mut names: Vec<String> = accounts::table.select(accounts::name).load(connection).unwrap();
        names.extend(users::table.select(users::username).load::<String>(connection).unwrap());
        names.extend(assets::table.select(assets::name).load::<String>(connection).unwrap());
        names.extend(sensors::table.select(sensors::name).load::<String>(connection).unwrap());
        let renamed: BTreeSet<String> = self.renamed.lock().unwrap().iter().copied().map(name).collect();
        names.retain(|name| name != "new" && !renamed.contains(name));
        compare("names that were refused", format!("{names:?}"), "[]".to_owned());

        let stored: BTreeMap<i32, i64> = measurements::table
            .group_by(measurements::sensor_id)
            .select((measurements::sensor_id, count_star()))
            .load(connection)
            .unwrap()
            .into_iter()
            .collect();
        let mut recorded = self.recorded.lock().unwrap().clone();
        recorded.retain(|sensor, _| all.sensors.contains_key(sensor));
        compare("measurements by sensor", format!("{stored:?}"), format!("{recorded:?}"));
        differences
    }
}

fn stored_accounts(connection: &mut Connection) -> BTreeMap<i32, Account> {
    let rows: Vec<(i32, Option<i32>)> =
        accounts::table.select((accounts::id, accounts::consultancy_account_id)).load(connection).unwrap();
    let held: Vec<(i32, String)> = accounts_account_roles::table
        .inner_join(account_roles::table)
        .select((accounts_account_roles::account_id, account_roles::name))
        .load(connection)
        .unwrap();
    let account =
        |(id, consultancy)| (id, Account { consultancy, roles: held_by(id, &held, &ACCOUNT_ROLES) });
    rows.into_iter().map(account).collect()
}

fn stored_users(connection: &mut Connection) -> BTreeMap<i32, User> {
    let rows: Vec<(i32, i32, bool, String)> = users::table
        .select((users::id, users::account_id, users::active, users::email))
        .load(connection)
        .unwrap();
    let held: Vec<(i32, String)> = users_roles::table
        .inner_join(roles::table)
        .select((users_roles::user_id, roles::name))
        .load(connection)
        .unwrap();
    let user = |(id, account, active, email): (i32, _, _, String)| {
        (id, User { account, roles: held_by(id, &held, &ROLES), active, email: email.into() })
    };
    rows.into_iter().map(user).collect()
}

fn held_by(id: i32, held: &[(i32, String)], names: &[&'static str]) -> Names {
    names.iter().filter(|&&name| held.iter().any(|(of, held)| *of == id && held == name)).copied().collect()
}

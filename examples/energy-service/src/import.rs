//! Imports a world from a file: accounts, users, assets, sensors and entries of the audit log, with the ids
//! that the file gives them. For tests and trials on other data; no imported user has a password.
//!
//! The file is JSON, `{"worlds": [world, …]}`, where a world is a [`World`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use auth_core::mechanism::{GenerateTokenError, PasswordError, Passwords, Token};
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, dsl::exists, result::Error as DieselError,
};
use serde::Deserialize;

use crate::{
    database::{Connection, Database, Instant},
    error::ServiceError,
    schema::{
        account_roles, accounts, accounts_account_roles, asset_audit_log, assets, audit_log, auth_tokens,
        roles, sensors, users, users_roles,
    },
};

/// A world, as the file has it. Ids are positive, and unique within a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Its name in the file.
    pub name: String,
    /// The accounts.
    pub accounts: Vec<WorldAccount>,
    /// The users, all active.
    pub users: Vec<WorldUser>,
    /// The assets.
    pub assets: Vec<WorldAsset>,
    /// The sensors.
    pub sensors: Vec<WorldSensor>,
    /// The entries about accounts and users.
    pub audit_log: Vec<WorldAuditLog>,
    /// The entries about assets.
    pub asset_audit_log: Vec<WorldAssetAuditLog>,
}

/// An account of a [`World`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldAccount {
    /// The key.
    pub id: i32,
    /// The account whose consultants look after this one. It may stand further down, and be this one.
    pub consultancy_account_id: Option<i32>,
    /// The names of the account's roles.
    pub roles: Vec<String>,
}

/// A user of a [`World`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldUser {
    /// The key.
    pub id: i32,
    /// The account that the user belongs to.
    pub account_id: i32,
    /// The names of the user's roles.
    pub roles: Vec<String>,
}

/// An asset of a [`World`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldAsset {
    /// The key.
    pub id: i32,
    /// Its account; none makes it public.
    pub account_id: Option<i32>,
    /// The asset of which it is a part. That may stand further down.
    pub parent_asset_id: Option<i32>,
}

/// A sensor of a [`World`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSensor {
    /// The key.
    pub id: i32,
    /// The asset that it measures.
    pub asset_id: i32,
}

/// An entry of a [`World`] about an account or a user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldAuditLog {
    /// The key.
    pub id: i32,
    /// The user that it is about.
    pub affected_user_id: Option<i32>,
    /// The account that it is about.
    pub affected_account_id: Option<i32>,
}

/// An entry of a [`World`] about an asset.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldAssetAuditLog {
    /// The key.
    pub id: i32,
    /// The asset that it is about.
    pub affected_asset_id: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Worlds {
    worlds: Vec<World>,
}

impl World {
    /// Reads the world with this name from a file.
    ///
    /// # Errors
    ///
    /// When there is no such file, it has another form, or it has no such world.
    pub fn read(path: &Path, name: &str) -> Result<Self, ImportError> {
        let bytes = fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
        let Worlds { worlds } = serde_json::from_slice(&bytes).map_err(|source| {
            let path = path.to_owned();
            if source.is_data() {
                ImportError::Shape { path, source }
            } else {
                ImportError::Json { path, source }
            }
        })?;
        let names = worlds.iter().map(|world| format!("{:?}", world.name)).collect::<Vec<_>>().join(", ");
        let mut meant = worlds.into_iter().filter(|world| world.name == name);
        match (meant.next(), meant.next()) {
            (Some(world), None) => Ok(world),
            (Some(_), Some(_)) => Err(ImportError::Ambiguous { name: name.to_owned() }),
            (None, _) => Err(ImportError::Unknown { name: name.to_owned(), names }),
        }
    }

    /// Checks that every referenced object is there, and none is there twice. The database would find out, too, but not
    /// say where the fault is.
    fn check(&self) -> Result<(), ImportError> {
        let accounts = ids("account", self.accounts.iter().map(|account| account.id))?;
        let users = ids("user", self.users.iter().map(|user| user.id))?;
        let assets = ids("asset", self.assets.iter().map(|asset| asset.id))?;
        ids("sensor", self.sensors.iter().map(|sensor| sensor.id))?;
        ids("entry of `audit_log`", self.audit_log.iter().map(|entry| entry.id))?;
        ids("entry of `asset_audit_log`", self.asset_audit_log.iter().map(|entry| entry.id))?;

        for account in &self.accounts {
            let known = Known { of: ("account", account.id), kind: "account", ids: &accounts };
            known.has("consultancy_account_id", account.consultancy_account_id)?;
            unique_roles("account", account.id, &account.roles)?;
        }
        for user in &self.users {
            let known = Known { of: ("user", user.id), kind: "account", ids: &accounts };
            known.has("account_id", Some(user.account_id))?;
            unique_roles("user", user.id, &user.roles)?;
        }
        for asset in &self.assets {
            let of = ("asset", asset.id);
            Known { of, kind: "account", ids: &accounts }.has("account_id", asset.account_id)?;
            Known { of, kind: "asset", ids: &assets }.has("parent_asset_id", asset.parent_asset_id)?;
        }
        for sensor in &self.sensors {
            let known = Known { of: ("sensor", sensor.id), kind: "asset", ids: &assets };
            known.has("asset_id", Some(sensor.asset_id))?;
        }
        for entry in &self.audit_log {
            let of = ("entry of `audit_log`", entry.id);
            Known { of, kind: "user", ids: &users }.has("affected_user_id", entry.affected_user_id)?;
            Known { of, kind: "account", ids: &accounts }
                .has("affected_account_id", entry.affected_account_id)?;
        }
        for entry in &self.asset_audit_log {
            let of = ("entry of `asset_audit_log`", entry.id);
            Known { of, kind: "asset", ids: &assets }.has("affected_asset_id", entry.affected_asset_id)?;
        }
        Ok(())
    }
}

/// The largest id of a file. The rows that the service adds are numbered behind it, and need room.
const MAX_ID: i32 = 2_000_000_000;

/// The ids of a list, each positive, not too large, and there once.
fn ids(kind: &str, ids: impl Iterator<Item = i32>) -> Result<BTreeSet<i32>, ImportError> {
    let mut known = BTreeSet::new();
    for id in ids {
        // MySQL takes 0 for "the next one".
        if id < 1 {
            return Err(ImportError::Invalid(format!("{kind} {id}: an id is at least 1")));
        }
        if id > MAX_ID {
            return Err(ImportError::Invalid(format!("{kind} {id}: an id is at most {MAX_ID}")));
        }
        if !known.insert(id) {
            return Err(ImportError::Invalid(format!("{kind} {id} is there twice")));
        }
    }
    Ok(known)
}

fn unique_roles(kind: &str, id: i32, roles: &[String]) -> Result<(), ImportError> {
    let mut known = BTreeSet::new();
    for role in roles {
        if role.trim().is_empty() {
            return Err(ImportError::Invalid(format!("{kind} {id} has a role without a name")));
        }
        if !known.insert(role) {
            return Err(ImportError::Invalid(format!("{kind} {id} has the role {role:?} twice")));
        }
    }
    Ok(())
}

/// The objects to which an object may refer.
struct Known<'a> {
    of: (&'a str, i32),
    kind: &'a str,
    ids: &'a BTreeSet<i32>,
}

impl Known<'_> {
    fn has(&self, field: &str, id: Option<i32>) -> Result<(), ImportError> {
        match id {
            Some(id) if !self.ids.contains(&id) => {
                let (Self { kind, .. }, (of, of_id)) = (self, self.of);
                Err(ImportError::Invalid(format!(
                    "`{field}` of {of} {of_id} is {id}, and there is no {kind} {id}"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Stores a world in an empty database, all of it or nothing.
///
/// # Errors
///
/// When the database holds data already, or the world contradicts itself.
pub fn import(world: &World, database: &Database) -> Result<(), ImportError> {
    store(world, database, |_| Ok(()))
}

/// Stores a world in an empty database, as [`import`] does, and logs each user in: a token for each user by
/// the user's id. Only their hashes are stored.
///
/// ```
/// # use std::time::Duration;
/// use energy_service::{
///     database::{Database, Location},
///     import::{World, import_with_tokens},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world: World = serde_json::from_str(
///     r#"{
///         "name": "small",
///         "accounts": [{ "id": 3, "consultancy_account_id": null, "roles": [] }],
///         "users": [{ "id": 7, "account_id": 3, "roles": ["account-admin"] }],
///         "assets": [], "sensors": [], "audit_log": [], "asset_audit_log": []
///     }"#,
/// )?;
/// let database = Database::open(&Location::Memory, 1, Duration::from_secs(2))?;
/// let tokens = import_with_tokens(&world, &database)?;
/// assert!(tokens.contains_key(&7));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`import`], and when the system has no random numbers to give.
pub fn import_with_tokens(world: &World, database: &Database) -> Result<BTreeMap<i32, Token>, ImportError> {
    store(world, database, |connection| {
        let mut tokens = BTreeMap::new();
        for user in &world.users {
            let token = Token::generate()?;
            diesel::insert_into(auth_tokens::table)
                .values((
                    auth_tokens::token_hash.eq(token.hash().as_bytes().as_slice()),
                    auth_tokens::user_id.eq(user.id),
                    auth_tokens::created_at.eq(Instant::now()),
                ))
                .execute(connection)?;
            tokens.insert(user.id, token);
        }
        Ok(tokens)
    })
}

fn store<T>(
    world: &World,
    database: &Database,
    mut and_then: impl FnMut(&mut Connection) -> Result<T, ImportError>,
) -> Result<T, ImportError> {
    world.check()?;
    // A hash of a password that nobody knows, and that this service forgets at once: so no user has a password.
    let password_hash = Passwords::new().hash(Token::generate()?.as_str())?;
    let mut connection = database.connection()?;
    connection.immediate_transaction(|connection| {
        if !is_empty(connection)? {
            return Err(ImportError::Occupied);
        }
        insert_accounts(&world.accounts, connection)?;
        insert_users(&world.users, password_hash.as_str(), connection)?;
        insert_assets(&world.assets, connection)?;
        for sensor in &world.sensors {
            diesel::insert_into(sensors::table)
                .values((
                    sensors::id.eq(sensor.id),
                    sensors::asset_id.eq(sensor.asset_id),
                    sensors::name.eq(format!("sensor {}", sensor.id)),
                    sensors::unit.eq(""),
                    sensors::event_resolution_minutes.eq(15),
                ))
                .execute(connection)?;
        }
        insert_entries(world, connection)?;
        for table in ["accounts", "users", "assets", "sensors", "audit_log", "asset_audit_log"] {
            connection.number_on(table)?;
        }
        and_then(connection)
    })
}

/// Roles without users do not count: every database of the service may have those.
fn is_empty(connection: &mut Connection) -> QueryResult<bool> {
    let there = diesel::select((
        exists(accounts::table.select(accounts::id)),
        exists(assets::table.select(assets::id)),
        exists(audit_log::table.select(audit_log::id)),
        exists(asset_audit_log::table.select(asset_audit_log::id)),
    ));
    Ok(there.get_result::<(bool, bool, bool, bool)>(connection)? == (false, false, false, false))
}

fn insert_accounts(list: &[WorldAccount], connection: &mut Connection) -> QueryResult<()> {
    for account in list {
        diesel::insert_into(accounts::table)
            .values((accounts::id.eq(account.id), accounts::name.eq(format!("account {}", account.id))))
            .execute(connection)?;
    }
    // An account may stand before its consultancy.
    for account in list.iter().filter(|account| account.consultancy_account_id.is_some()) {
        diesel::update(accounts::table.find(account.id))
            .set(accounts::consultancy_account_id.eq(account.consultancy_account_id))
            .execute(connection)?;
    }

    let stored: BTreeSet<String> =
        account_roles::table.select(account_roles::name).load(connection)?.into_iter().collect();
    let names: BTreeSet<_> = list.iter().flat_map(|account| &account.roles).collect();
    for name in names.into_iter().filter(|name| !stored.contains(*name)) {
        diesel::insert_into(account_roles::table).values(account_roles::name.eq(name)).execute(connection)?;
    }
    for (account, role) in list.iter().flat_map(|account| account.roles.iter().map(|role| (account.id, role)))
    {
        let role: i32 = account_roles::table
            .filter(account_roles::name.eq(role))
            .select(account_roles::id)
            .first(connection)?;
        diesel::insert_into(accounts_account_roles::table)
            .values((
                accounts_account_roles::account_id.eq(account),
                accounts_account_roles::account_role_id.eq(role),
            ))
            .execute(connection)?;
    }
    Ok(())
}

fn insert_users(list: &[WorldUser], password_hash: &str, connection: &mut Connection) -> QueryResult<()> {
    for user in list {
        diesel::insert_into(users::table)
            .values((
                users::id.eq(user.id),
                users::account_id.eq(user.account_id),
                users::email.eq(format!("user-{}@import.example", user.id)),
                users::username.eq(format!("user {}", user.id)),
                users::password_hash.eq(password_hash),
                users::active.eq(true),
            ))
            .execute(connection)?;
    }

    let stored: BTreeSet<String> = roles::table.select(roles::name).load(connection)?.into_iter().collect();
    let names: BTreeSet<_> = list.iter().flat_map(|user| &user.roles).collect();
    for name in names.into_iter().filter(|name| !stored.contains(*name)) {
        diesel::insert_into(roles::table).values(roles::name.eq(name)).execute(connection)?;
    }
    for (user, role) in list.iter().flat_map(|user| user.roles.iter().map(|role| (user.id, role))) {
        let role: i32 = roles::table.filter(roles::name.eq(role)).select(roles::id).first(connection)?;
        diesel::insert_into(users_roles::table)
            .values((users_roles::user_id.eq(user), users_roles::role_id.eq(role)))
            .execute(connection)?;
    }
    Ok(())
}

fn insert_assets(list: &[WorldAsset], connection: &mut Connection) -> QueryResult<()> {
    for asset in list {
        diesel::insert_into(assets::table)
            .values((
                assets::id.eq(asset.id),
                assets::name.eq(format!("asset {}", asset.id)),
                assets::account_id.eq(asset.account_id),
            ))
            .execute(connection)?;
    }
    // An asset may stand before its parent.
    for asset in list.iter().filter(|asset| asset.parent_asset_id.is_some()) {
        diesel::update(assets::table.find(asset.id))
            .set(assets::parent_asset_id.eq(asset.parent_asset_id))
            .execute(connection)?;
    }
    Ok(())
}

fn insert_entries(world: &World, connection: &mut Connection) -> QueryResult<()> {
    let now = Instant::now();
    for entry in &world.audit_log {
        diesel::insert_into(audit_log::table)
            .values((
                audit_log::id.eq(entry.id),
                audit_log::event_datetime.eq(now),
                audit_log::event.eq("imported"),
                audit_log::affected_user_id.eq(entry.affected_user_id),
                audit_log::affected_account_id.eq(entry.affected_account_id),
            ))
            .execute(connection)?;
    }
    for entry in &world.asset_audit_log {
        diesel::insert_into(asset_audit_log::table)
            .values((
                asset_audit_log::id.eq(entry.id),
                asset_audit_log::event_datetime.eq(now),
                asset_audit_log::event.eq("imported"),
                asset_audit_log::affected_asset_id.eq(entry.affected_asset_id),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Why a world is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such file, or it may not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is no JSON.
    #[error("`{}` is not JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The place and the fault.
        source: serde_json::Error,
    },
    /// The file is JSON, and something else than worlds.
    #[error("`{}` does not hold worlds as they should be", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The place and the fault.
        source: serde_json::Error,
    },
    /// The file has no such world.
    #[error("there is no world {name:?} in the file; the worlds are: {names}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names in the file.
        names: String,
    },
    /// The file has two worlds of this name.
    #[error("there are several worlds {name:?} in the file; give them different names")]
    Ambiguous {
        /// The name that was given.
        name: String,
    },
    /// The world contradicts itself.
    #[error("the world cannot be imported: {0}")]
    Invalid(String),
    /// The ids of the file may be in use.
    #[error("a world is for an empty database, and this one holds other data: name another database")]
    Occupied,
    /// The database failed.
    #[error("cannot store the world")]
    Database(#[from] DieselError),
    /// No connection.
    #[error("cannot store the world")]
    Connection(#[from] ServiceError),
    /// There are no random numbers to be had.
    #[error("cannot make tokens and passwords for the users")]
    Token(#[from] GenerateTokenError),
    /// There is no memory to be had.
    #[error("cannot make tokens and passwords for the users")]
    Password(#[from] PasswordError),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ImportError, World, import, is_empty, store};
    use crate::database::{Database, Location};

    const WORLD: &str = r#"{
        "name": "small",
        "accounts": [
            { "id": 1, "consultancy_account_id": 2, "roles": ["Prosumer"] },
            { "id": 2, "consultancy_account_id": 2, "roles": ["Consultancy", "Prosumer"] }
        ],
        "users": [
            { "id": 11, "account_id": 1, "roles": ["account-admin"] },
            { "id": 12, "account_id": 2, "roles": ["account-admin", "consultant"] }
        ],
        "assets": [
            { "id": 21, "account_id": 1, "parent_asset_id": 22 },
            { "id": 22, "account_id": null, "parent_asset_id": null }
        ],
        "sensors": [{ "id": 31, "asset_id": 22 }],
        "audit_log": [{ "id": 41, "affected_user_id": 12, "affected_account_id": 1 }],
        "asset_audit_log": [{ "id": 51, "affected_asset_id": 21 }]
    }"#;

    fn empty() -> Database {
        Database::open(&Location::Memory, 1, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn a_world_is_imported_as_a_whole_or_not_at_all() {
        let database = empty();
        let world: World = serde_json::from_str(WORLD).unwrap();
        let failing = store(&world, &database, |_| Err::<(), _>(ImportError::Invalid(String::new())));
        assert!(matches!(failing, Err(ImportError::Invalid(_))));
        assert!(is_empty(&mut database.connection().unwrap()).unwrap());

        import(&world, &database).unwrap();
        assert!(matches!(import(&world, &database), Err(ImportError::Occupied)));
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_the_reason() {
        for (right, wrong, reason) in [
            (
                r#""consultancy_account_id": 2, "roles": ["Prosumer"]"#,
                r#""consultancy_account_id": 9, "roles": []"#,
                "`consultancy_account_id` of account 1 is 9, and there is no account 9",
            ),
            (
                r#""id": 11, "account_id": 1"#,
                r#""id": 11, "account_id": 11"#,
                "`account_id` of user 11 is 11, and there is no account 11",
            ),
            (
                r#""id": 21, "account_id": 1"#,
                r#""id": 21, "account_id": 11"#,
                "`account_id` of asset 21 is 11, and there is no account 11",
            ),
            (
                r#""parent_asset_id": 22"#,
                r#""parent_asset_id": 1"#,
                "`parent_asset_id` of asset 21 is 1, and there is no asset 1",
            ),
            (
                r#""asset_id": 22"#,
                r#""asset_id": 31"#,
                "`asset_id` of sensor 31 is 31, and there is no asset 31",
            ),
            (
                r#""affected_user_id": 12"#,
                r#""affected_user_id": 1"#,
                "`affected_user_id` of entry of `audit_log` 41 is 1, and there is no user 1",
            ),
            (
                r#""affected_account_id": 1"#,
                r#""affected_account_id": 12"#,
                "`affected_account_id` of entry of `audit_log` 41 is 12, and there is no account 12",
            ),
            (
                r#""affected_asset_id": 21"#,
                r#""affected_asset_id": 51"#,
                "`affected_asset_id` of entry of `asset_audit_log` 51 is 51, and there is no asset 51",
            ),
            (r#""id": 12, "account_id""#, r#""id": 11, "account_id""#, "user 11 is there twice"),
            (r#""id": 31"#, r#""id": 0"#, "sensor 0: an id is at least 1"),
            (
                r#"["account-admin", "consultant"]"#,
                r#"["consultant", "consultant"]"#,
                "user 12 has the role \"consultant\" twice",
            ),
            (r#"["Prosumer"]"#, r#"[" "]"#, "account 1 has a role without a name"),
        ] {
            assert!(WORLD.contains(right), "{right}");
            let world: World = serde_json::from_str(&WORLD.replacen(right, wrong, 1)).unwrap();
            let database = empty();
            let error = import(&world, &database).unwrap_err().to_string();
            assert_eq!(error, format!("the world cannot be imported: {reason}"));
            assert!(is_empty(&mut database.connection().unwrap()).unwrap());
        }
    }
}

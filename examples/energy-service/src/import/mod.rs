//! Imports a world from a file: accounts, users, assets, sensors and entries of the audit log, with the ids
//! that the file gives them. For tests and trials on other data; no imported user has a password.
//!
//! The file is JSON, `{"worlds": [world, …]}`, where a world is a [`World`].

mod error;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use auth_core::mechanism::{Passwords, Token};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, dsl::exists};

pub use self::{
    error::ImportError,
    world::{World, WorldAccount, WorldAsset, WorldAssetAuditLog, WorldAuditLog, WorldSensor, WorldUser},
};
use crate::{
    database::{Connection, Database, Instant},
    models::role::{add_account_roles, add_roles, give_account_role, give_role},
    schema::{accounts, asset_audit_log, assets, audit_log, auth_tokens, sensors, users},
};

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

    let names: BTreeSet<_> = list.iter().flat_map(|account| &account.roles).map(String::as_str).collect();
    add_account_roles(&Vec::from_iter(names), connection)?;
    for account in list {
        for role in &account.roles {
            give_account_role(account.id, role, connection)?;
        }
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

    let names: BTreeSet<_> = list.iter().flat_map(|user| &user.roles).map(String::as_str).collect();
    add_roles(&Vec::from_iter(names), connection)?;
    for user in list {
        for role in &user.roles {
            give_role(user.id, role, connection)?;
        }
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

//! A world, as its file has it: reading and checking.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use super::ImportError;

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
    pub(super) fn check(&self) -> Result<(), ImportError> {
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

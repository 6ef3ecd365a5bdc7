//! The parameters that narrow the list of assets down, beside those of all lists: to an account, to a tree of assets, and to some
//! of their fields. They are those of FlexMeasures, whose client writes `True` and `False`.

use std::collections::BTreeSet;

use auth_core::{Accessible, CurrentUser, Permission, Stored, permission::Read};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{bounds, input::within, page::ListQuery};
use crate::{auth::LoggedIn, database::Database, error::ServiceError, models::Asset, schema::assets};

/// The fields of an asset that a client may select.
const FIELDS: [&str; 14] = [
    "id",
    "name",
    "account_id",
    "latitude",
    "longitude",
    "parent_asset_id",
    "inherits_access",
    "generic_asset_type_id",
    "attributes",
    "flex_context",
    "flex_model",
    "sensors_to_show",
    "sensors_to_show_as_kpis",
    "_can",
];

/// The rows that the client wants, among those that the caller may read.
pub(super) struct Narrowing {
    /// The assets of this account.
    pub(super) account: Option<i32>,
    /// Public assets, too; by default, where no account is named.
    pub(super) public: bool,
    /// These assets.
    pub(super) tree: Option<Vec<i32>>,
}

/// The parameters beyond those of other lists.
pub(super) struct Parameters {
    all_accessible: Option<bool>,
    include_public: Option<bool>,
    root: Option<i32>,
    depth: Option<u32>,
    fields: Option<BTreeSet<&'static str>>,
}

impl Parameters {
    pub(super) fn of<C, A, S>(page: &ListQuery<C, A, S, String>) -> Result<Self, ServiceError> {
        let depth = page.depth.as_deref().map(|text| number("depth", text)).transpose()?;
        if let Some(depth) = depth {
            within("depth", depth, &bounds::DEPTH)?;
        }
        Ok(Self {
            all_accessible: page
                .all_accessible
                .as_deref()
                .map(|text| flag("all_accessible", text))
                .transpose()?,
            include_public: page
                .include_public
                .as_deref()
                .map(|text| flag("include_public", text))
                .transpose()?,
            root: page.root.as_deref().map(|text| number("root", text)).transpose()?,
            depth,
            fields: page.fields.as_deref().map(fields).transpose()?,
        })
    }

    /// The rows. A caller who names a root has to be allowed to read it, and without one the roots are all assets that are no
    /// parts. The parts below are those that the caller may read, and whose whole is one of these.
    pub(super) async fn narrowing(
        &self,
        account_id: Option<i32>,
        readable: &Accessible<Asset, Read>,
        current_user: &CurrentUser<LoggedIn>,
        database: &Database,
    ) -> Result<Narrowing, ServiceError> {
        let own = (self.all_accessible == Some(false)).then_some(current_user.account_id);
        let account = account_id.or(own);
        let public = self.include_public.unwrap_or(account.is_none());
        let tree = if self.root.is_some() || self.depth.is_some() {
            let depth = self.depth.unwrap_or(*bounds::DEPTH.end());
            Some(tree(self.root, depth, readable.clone(), current_user.clone(), database).await?)
        } else {
            None
        };
        Ok(Narrowing { account, public, tree })
    }

    /// The fields that the client selected.
    pub(super) fn fields(&self) -> Option<&BTreeSet<&'static str>> {
        self.fields.as_ref()
    }
}

/// These fields of an asset.
pub(super) fn only(
    asset: &impl Serialize,
    fields: &BTreeSet<&str>,
) -> Result<Map<String, Value>, ServiceError> {
    match serde_json::to_value(asset).map_err(ServiceError::internal)? {
        Value::Object(mut asset) => {
            asset.retain(|name, _| fields.contains(name.as_str()));
            Ok(asset)
        }
        _ => Ok(Map::new()),
    }
}

async fn tree(
    root: Option<i32>,
    depth: u32,
    readable: Accessible<Asset, Read>,
    current_user: CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Vec<i32>, ServiceError> {
    database
        .run(move |connection| {
            connection.read_transaction(|connection| {
                let most = usize::try_from(bounds::ROWS).unwrap_or(usize::MAX);
                let mut wholes: Vec<i32> = if let Some(root) = root {
                    Asset::check_access(connection, &*current_user, root, Permission::READ)?.into_result()?;
                    vec![root]
                } else {
                    let wholes = readable.query().filter(assets::parent_asset_id.is_null());
                    wholes.select(assets::id).limit(bounds::ROWS + 1).load(connection)?
                };
                let mut found: BTreeSet<i32> = wholes.iter().copied().collect();
                for level in 0..=depth {
                    if found.len() > most {
                        let problem = format!("finds more than {most} assets; choose one by `root`");
                        return Err(ServiceError::invalid_field("depth", problem));
                    }
                    if wholes.is_empty() || level == depth {
                        break;
                    }
                    let parts = readable.query().filter(assets::parent_asset_id.eq_any(wholes));
                    wholes = parts.select(assets::id).limit(bounds::ROWS + 1).load(connection)?;
                    // Parts may be parts of each other.
                    wholes.retain(|id| found.insert(*id));
                }
                Ok(found.into_iter().collect())
            })
        })
        .await
}

fn flag(name: &'static str, text: &str) -> Result<bool, ServiceError> {
    match text {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(ServiceError::invalid_field(name, "is neither `true` nor `false`")),
    }
}

fn number<N: std::str::FromStr>(name: &'static str, text: &str) -> Result<N, ServiceError> {
    text.parse().map_err(|_| ServiceError::invalid_field(name, "is not a whole number"))
}

fn fields(text: &str) -> Result<BTreeSet<&'static str>, ServiceError> {
    let known = |name| FIELDS.into_iter().find(|known| *known == name);
    text.split('|')
        .map(|name| {
            known(name).ok_or_else(|| {
                ServiceError::invalid_field(
                    "fields",
                    format!("has a name that is none of {}", FIELDS.join(", ")),
                )
            })
        })
        .collect()
}

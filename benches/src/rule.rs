//! The rule after FlexMeasures: which callers may read an asset.
//!
//! Admins and admin-readers; members of its account; everyone, where it has no account; and consultants of the account
//! that consults its account. Changing it is for admins, and for account-admins of its account.

use auth_core::{
    Acl, AdminRoles, AuthModel, IdRef, LoadContext, Permission, Subject, account, allow,
    every_logged_in_user, nobody, role,
};
use diesel::{prelude::*, sqlite::Sqlite};
use serde::Serialize;

use crate::database::assets;

/// The context.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, LoadContext, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Sqlite))]
#[acl(
    read = account(account_id) | is_null(account_id) | account(consultancy_id) & role("consultant"),
    update = account(account_id) & role("account-admin"),
)]
pub struct Asset {
    pub id: i32,
    pub account_id: Option<i32>,
    pub consultancy_id: Option<i32>,
    pub name: String,
}

/// A second context with the same rows, whose list is an expression instead of a declaration.
pub struct Expressed<'a>(pub &'a Asset);

impl AuthModel for Expressed<'_> {
    fn acl(&self) -> impl Acl {
        let members = self.0.account_id.map(account);
        let everyone = self.0.account_id.is_none().then(every_logged_in_user);
        let consultants = self.0.consultancy_id.map(|id| account(id) & role("consultant"));
        allow(Permission::READ, nobody() | members | everyone | consultants)
            .allow(Permission::UPDATE, members & role("account-admin"))
    }
}

/// The caller.
#[derive(Debug, Clone)]
pub struct Caller {
    pub id: i32,
    pub account_id: Option<i32>,
    pub roles: Vec<String>,
}

impl Caller {
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }
}

impl Subject for Caller {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        self.account_id.map(Into::into)
    }

    fn has_role(&self, role: &str) -> bool {
        self.has_role(role)
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::flexmeasures()
    }
}

/// The rule as an `if`, which checks in the order of our decision.
#[must_use]
pub fn may_read(caller: &Caller, asset: &Asset) -> bool {
    caller.has_role("admin") || caller.has_role("admin-reader") || may_read_by_object(caller, asset)
}

/// The rule for a caller whose type is not known, as where an application has several.
#[must_use]
pub fn may_read_unknown(caller: &dyn Subject, asset: &Asset) -> bool {
    let is_of = |account: Option<i32>| account.is_some_and(|id| caller.account_id() == Some(id.into()));
    caller.has_role("admin")
        || caller.has_role("admin-reader")
        || asset.account_id.is_none()
        || is_of(asset.account_id)
        || is_of(asset.consultancy_id) && caller.has_role("consultant")
}

/// The rest of the rule, for a caller who is no admin.
#[must_use]
pub fn may_read_by_object(caller: &Caller, asset: &Asset) -> bool {
    asset.account_id.is_none()
        || asset.account_id == caller.account_id
        || asset.consultancy_id.is_some()
            && asset.consultancy_id == caller.account_id
            && caller.has_role("consultant")
}

#[must_use]
pub fn may_update(caller: &Caller, asset: &Asset) -> bool {
    caller.has_role("admin")
        || asset.account_id.is_some()
            && asset.account_id == caller.account_id
            && caller.has_role("account-admin")
}

/// A caller and an asset by the way in which the rule decides about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Admin,
    Member,
    Public,
    Consultant,
    /// A caller that no term matches, so that every term is evaluated.
    Stranger,
}

impl Case {
    pub const ALL: [Self; 5] = [Self::Admin, Self::Member, Self::Public, Self::Consultant, Self::Stranger];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Public => "public",
            Self::Consultant => "consultant",
            Self::Stranger => "stranger",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    #[must_use]
    pub fn caller(self) -> Caller {
        let (account_id, roles) = match self {
            Self::Admin => (9, vec!["account-admin", "admin"]),
            Self::Member => (1, vec!["account-admin", "planner"]),
            Self::Public | Self::Stranger => (9, vec!["account-admin", "planner"]),
            Self::Consultant => (2, vec!["account-admin", "consultant"]),
        };
        Caller { id: 7, account_id: Some(account_id), roles: roles.into_iter().map(str::to_owned).collect() }
    }

    #[must_use]
    pub fn asset(self) -> Asset {
        let account_id = (self != Self::Public).then_some(1);
        Asset { id: 3, account_id, consultancy_id: Some(2), name: "heat pump".to_owned() }
    }
}

/// Every combination of the values that the rule looks at.
#[must_use]
pub fn inputs() -> Vec<(Caller, Asset)> {
    const ROLES: [&str; 5] = ["admin", "admin-reader", "consultant", "account-admin", "planner"];

    let mut inputs = Vec::new();
    for chosen in 0..1 << ROLES.len() {
        let is_chosen = |(bit, _): &(usize, &str)| chosen >> bit & 1 == 1;
        let roles: Vec<_> =
            ROLES.into_iter().enumerate().filter(is_chosen).map(|(_, role)| role.to_owned()).collect();
        for own in [None, Some(1), Some(2)] {
            for account_id in [None, Some(1), Some(2), Some(3)] {
                for consultancy_id in [None, Some(1), Some(2), Some(3)] {
                    let caller = Caller { id: 7, account_id: own, roles: roles.clone() };
                    let asset = Asset { id: 3, account_id, consultancy_id, name: String::new() };
                    inputs.push((caller, asset));
                }
            }
        }
    }
    inputs
}

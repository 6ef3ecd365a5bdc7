//! Random subjects.

use std::time::SystemTime;

use auth_core::{AdminRoles, AllowReason, Permission, User};
use proptest::{option, prelude::any, prop_oneof, sample::select, strategy::Strategy};
use serde_json::{Value, json};

use crate::{
    moments::{NOWS, Now},
    policies::{CARRIED, ROLES},
};

/// A subject, as the library gets it and as it is written down.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    id: String,
    account: Option<String>,
    roles: Vec<&'static str>,
    account_roles: Vec<&'static str>,
    admin: Option<&'static str>,
    reader: Option<&'static str>,
    carried: Vec<&'static str>,
    now: Now,
}

/// Ids of every kind, of which some are equal to others for a database but not to the letter, and some wrap around to
/// 1 where they do not fit.
const IDS: [&str; 33] = [
    "1",
    "2",
    "3",
    "-1",
    "01",
    "+1",
    "65537",
    "4294967297",
    "18446744073709551617",
    "340282366920938463463374607431768211457",
    "32767",
    "2147483647",
    "9223372036854775807",
    "-9223372036854775808",
    "",
    " ",
    "a",
    "A",
    "a ",
    "ä",
    "mia",
    "MIA",
    "s0",
    "S0",
    "ss",
    "o'neill",
    "67e55044-10b1-426f-9247-0000000000ab",
    "67E55044-10B1-426F-9247-0000000000AB",
    "67e55044-10b1-426f-9247-000000000001",
    "67e5504410b1426f92470000000000ab",
    "{67E55044-10b1-426f-9247-0000000000ab}",
    "urn:uuid:67e55044-10b1-426f-9247-0000000000ab",
    // No database stores it, and one fails where it is compared.
    "a\0",
];

pub(crate) fn person() -> impl Strategy<Value = Person> {
    const COMMON: [&str; 4] = ["1", "2", "a", "67e55044-10b1-426f-9247-0000000000ab"];
    let id = || prop_oneof![2 => select(&COMMON[..]), 3 => select(&IDS[..])];
    let some = |common: &'static [&'static str]| proptest::sample::subsequence(common, 0..=common.len());
    (
        id(),
        option::weighted(0.8, id()),
        prop_oneof![6 => some(&["operator", "auditor"]), 1 => some(&ROLES)],
        prop_oneof![3 => some(&["operator", "auditor"]), 1 => some(&ROLES)],
        (any::<(u8, u8)>(), some(&CARRIED), select(&NOWS[..])),
    )
        .prop_map(|(id, account, roles, account_roles, ((admin, reader), carried, now))| Person {
            id: id.to_owned(),
            account: account.map(str::to_owned),
            roles,
            account_roles,
            // As FlexMeasures has them, another one, or none.
            admin: match admin % 8 {
                0..=5 => Some("admin"),
                6 => Some("Operator"),
                _ => None,
            },
            reader: match reader % 8 {
                0..=5 => Some("admin-reader"),
                6 => Some("auditor"),
                _ => None,
            },
            carried,
            now,
        })
}

/// For each id, a user who has it and whose account has it.
pub(crate) fn one_of_each_id() -> impl Iterator<Item = Person> {
    IDS.into_iter().map(|id| Person {
        id: id.to_owned(),
        account: Some(id.to_owned()),
        roles: Vec::new(),
        account_roles: Vec::new(),
        admin: None,
        reader: None,
        carried: Vec::new(),
        now: NOWS[0],
    })
}

impl Person {
    pub(crate) fn user(&self) -> User {
        let mut admins = AdminRoles::none();
        if let Some(role) = self.admin {
            admins = admins.admin(role);
        }
        if let Some(role) = self.reader {
            admins = admins.reader(role);
        }
        let user = User::new(self.id.as_str())
            .with_roles(self.roles.iter().copied())
            .with_account_roles(self.account_roles.iter().copied())
            .with_permissions(self.carried.iter().copied())
            .at(self.now.time())
            .with_admin_roles(admins);
        match &self.account {
            Some(account) => user.with_account(account.as_str()),
            None => user,
        }
    }

    /// As plain data, for a program that knows nothing of the library.
    pub(crate) fn written(&self) -> Value {
        let now = self.now.time().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        json!({
            "id": self.id,
            "account": self.account,
            "roles": self.roles,
            "account_roles": self.account_roles,
            "admin": self.admin,
            "reader": self.reader,
            "permissions": self.carried,
            "now": u64::try_from(now.as_micros()).unwrap(),
        })
    }

    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the roles of the user carry a permission.
    pub(crate) fn carries(&self, permission: &str) -> bool {
        self.carried.contains(&permission)
    }

    pub(crate) const fn now(&self) -> Now {
        self.now
    }

    /// A user without an account has none of an account's roles.
    pub(crate) fn account_has_role(&self, role: &str) -> bool {
        self.account.is_some() && self.account_roles.contains(&role)
    }

    /// Whether a value that is written like this is the user's id.
    pub(crate) fn is(&self, written: Option<&str>) -> bool {
        !self.id.is_empty() && written == Some(&self.id)
    }

    /// Whether a value that is written like this is the id of the user's account.
    pub(crate) fn is_of(&self, written: Option<&str>) -> bool {
        self.account.as_deref().is_some_and(|account| !account.is_empty() && written == Some(account))
    }

    /// [`is`](Self::is), where the text depends on the id.
    pub(crate) fn is_by(&self, written: impl Fn(&str) -> Option<String>) -> bool {
        self.is(written(&self.id).as_deref())
    }

    pub(crate) fn is_of_by(&self, written: impl Fn(&str) -> Option<String>) -> bool {
        self.account.as_deref().is_some_and(|account| self.is_of(written(account).as_deref()))
    }

    /// Why no policy is evaluated.
    pub(crate) fn stands_above(&self, permission: Permission) -> Option<AllowReason> {
        if self.admin.is_some_and(|role| self.has_role(role)) {
            Some(AllowReason::Admin)
        } else if permission == Permission::READ && self.reader.is_some_and(|role| self.has_role(role)) {
            Some(AllowReason::AdminReader)
        } else {
            None
        }
    }
}

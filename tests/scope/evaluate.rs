//! The meaning of a policy by the documentation, evaluated over rows in memory; and random subjects.

use auth_core::{AdminRoles, AllowReason, Permission, User};
use proptest::{option, prelude::any, prop_oneof, sample::select, strategy::Strategy};

use crate::{
    policies::{PERMISSIONS, Policies, ROLES, Rule},
    world::{Value, World, uuid_text},
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
        any::<(u8, u8)>(),
    )
        .prop_map(|(id, account, roles, account_roles, (admin, reader))| Person {
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
            .with_admin_roles(admins);
        match &self.account {
            Some(account) => user.with_account(account.as_str()),
            None => user,
        }
    }

    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
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
    fn is_by(&self, written: impl Fn(&str) -> Option<String>) -> bool {
        self.is(written(&self.id).as_deref())
    }

    fn is_of_by(&self, written: impl Fn(&str) -> Option<String>) -> bool {
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

/// An id is its text, and that of a UUID each of its texts; null has none.
fn written(value: &Value, id: &str) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Text(text) => Some((*text).to_owned()),
        Value::Bytes(bytes) => {
            let uuid = uuid_text(bytes)?;
            let spelled =
                [uuid.clone(), uuid.replace('-', ""), format!("{{{uuid}}}"), format!("urn:uuid:{uuid}")];
            spelled.iter().any(|text| text.eq_ignore_ascii_case(id)).then(|| id.to_owned())
        }
    }
}

/// Whether the person has the permission on the row.
pub(crate) fn is_allowed(
    policies: &Policies,
    world: &World,
    (table, row): (usize, &[Value]),
    person: &Person,
    permission: usize,
) -> bool {
    person.stands_above(PERMISSIONS[permission]).is_some()
        || Asked { policies, world, person }.grants(table, row, permission)
}

struct Asked<'a> {
    policies: &'a Policies,
    world: &'a World,
    person: &'a Person,
}

impl Asked<'_> {
    fn grants(&self, table: usize, row: &[Value], permission: usize) -> bool {
        self.policies.0[table][permission].iter().any(|rule| self.holds(rule, table, row))
    }

    fn holds(&self, rule: &Rule, table: usize, row: &[Value]) -> bool {
        match rule {
            Rule::EveryLoggedInUser => true,
            Rule::User(column) => self.person.is_by(|id| written(&row[*column], id)),
            Rule::Account(column) => self.person.is_of_by(|id| written(&row[*column], id)),
            Rule::Role(name) => self.person.has_role(name),
            Rule::AccountRole(name) => self.person.account_has_role(name),
            Rule::IsNull(column) => row[*column] == Value::Null,
            Rule::Flag(column) => row[*column] == Value::Bool(true),
            Rule::Through(relation, rule) => {
                let parent = crate::world::TABLES[table].relations[*relation].parent;
                self.world.parent(table, row, *relation).is_some_and(|row| self.holds(rule, parent, row))
            }
            Rule::Granted(relation, permission) => {
                let parent = crate::world::TABLES[table].relations[*relation].parent;
                self.world
                    .parent(table, row, *relation)
                    .is_some_and(|row| self.grants(parent, row, *permission))
            }
            Rule::Any(rules) => rules.iter().any(|rule| self.holds(rule, table, row)),
            Rule::All(rules) => !rules.is_empty() && rules.iter().all(|rule| self.holds(rule, table, row)),
        }
    }
}

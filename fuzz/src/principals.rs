//! Principals, and tables of them: texts of a file or a database.

use auth_core::{
    Acl as _, AclTable, AdminRoles, Id, Permission, Principal, Rule as _, User, account, account_role, role,
    user,
};
use serde_json::Value;

const PERMISSIONS: [Permission; 4] =
    [Permission::CREATE_CHILDREN, Permission::READ, Permission::UPDATE, Permission::DELETE];

/// The input's first line is a principal, the second one the name of the subject, and the rest a table.
///
/// A parsed principal is written as it was read. A principal matches exactly the subjects with that id, account or role,
/// letter for letter. A table grants exactly the permissions in its text, if it is one at all.
///
/// # Panics
///
/// If this does not hold.
#[must_use]
pub fn principals(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.splitn(3, '\n');
    let [principal, name, table] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let subjects = NamedSubject::all(name);
    let is_principal = principal_is_read(principal, &subjects);
    let is_table = table_is_read(table, &subjects);
    is_principal || is_table
}

/// A subject with this name in one place, and another name everywhere else.
struct NamedSubject {
    kind: &'static str,
    name: String,
    user: User,
}

impl NamedSubject {
    const KINDS: [&'static str; 4] = ["user", "account", "role", "account-role"];

    fn all(name: &str) -> [Self; 4] {
        Self::KINDS.map(|kind| {
            let other = format!("not {name}");
            let of = |own| if kind == own { name } else { other.as_str() };
            let user = User::new(of("user")).with_account(of("account")).with_admin_roles(AdminRoles::none());
            let user = match kind {
                "role" => user.with_roles([name]),
                "account-role" => user.with_account_roles([name]),
                _ => user,
            };
            Self { kind, name: name.to_owned(), user }
        })
    }

    /// Whether the text is about this subject.
    fn is(&self, principal: &str) -> bool {
        let other = |kind| self.kind != kind && principal == format!("{kind}:not {}", self.name);
        principal == "every-logged-in-user"
            || !self.name.is_empty() && principal == format!("{}:{}", self.kind, self.name)
            || other("user")
            || other("account")
    }
}

fn principal_is_read(text: &str, subjects: &[NamedSubject]) -> bool {
    let json = Value::from(text).to_string();
    let from_json = serde_json::from_str::<Principal>(&json).ok();
    let Ok(principal) = text.parse::<Principal>() else {
        assert_eq!(from_json, None, "a principal in JSON alone: {json}");
        return false;
    };
    assert_eq!(principal.to_string(), text);
    assert_eq!(principal.to_string().parse().as_ref(), Ok(&principal));
    assert_eq!(serde_json::to_string(&principal).unwrap(), json);
    assert_eq!(from_json.as_ref(), Some(&principal));
    for subject in subjects {
        let expected = subject.is(text);
        assert_eq!(principal.matches(&subject.user), expected, "{text} for {:?}", subject.user);
        let by_rule = match &principal {
            Principal::User(id) => user(id).matches(&subject.user),
            Principal::Account(id) => account(id).matches(&subject.user),
            Principal::Role(name) => role(name).matches(&subject.user),
            Principal::AccountRole(name) => account_role(name).matches(&subject.user),
            Principal::EveryLoggedInUser => true,
        };
        assert_eq!(by_rule, expected, "the rule for {text} for {:?}", subject.user);
    }
    if let Principal::User(id) | Principal::Account(id) = &principal {
        assert_eq!(Id::from(id.to_string()), *id);
    }
    true
}

fn table_is_read(json: &str, subjects: &[NamedSubject]) -> bool {
    let Ok(table) = serde_json::from_str::<AclTable>(json) else { return false };
    let written = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<AclTable>(&written).ok().as_ref(), Some(&table), "{written}");
    let written: Value = serde_json::from_str(json).unwrap();
    let mut grants = false;
    for permission in PERMISSIONS {
        for subject in subjects {
            let expected =
                written.get(permission.as_str()).is_some_and(|principals| is_granted(principals, subject));
            assert_eq!(
                table.grants(&subject.user, permission),
                expected,
                "{permission:?} for {:?}",
                subject.user
            );
            grants |= expected;
        }
    }
    grants
}

/// The meaning of the text: one principal, or a list of those that suffice, alone or together with others.
fn is_granted(principals: &Value, subject: &NamedSubject) -> bool {
    let is = |principal: &Value| principal.as_str().is_some_and(|principal| subject.is(principal));
    let suffices = |alternative: &Value| match alternative {
        Value::Array(together) => !together.is_empty() && together.iter().all(is),
        alone => is(alone),
    };
    match principals {
        Value::Array(alternatives) => alternatives.iter().any(suffices),
        alone => is(alone),
    }
}

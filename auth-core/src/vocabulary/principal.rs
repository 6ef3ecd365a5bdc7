//! Principals: the single terms that can match a subject, with their text form.
//!
//! The text form is FlexMeasures' (`flexmeasures.auth.policy`): `user:2`, `account:3`, `role:x`,
//! `account-role:y`, `every-logged-in-user`. Unlike there, a text that is none of these is an error.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::vocabulary::{Id, OwnId, Subject};

/// One term that can match a subject.
///
/// Lists as data hold `Principal`, with ids and names of their own. Rules by hand and declared policies are made of principals
/// that hold something else in place of an id: a borrowed id, or the column of a table.
///
/// ```
/// use auth_core::{Principal, User};
///
/// let principal: Principal = "account:3".parse()?;
/// assert!(principal.matches(&User::new(2).with_account(3)));
/// assert_eq!(principal.to_string(), "account:3");
/// assert!("acount:3".parse::<Principal>().is_err());
/// # Ok::<(), auth_core::ParsePrincipalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Principal<I = Id, N = String> {
    /// `user:<id>`: the user with this id.
    User(I),
    /// `account:<id>`: every user of this account.
    Account(I),
    /// `role:<name>`: every user with this role.
    Role(N),
    /// `account-role:<name>`: every user whose account has this role.
    AccountRole(N),
    /// `every-logged-in-user`: every subject, for an anonymous caller has none.
    EveryLoggedInUser,
}

const USER: &str = "user";
const ACCOUNT: &str = "account";
const ROLE: &str = "role";
const ACCOUNT_ROLE: &str = "account-role";
const EVERY_LOGGED_IN_USER: &str = "every-logged-in-user";

impl<I, N> Principal<I, N> {
    /// The first part of its text form.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => USER,
            Self::Account(_) => ACCOUNT,
            Self::Role(_) => ROLE,
            Self::AccountRole(_) => ACCOUNT_ROLE,
            Self::EveryLoggedInUser => EVERY_LOGGED_IN_USER,
        }
    }
}

#[expect(clippy::inline_always, reason = "the variant is known where a decision is inlined, and only there")]
impl<I, N: AsRef<str>> Principal<I, N> {
    /// Evaluates the principal for a subject. `equal` compares its id, or the column that holds the id, with an id of
    /// the subject.
    #[inline(always)]
    pub(crate) fn evaluate<S, T>(&self, subject: &S, equal: impl FnOnce(&I, OwnId) -> T) -> T
    where
        S: Subject + ?Sized,
        T: From<bool>,
    {
        match self {
            Self::User(id) => equal(id, OwnId::User),
            Self::Account(id) => equal(id, OwnId::Account),
            Self::Role(role) => T::from(subject.has_named_role(role.as_ref())),
            Self::AccountRole(role) => T::from(subject.account_has_named_role(role.as_ref())),
            Self::EveryLoggedInUser => T::from(true),
        }
    }
}

impl Principal {
    /// Whether this principal matches the subject. It knows no short-cut for admins.
    #[must_use]
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        // A principal is written as text, so an id that reads as a UUID is compared as that UUID.
        self.evaluate(subject, |id, own| own.is_meant(id.as_id_ref().of_principal(), subject))
    }
}

impl<I: fmt::Display, N: fmt::Display> fmt::Display for Principal<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::User(id) | Self::Account(id) => write!(f, ":{id}"),
            Self::Role(name) | Self::AccountRole(name) => write!(f, ":{name}"),
            Self::EveryLoggedInUser => Ok(()),
        }
    }
}

impl FromStr for Principal {
    type Err = ParsePrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == EVERY_LOGGED_IN_USER {
            return Ok(Self::EveryLoggedInUser);
        }
        let fail = |problem| ParsePrincipalError { text: text.to_owned(), problem };
        let (kind, rest) = text.split_once(':').ok_or_else(|| fail(Problem::Kind))?;
        let id = || match rest {
            "" => Err(fail(Problem::NoId)),
            id if id.trim() != id => Err(fail(Problem::Blanks)),
            id => Ok(Id::from(id)),
        };
        let role = || match rest {
            "" => Err(fail(Problem::NoRole)),
            role => Ok(role.to_owned()),
        };
        match kind {
            USER => id().map(Self::User),
            ACCOUNT => id().map(Self::Account),
            ROLE => role().map(Self::Role),
            ACCOUNT_ROLE => role().map(Self::AccountRole),
            _ => Err(fail(Problem::Kind)),
        }
    }
}

/// The text is not a principal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a principal: {problem}")]
pub struct ParsePrincipalError {
    text: String,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum Problem {
    #[error(
        "write `user:<id>`, `account:<id>`, `role:<name>`, `account-role:<name>` or `every-logged-in-user`"
    )]
    Kind,
    #[error("the id is missing")]
    NoId,
    #[error("remove the blanks around the id")]
    Blanks,
    #[error("the name of the role is missing")]
    NoRole,
}

/// As its text form.
impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From its text form.
impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;
    use crate::vocabulary::User;

    #[test]
    fn what_is_malformed_is_an_error() {
        for (text, problem) in [
            ("", Problem::Kind),
            ("user", Problem::Kind),
            ("User:2", Problem::Kind),
            (" user:2", Problem::Kind),
            ("2", Problem::Kind),
            ("every-logged-in-user ", Problem::Kind),
            ("account_role:x", Problem::Kind),
            ("user:", Problem::NoId),
            ("account: 3", Problem::Blanks),
            ("role:", Problem::NoRole),
            ("account-role:", Problem::NoRole),
        ] {
            let error = text.parse::<Principal>().unwrap_err();
            assert_eq!(error.problem, problem, "{text}");
            assert!(error.to_string().starts_with(&format!("`{text}` is not a principal: ")));
        }
    }

    #[test]
    fn everything_after_the_first_colon_is_the_name() {
        assert_eq!("role:role:admin".parse(), Ok(Principal::Role("role:admin".into())));
        assert_eq!("role:every-logged-in-user".parse(), Ok(Principal::Role("every-logged-in-user".into())));
    }

    #[test]
    fn ids_neither_wrap_nor_normalize() {
        let user = User::new(1).with_account(3);
        for (text, matches) in [
            ("user:1", true),
            ("user:18446744073709551617", false),
            ("user:340282366920938463463374607431768211457", false),
            ("user:01", false),
            ("user:+1", false),
            ("user:1user:2", false),
            ("user:3", false),
            ("account:3", true),
            ("account:\u{663}", false),
            ("account:1", false),
        ] {
            assert_eq!(text.parse::<Principal>().unwrap().matches(&user), matches, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_a_uuid_is_that_uuid() {
        let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let upper = uuid.to_uppercase();
        let ids = [Id::from(uuid), Id::from(upper.as_str()), Id::from(uuid::Uuid::try_parse(uuid).unwrap())];
        for user in ids.map(|id| User::new(id.clone()).with_account(id)) {
            for text in [uuid, upper.as_str()] {
                for kind in ["user", "account"] {
                    let principal: Principal = format!("{kind}:{text}").parse().unwrap();
                    assert!(principal.matches(&user), "{principal}");
                    assert_eq!(principal.to_string(), format!("{kind}:{text}"));
                }
            }
        }
    }

    #[test]
    fn an_empty_id_is_nobodys() {
        let user = User::new("").with_account("");
        assert!(!Principal::User(Id::from("")).matches(&user));
        assert!(!Principal::Account(Id::from("")).matches(&user));
        assert!(!crate::acl::Rule::matches(&crate::acl::user(""), &user));
        assert!(!crate::acl::Rule::matches(&crate::acl::account(""), &user));
    }

    #[test]
    fn a_role_without_a_name_is_nobodys() {
        let user = User::new(1).with_account(1).with_roles([""]).with_account_roles([""]);
        assert!(!Principal::Role(String::new()).matches(&user));
        assert!(!Principal::AccountRole(String::new()).matches(&user));
    }

    proptest! {
        #[test]
        fn the_text_form_round_trips(id in any::<i64>(), name in ".+") {
            for principal in [
                Principal::User(id.into()),
                Principal::Account(id.into()),
                Principal::Role(name.clone()),
                Principal::AccountRole(name.clone()),
                Principal::EveryLoggedInUser,
            ] {
                let json = serde_json::to_string(&principal).unwrap();
                prop_assert_eq!(serde_json::from_str::<Principal>(&json).unwrap(), principal.clone());
                prop_assert_eq!(principal.to_string().parse(), Ok(principal));
            }
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            if let Ok(principal) = text.parse::<Principal>() {
                prop_assert_eq!(principal.to_string(), text);
            }
        }
    }
}

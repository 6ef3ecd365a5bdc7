//! Access-control lists as data, for lists that come from a file or a database.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess},
    ser::SerializeMap,
};

use super::{
    Acl,
    rule::{Rule, sealed},
};
use crate::vocabulary::{
    Condition, ParsePrincipalError, Permission, Principal, Subject, permission::UnknownPermission,
};

/// An access-control list as data.
///
/// Its serialized form is that of FlexMeasures' `__acl__()`: an object from permission to principals. A
/// misspelt permission or principal is an error when the table is read, and never a rule that silently
/// matches nobody.
///
/// ```
/// use auth_core::{Acl, AclTable, Permission, User};
///
/// let acl: AclTable = serde_json::from_str(
///     r#"{"read": "every-logged-in-user", "update": ["user:2", ["account:3", "role:account-admin"]]}"#,
/// )?;
/// assert!(acl.grants(&User::new(2), Permission::UPDATE));
/// assert!(!acl.grants(&User::new(4).with_account(3), Permission::UPDATE));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AclTable {
    grants: Vec<(Permission, Principals)>,
}

impl AclTable {
    /// A table that grants nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds: subjects that match the principals have the permission.
    #[must_use]
    pub fn allow(mut self, permission: Permission, principals: Principals) -> Self {
        self.grants.push((permission, principals));
        self
    }

    /// A table from rows that name their permission, where the application has permissions of its `own`.
    ///
    /// ```
    /// use auth_core::{AclTable, Permission, Principals};
    ///
    /// const PUBLISH: Permission = Permission::new("publish");
    ///
    /// let rows = [("publish", Principals::any(["role:editor"])?)];
    /// let acl = AclTable::from_rows(rows, &[PUBLISH])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a row names a permission that is neither one of the four nor among `own`.
    pub fn from_rows<N: AsRef<str>>(
        rows: impl IntoIterator<Item = (N, Principals)>,
        own: &[Permission],
    ) -> Result<Self, UnknownPermission> {
        let mut table = Self::new();
        for (name, principals) in rows {
            let name = name.as_ref();
            let permission = match own.iter().find(|permission| permission.as_str() == name) {
                Some(permission) => *permission,
                None => name.parse()?,
            };
            table = table.allow(permission, principals);
        }
        Ok(table)
    }
}

impl Acl for AclTable {
    fn grants<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> bool {
        self.grants.iter().any(|(granted, principals)| *granted == permission && principals.matches(subject))
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S, permission: Permission) -> Condition {
        let granted = self.grants.iter().filter(|(granted, _)| *granted == permission);
        Condition::Any(granted.map(|(_, principals)| principals.condition(subject)).collect())
    }
}

/// Alternatives (OR) of conjunctions (AND) of principals.
///
/// Its serialized form: a text is one principal, a list is OR, a list within the list is AND.
/// It is a [`Rule`], so a typed access-control list can hold one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principals {
    // INVARIANT: no conjunction is empty, for an empty one would match everybody.
    alternatives: Vec<Vec<Principal>>,
}

impl Principals {
    /// Nobody, until alternatives are added.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One of these principals suffices.
    ///
    /// # Errors
    ///
    /// If a text is not a principal.
    pub fn any<'a>(principals: impl IntoIterator<Item = &'a str>) -> Result<Self, ParsePrincipalError> {
        let mut any = Self::new();
        for principal in principals {
            any = any.or(principal.parse()?);
        }
        Ok(any)
    }

    /// Adds one principal that suffices.
    #[must_use]
    pub fn or(self, principal: Principal) -> Self {
        self.or_all([principal])
    }

    /// Adds principals that suffice together. None at all add nothing: they match nobody.
    #[must_use]
    pub fn or_all(mut self, principals: impl IntoIterator<Item = Principal>) -> Self {
        let conjunction: Vec<_> = principals.into_iter().collect();
        if !conjunction.is_empty() {
            self.alternatives.push(conjunction);
        }
        self
    }
}

impl sealed::Sealed for Principals {}

impl sealed::Sealed for &Principals {}

impl Rule for Principals {
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.alternatives
            .iter()
            .any(|conjunction| conjunction.iter().all(|principal| principal.matches(subject)))
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        let term = |principal: &Principal| Condition::term(principal.to_string(), principal.matches(subject));
        let all = |conjunction: &Vec<Principal>| match conjunction.as_slice() {
            [only] => term(only),
            several => Condition::All(several.iter().map(term).collect()),
        };
        Condition::Any(self.alternatives.iter().map(all).collect())
    }
}

impl Rule for &Principals {
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        (**self).matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        (**self).condition(subject)
    }
}

impl Serialize for AclTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut merged: Vec<(Permission, Principals)> = Vec::new();
        for (permission, principals) in &self.grants {
            match merged.iter_mut().find(|(known, _)| known == permission) {
                Some((_, known)) => known.alternatives.extend_from_slice(&principals.alternatives),
                None => merged.push((*permission, principals.clone())),
            }
        }
        let mut map = serializer.serialize_map(Some(merged.len()))?;
        for (permission, principals) in &merged {
            map.serialize_entry(permission.as_str(), principals)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AclTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = AclTable;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object from permission to principals")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut rows: A) -> Result<AclTable, A::Error> {
                let mut table = AclTable::new();
                while let Some((name, principals)) = rows.next_entry::<String, Principals>()? {
                    let permission: Permission = name.parse().map_err(de::Error::custom)?;
                    if table.grants.iter().any(|(known, _)| *known == permission) {
                        return Err(de::Error::custom(format_args!("permission `{name}` is given twice")));
                    }
                    table = table.allow(permission, principals);
                }
                Ok(table)
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.alternatives.iter().map(|conjunction| match conjunction.as_slice() {
            [principal] => OneOrAll::One(principal),
            all => OneOrAll::All(all),
        }))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneOrAll<'a> {
    One(&'a Principal),
    All(&'a [Principal]),
}

impl<'de> Deserialize<'de> for Principals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PrincipalsVisitor)
    }
}

struct PrincipalsVisitor;

impl<'de> de::Visitor<'de> for PrincipalsVisitor {
    type Value = Principals;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a principal, or a list of principals and of lists of principals")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Principals, E> {
        Principals::any([text]).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Principals, A::Error> {
        let mut principals = Principals::new();
        while let Some(Conjunction(conjunction)) = items.next_element()? {
            principals.alternatives.push(conjunction);
        }
        Ok(principals)
    }
}

/// One alternative: a principal, or a list of those that are needed together.
struct Conjunction(Vec<Principal>);

impl<'de> Deserialize<'de> for Conjunction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Conjunction;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a principal or a list of principals")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Conjunction, E> {
                text.parse().map(|principal| Conjunction(vec![principal])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Conjunction, A::Error> {
                let mut conjunction = Vec::new();
                while let Some(principal) = items.next_element()? {
                    conjunction.push(principal);
                }
                if conjunction.is_empty() {
                    return Err(de::Error::custom(
                        "an empty conjunction; name the principals that are needed together",
                    ));
                }
                Ok(Conjunction(conjunction))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

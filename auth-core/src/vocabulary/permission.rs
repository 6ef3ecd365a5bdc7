//! Permissions: the things that a subject may be allowed to do with a context.
//!
//! The four of FlexMeasures' `flexmeasures.auth.policy` are built in; an application adds its own as
//! constants. The types of this module name a permission in a signature, as in `Authorized<Sensor,
//! permission::Read>`.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A thing to do with a context: `create-children`, `read`, `update`, `delete`, or the application's own.
///
/// ```
/// use auth_core::Permission;
///
/// const PUBLISH: Permission = Permission::new("publish");
///
/// assert_eq!(PUBLISH.as_str(), "publish");
/// assert_eq!(Permission::new("read"), Permission::READ);
/// ```
///
/// It is compared with `==`. As a pattern of a `match`, a constant of it does not compile ("must be annotated with
/// `#[derive(PartialEq)]`"), for two permissions are equal by their names, which a pattern does not know. A `match` is
/// about the name, or has guards:
///
/// ```
/// use auth_core::Permission;
///
/// const PUBLISH: Permission = Permission::new("publish");
///
/// fn verb(permission: Permission) -> &'static str {
///     match permission {
///         read if read == Permission::READ => "sees",
///         publish if publish == PUBLISH => "publishes",
///         _ => "changes",
///     }
/// }
///
/// assert_eq!(verb(PUBLISH), "publishes");
/// ```
///
/// ```compile_fail
/// # use auth_core::Permission;
/// # fn verb(permission: Permission) -> &'static str {
/// match permission {
///     Permission::READ => "sees",
///     _ => "changes",
/// }
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Permission(Name);

// The four are variants, so that comparing two constants folds away: no string is compared at run time.
#[derive(Clone, Copy)]
enum Name {
    CreateChildren,
    Read,
    Update,
    Delete,
    Own(&'static str),
}

impl Permission {
    /// To create something below the context: assets in an account, sensors in an asset, data in a sensor.
    pub const CREATE_CHILDREN: Self = Self(Name::CreateChildren);
    /// To see the context.
    pub const READ: Self = Self(Name::Read);
    /// To change the context.
    pub const UPDATE: Self = Self(Name::Update);
    /// To delete the context.
    pub const DELETE: Self = Self(Name::Delete);

    /// The four that every application has.
    pub const BUILT_IN: [Self; 4] = [Self::CREATE_CHILDREN, Self::READ, Self::UPDATE, Self::DELETE];

    /// A permission of the application's own, meant for a `const`.
    ///
    /// # Panics
    ///
    /// If the name is empty; in a `const` that is an error at compile time.
    #[must_use]
    #[expect(clippy::panic, reason = "an error at compile time where it is used as intended")]
    pub const fn new(name: &'static str) -> Self {
        match name.as_bytes() {
            b"" => panic!("a permission needs a name"),
            b"create-children" => Self::CREATE_CHILDREN,
            b"read" => Self::READ,
            b"update" => Self::UPDATE,
            b"delete" => Self::DELETE,
            _ => Self(Name::Own(name)),
        }
    }

    /// The permission's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            Name::CreateChildren => "create-children",
            Name::Read => "read",
            Name::Update => "update",
            Name::Delete => "delete",
            Name::Own(name) => name,
        }
    }

    /// `==`, for constants.
    #[must_use]
    pub const fn is(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Name::CreateChildren, Name::CreateChildren)
            | (Name::Read, Name::Read)
            | (Name::Update, Name::Update)
            | (Name::Delete, Name::Delete) => true,
            (Name::Own(one), Name::Own(other)) => same_bytes(one.as_bytes(), other.as_bytes()),
            _ => false,
        }
    }
}

/// `==` of slices, which is not `const` yet.
pub(crate) const fn same_bytes(mut one: &[u8], mut other: &[u8]) -> bool {
    loop {
        match (one, other) {
            ([], []) => return true,
            ([first, rest @ ..], [other_first, other_rest @ ..]) if *first == *other_first => {
                one = rest;
                other = other_rest;
            }
            _ => return false,
        }
    }
}

impl PartialEq for Permission {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Name::Own(one), Name::Own(other)) => one == other,
            _ => self.is(*other),
        }
    }
}

impl Eq for Permission {}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// As its name.
impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads one of the four built-in names. An application's own permissions are constants, not input.
impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::BUILT_IN
            .into_iter()
            .find(|permission| permission.as_str() == name)
            .ok_or_else(|| UnknownPermission { name: name.to_owned() })
    }
}

/// The text names none of the four built-in permissions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown permission `{name}`; known are `create-children`, `read`, `update` and `delete`")]
pub struct UnknownPermission {
    name: String,
}

/// A type that stands for a permission, so that a signature can say which one was checked.
///
/// ```
/// use auth_core::{Permission, permission::PermissionMarker};
///
/// struct Publish;
///
/// impl PermissionMarker for Publish {
///     const PERMISSION: Permission = Permission::new("publish");
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no permission",
    note = "use `auth_core::permission::{{CreateChildren, Read, Update, Delete}}`, or implement `PermissionMarker` for a type of your own"
)]
pub trait PermissionMarker: 'static {
    /// The permission that the type stands for.
    const PERMISSION: Permission;
}

macro_rules! markers {
    ($($(#[$doc:meta])* $marker:ident = $permission:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $marker;

        impl PermissionMarker for $marker {
            const PERMISSION: Permission = Permission::$permission;
        }
    )*};
}

markers! {
    /// Stands for [`Permission::CREATE_CHILDREN`].
    CreateChildren = CREATE_CHILDREN;
    /// Stands for [`Permission::READ`].
    Read = READ;
    /// Stands for [`Permission::UPDATE`].
    Update = UPDATE;
    /// Stands for [`Permission::DELETE`].
    Delete = DELETE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_exactly() {
        const PUBLISH: Permission = Permission::new("publish");
        const {
            assert!(PUBLISH.is(Permission::new("publish")));
            assert!(!PUBLISH.is(Permission::new("publisher")));
            assert!(!PUBLISH.is(Permission::READ));
        }

        assert_eq!(PUBLISH, Permission::new("publish"));
        assert_ne!(PUBLISH, Permission::new("Publish"));
        for (i, one) in Permission::BUILT_IN.into_iter().enumerate() {
            for (j, other) in Permission::BUILT_IN.into_iter().enumerate() {
                assert_eq!(one == other, i == j);
            }
            assert_eq!(one.as_str().parse(), Ok(one));
        }
    }

    #[test]
    fn only_the_four_are_read_from_text() {
        for name in ["", "Read", "read ", "write", "create_children"] {
            assert!(name.parse::<Permission>().is_err(), "{name}");
        }
    }
}

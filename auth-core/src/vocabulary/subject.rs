//! The subject: an authenticated user.
//!
//! An application implements [`Subject`] for the type that its log-in produces, or uses [`User`]. How a
//! request's subject is found is the business of the mechanisms.

use std::{any::Any, time::SystemTime};

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Id, IdRef};

/// An authenticated user with its account and the roles of both.
///
/// An anonymous caller has no subject at all, so no rule can match it by accident.
///
/// ```
/// use auth_core::{AdminRoles, IdRef, Subject};
///
/// struct Member {
///     id: i32,
///     company: i32,
///     is_manager: bool,
/// }
///
/// impl Subject for Member {
///     fn id(&self) -> IdRef<'_> {
///         self.id.into()
///     }
///     fn account_id(&self) -> Option<IdRef<'_>> {
///         Some(self.company.into())
///     }
///     fn has_role(&self, role: &str) -> bool {
///         self.is_manager && role == "account-admin"
///     }
///     fn account_has_role(&self, _role: &str) -> bool {
///         false
///     }
///     fn admin_roles(&self) -> AdminRoles {
///         AdminRoles::none()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a subject",
    note = "implement `auth_core::Subject` for it, or use `auth_core::User`"
)]
pub trait Subject: Any + Send + Sync + Matched {
    /// The user's id.
    fn id(&self) -> IdRef<'_>;

    /// The id of the account that the user belongs to, if there is one.
    fn account_id(&self) -> Option<IdRef<'_>>;

    /// Whether the user has this role.
    fn has_role(&self, role: &str) -> bool;

    /// Whether the user's account has this role.
    fn account_has_role(&self, role: &str) -> bool;

    /// Whether one of the user's roles carries this permission; not to be confused with what an ACL grants.
    fn has_permission(&self, permission: &str) -> bool {
        let _ = permission;
        false
    }

    /// The time of a decision about this subject, by which a policy's `until` and `since` compare. A decision reads it once.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The names of the roles that access-control lists and role guards are waived for:
    /// [`AdminRoles::flexmeasures`], [`AdminRoles::none`] or the application's own.
    ///
    /// The subject answers this itself, so that a guard, a job and a list cannot disagree about it. There is
    /// no default: where customers name the roles of their users, a role `admin` must not be one of the whole
    /// application.
    fn admin_roles(&self) -> AdminRoles;

    /// The request of which it is the caller, as events know it.
    #[doc(hidden)]
    fn origin(&self) -> Option<&dyn Any> {
        None
    }
}

/// The subject's answers as decisions take them, compiled for the subject's type: through a `dyn Subject` each is one call, in
/// which the subject's own method is inlined. The implementation below is the only one, so no subject can answer otherwise.
#[doc(hidden)]
pub trait Matched {
    /// Whether the subject stands above access-control lists, for reading or for changing.
    fn rank(&self, reads: bool) -> Option<Rank>;

    /// Whether the id means the user.
    fn is_user(&self, id: IdRef<'_>) -> bool;

    /// Whether the id means the account of the user.
    fn is_of_account(&self, id: IdRef<'_>) -> bool;

    /// Whether the user has the role. No user has a role without a name, even if the subject says so.
    fn has_named_role(&self, role: &str) -> bool;

    /// Whether the user's account has the role, which needs a name as well.
    fn account_has_named_role(&self, role: &str) -> bool;

    /// Whether the user's roles carry the permission, which needs a name as well.
    fn has_named_permission(&self, permission: &str) -> bool;
}

/// The ids of a subject that a principal can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnId {
    User,
    Account,
}

impl OwnId {
    /// The id, if the subject has it.
    #[cfg(feature = "diesel")]
    pub(crate) fn of<S: Subject + ?Sized>(self, subject: &S) -> Option<IdRef<'_>> {
        match self {
            Self::User => Some(subject.id()),
            Self::Account => subject.account_id(),
        }
    }

    /// Whether this id of the subject is the one that a context or a principal names.
    #[inline]
    pub(crate) fn is_meant<S: Subject + ?Sized>(self, id: IdRef<'_>, subject: &S) -> bool {
        match self {
            Self::User => subject.is_user(id),
            Self::Account => subject.is_of_account(id),
        }
    }
}

/// Above access-control lists.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// May do everything.
    Admin,
    /// May read everything.
    Reader,
}

impl<S: Subject> Matched for S {
    #[inline]
    fn rank(&self, reads: bool) -> Option<Rank> {
        let AdminRoles { admin, reader } = self.admin_roles();
        let has = |role: Option<&str>| role.is_some_and(|role| self.has_named_role(role));
        if has(admin) {
            Some(Rank::Admin)
        } else if reads && has(reader) {
            Some(Rank::Reader)
        } else {
            None
        }
    }

    #[inline]
    fn is_user(&self, id: IdRef<'_>) -> bool {
        id.means(self.id())
    }

    #[inline]
    fn is_of_account(&self, id: IdRef<'_>) -> bool {
        self.account_id().is_some_and(|own| id.means(own))
    }

    #[inline]
    fn has_named_role(&self, role: &str) -> bool {
        !role.is_empty() && self.has_role(role)
    }

    #[inline]
    fn account_has_named_role(&self, role: &str) -> bool {
        !role.is_empty() && self.account_has_role(role)
    }

    #[inline]
    fn has_named_permission(&self, permission: &str) -> bool {
        !permission.is_empty() && self.has_permission(permission)
    }
}

/// The names of the roles that stand above access-control lists.
///
/// ```
/// use auth_core::AdminRoles;
///
/// const OURS: AdminRoles = AdminRoles::none().admin("superuser");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminRoles {
    pub(crate) admin: Option<&'static str>,
    pub(crate) reader: Option<&'static str>,
}

impl AdminRoles {
    /// The names of FlexMeasures: `admin` may do everything, `admin-reader` may read everything.
    #[must_use]
    pub const fn flexmeasures() -> Self {
        Self::none().admin("admin").reader("admin-reader")
    }

    /// No role stands above the access-control lists.
    #[must_use]
    pub const fn none() -> Self {
        Self { admin: None, reader: None }
    }

    /// The role that may do everything.
    #[must_use]
    pub const fn admin(mut self, role: &'static str) -> Self {
        self.admin = Some(role);
        self
    }

    /// The role that may read everything.
    #[must_use]
    pub const fn reader(mut self, role: &'static str) -> Self {
        self.reader = Some(role);
        self
    }
}

/// A ready [`Subject`], for applications that need no type of their own, for jobs and for tests.
///
/// It stands above no access-control list, whatever its roles are called, unless the application says by
/// [`with_admin_roles`](Self::with_admin_roles) which roles do:
///
/// ```
/// use auth_core::{Acl, AdminRoles, AuthModel, Permission, User, check_access, nobody, allow};
///
/// struct Vault;
///
/// impl AuthModel for Vault {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::READ, nobody())
///     }
/// }
///
/// let user = User::new(2).with_account(3).with_roles(["admin"]);
/// assert!(!check_access(&user, &Vault, Permission::READ).is_allowed());
/// let admin = user.with_admin_roles(AdminRoles::flexmeasures());
/// assert!(check_access(&admin, &Vault, Permission::READ).is_allowed());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    id: Id,
    #[serde(default)]
    account_id: Option<Id>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    account_roles: Vec<String>,
    #[serde(default)]
    permissions: Vec<String>,
    // A policy of the application, not a property of the user: stored data cannot set it.
    #[serde(skip, default = "AdminRoles::none")]
    admin_roles: AdminRoles,
    #[serde(skip)]
    now: Option<SystemTime>,
}

impl User {
    /// A user without an account and without roles, above no access-control list.
    #[must_use]
    pub fn new(id: impl Into<Id>) -> Self {
        Self {
            id: id.into(),
            account_id: None,
            roles: Vec::new(),
            account_roles: Vec::new(),
            permissions: Vec::new(),
            admin_roles: AdminRoles::none(),
            now: None,
        }
    }

    /// Puts the user into an account.
    #[must_use]
    pub fn with_account(mut self, id: impl Into<Id>) -> Self {
        self.account_id = Some(id.into());
        self
    }

    /// Gives the user these roles, beside those that it has.
    #[must_use]
    pub fn with_roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Gives the user's account these roles, beside those that it has.
    #[must_use]
    pub fn with_account_roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.account_roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Gives the user these permissions, as carried by its roles.
    #[must_use]
    pub fn with_permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Says which roles stand above access-control lists. It is not stored with the user: a deserialized user has
    /// none until the application sets them again.
    #[must_use]
    pub fn with_admin_roles(mut self, admin_roles: AdminRoles) -> Self {
        self.admin_roles = admin_roles;
        self
    }

    /// The user as decisions at this time see it, for tests of what ends or begins. It is not stored with the user.
    ///
    /// ```
    /// use auth_core::{Subject, User};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    /// assert_eq!(User::new(2).at(then).now(), then);
    /// ```
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }
}

impl Subject for User {
    fn id(&self) -> IdRef<'_> {
        self.id.as_id_ref()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        self.account_id.as_ref().map(Id::as_id_ref)
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    fn account_has_role(&self, role: &str) -> bool {
        self.account_id.is_some() && self.account_roles.iter().any(|own| own == role)
    }

    fn has_permission(&self, permission: &str) -> bool {
        self.permissions.iter().any(|own| own == permission)
    }

    fn now(&self) -> SystemTime {
        self.now.unwrap_or_else(SystemTime::now)
    }

    fn admin_roles(&self) -> AdminRoles {
        self.admin_roles
    }
}

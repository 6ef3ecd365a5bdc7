//! The attributes, as one table: a row says what an attribute is called, what its arguments are, and whether it stands
//! alone on a handler.

use syn::Path;

use self::Arguments::{Anonymous, Authentication, Context, Names, Reason};
use self::Quantifier::{All, Any};
use self::SubjectAttribute::{AccountRole, Permission, Role};
use super::Noun;

/// The arguments that an attribute takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arguments {
    /// How the caller is authenticated: by this mechanism, or by those that the attribute names.
    Authentication(Option<&'static str>),
    /// None but the keys that every guard takes: the caller is not logged in.
    Anonymous,
    /// The names of roles or permissions.
    Names(SubjectAttribute, Quantifier),
    /// A permission, and the context that it is about.
    Context,
    /// The reason why the handler is open.
    Reason,
}

/// The attributes of a subject that have names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SubjectAttribute {
    Role,
    AccountRole,
    Permission,
}

/// How many of the names a subject has to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Quantifier {
    All,
    Any,
}

macro_rules! attributes {
    ($($kind:ident: $name:literal, $arguments:expr, $alone:expr;)+) => {
        /// Which attribute it is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Kind {
            $($kind,)+
        }

        impl Kind {
            pub(crate) const ALL: [Self; [$(Self::$kind),+].len()] = [$(Self::$kind),+];

            const fn row(self) -> (&'static str, Arguments, Option<&'static str>) {
                match self {
                    $(Self::$kind => ($name, $arguments, $alone),)+
                }
            }
        }
    };
}

// The last column is the reason why the attribute stands next to no other. Of two such, the first is reported.
attributes! {
    Public: "public", Reason, Some("an open handler has no guard");
    AnonymousUserRequired: "anonymous_user_required", Anonymous,
        Some("nothing can be required of a caller who is not logged in");
    AuthRequired: "auth_required", Authentication(None), None;
    AuthTokenRequired: "auth_token_required", Authentication(Some("token")), None;
    HttpAuthRequired: "http_auth_required", Authentication(Some("basic")), None;
    RolesRequired: "roles_required", Names(Role, All), None;
    RolesAccepted: "roles_accepted", Names(Role, Any), None;
    AccountRolesRequired: "account_roles_required", Names(AccountRole, All), None;
    AccountRolesAccepted: "account_roles_accepted", Names(AccountRole, Any), None;
    PermissionsRequired: "permissions_required", Names(Permission, All), None;
    PermissionsAccepted: "permissions_accepted", Names(Permission, Any), None;
    PermissionRequiredForContext: "permission_required_for_context", Context, None;
}

impl Kind {
    /// Recognised by the last segment, so that `#[auth_core::roles_required(…)]` is found too.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let last = path.segments.last()?;
        Self::ALL.into_iter().find(|kind| last.ident == kind.name())
    }

    pub(crate) const fn name(self) -> &'static str {
        self.row().0
    }

    pub(crate) const fn arguments(self) -> Arguments {
        self.row().1
    }

    /// Why the attribute stands next to no other, if it must not.
    pub(crate) const fn alone(self) -> Option<&'static str> {
        self.row().2
    }
}

impl SubjectAttribute {
    /// The variant of `SubjectAttribute` in `auth_core`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Role => "Role",
            AccountRole => "AccountRole",
            Permission => "Permission",
        }
    }

    pub(crate) fn noun(self) -> Noun {
        match self {
            Role | AccountRole => Noun::Role,
            Permission => Noun::Permission,
        }
    }
}

impl Quantifier {
    /// The variant of `Quantifier` in `auth_core`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            All => "All",
            Any => "Any",
        }
    }
}

//! What a guard is: the outcome of parsing and validation, the input of expansion. Keeps the
//! user's syntax nodes, so that what rustc reports about them points at the user's code.

use proc_macro2::Ident;
use syn::{ExprPath, LitStr, Path, Type};

use crate::handler::Handler;

/// One guard: everything that the attributes on one handler ask for.
pub(crate) struct Guard {
    /// Phase 2, in the order written.
    pub(crate) checks: Vec<RolesOf>,
    /// Phase 3, in the order written.
    pub(crate) contexts: Vec<Context>,
}

/// Where a guard goes: the handler, what the guard is called, and what the handler becomes.
pub(crate) struct Place {
    pub(crate) handler: Handler,
    pub(crate) name: Ident,
    /// A route attribute below will turn the handler into a struct of the same name.
    pub(crate) routed: bool,
    /// Another of our attributes has already put its guard on the handler.
    pub(crate) wrapped: bool,
}

/// One attribute about roles.
pub(crate) struct RolesOf {
    pub(crate) check: RoleCheck,
    pub(crate) roles: Vec<Role>,
}

pub(crate) enum Role {
    Literal(LitStr),
    Path(ExprPath),
}

/// One context to load, and every permission that is asked of it.
pub(crate) struct Context {
    /// The handler's argument that receives it, counted from 0.
    pub(crate) argument: Option<usize>,
    /// The type of that argument, or what `ctx` says.
    pub(crate) ty: Type,
    /// The path parameters that may name it; the first that a request has does.
    pub(crate) ids: Vec<String>,
    pub(crate) permissions: Vec<Permission>,
}

#[derive(Clone)]
pub(crate) enum Permission {
    Known(KnownPermission),
    Path(ExprPath),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownPermission {
    CreateChildren,
    Read,
    Update,
    Delete,
}

impl KnownPermission {
    pub(crate) const ALL: [Self; 4] = [Self::CreateChildren, Self::Read, Self::Update, Self::Delete];
    pub(crate) const NAMES: [&'static str; 4] = ["create-children", "read", "update", "delete"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        let [create_children, read, update, delete] = Self::NAMES;
        match self {
            Self::CreateChildren => create_children,
            Self::Read => read,
            Self::Update => update,
            Self::Delete => delete,
        }
    }

    /// The constant of `auth_core::Permission`.
    pub(crate) fn constant(self) -> &'static str {
        match self {
            Self::CreateChildren => "CREATE_CHILDREN",
            Self::Read => "READ",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Which attribute it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    AuthRequired,
    Roles(RoleCheck),
    PermissionRequiredForContext,
    Public,
}

/// Whose roles, and whether all of them or one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RoleCheck {
    Required,
    Accepted,
    AccountRequired,
    AccountAccepted,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::AuthRequired,
        Self::Roles(RoleCheck::Required),
        Self::Roles(RoleCheck::Accepted),
        Self::Roles(RoleCheck::AccountRequired),
        Self::Roles(RoleCheck::AccountAccepted),
        Self::PermissionRequiredForContext,
        Self::Public,
    ];

    /// Recognised by the last segment, so that `#[auth_core::roles_required(…)]` is found too.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let last = path.segments.last()?;
        Self::ALL.into_iter().find(|kind| last.ident == kind.name())
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AuthRequired => "auth_required",
            Self::Roles(check) => check.name(),
            Self::PermissionRequiredForContext => "permission_required_for_context",
            Self::Public => "public",
        }
    }
}

impl RoleCheck {
    /// The name of the attribute, and of the function of `auth_core` that checks it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Required => "roles_required",
            Self::Accepted => "roles_accepted",
            Self::AccountRequired => "account_roles_required",
            Self::AccountAccepted => "account_roles_accepted",
        }
    }
}

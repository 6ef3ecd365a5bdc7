#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod __private;
mod acl;
mod attributes;
mod context;
#[cfg(feature = "diesel")]
mod derives;
mod error;
pub mod event;
mod guard;
mod http;
pub mod mechanism;
#[cfg(feature = "diesel")]
mod policy;
pub mod protected;
mod report;
#[cfg(feature = "test")]
pub mod test;
mod vocabulary;

#[cfg(feature = "diesel-async")]
pub use self::policy::sql::AsyncStored;
#[cfg(feature = "openapi")]
pub use self::report::openapi;
pub use self::{
    acl::{
        Acl, AclTable, Allow, Alternative, AuthModel, Explanation, Expr, Principals, Rule, Term, account,
        account_role, allow, check_access, every_logged_in_user, everyone, explain, nobody, permission, role,
        user,
    },
    attributes::{
        account_roles_accepted, account_roles_required, anonymous_user_required, auth_required,
        auth_token_required, http_auth_required, permission_required_for_context, permissions_accepted,
        permissions_required, public, roles_accepted, roles_required,
    },
    context::{
        AccessError, AsyncConnectionSource, AsyncLoadContext, AsyncLoadContexts, Authorized,
        ConnectionSource, Granted, LoadContext, LoadContexts, LoadError, NoConnection,
    },
    error::{AuthError, Challenges, Problem},
    event::{Event, Observer},
    guard::{Admitted, Guarded, GuardedHandler, Route},
    http::{Auth, AuthBuilder, AuthConfigError, CurrentUser, Decider, Denial, MaybeUser, OwnRule, denial},
    protected::{ProtectedApp, ProtectedConfig, ProtectedScope},
    report::{BelowPublic, Registered, Report, ReportEntry, UnknownRoute, report},
    vocabulary::{
        AdminRoles, AllowReason, Decision, DenyReason, Id, IdRef, ParsePrincipalError, Permission, Principal,
        Subject, User, permission,
    },
};
#[cfg(feature = "diesel")]
pub use self::{
    derives::{AuthChangeset, AuthModel, LoadContext},
    http::Accessible,
    policy::{
        Index, Indexes, PermissionList, Policy, Visible,
        sql::{
            AuthChangeset, ChangeError, GrantedBits, IsTrue, LockRows, RowLock, Scope, Scoped, ScopedExists,
            ScopedQuery, ScopedTarget, Stored, VisibleBits,
        },
    },
};

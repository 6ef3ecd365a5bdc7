#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "diesel")]
mod accessible;
mod acl;
mod attributes;
mod auth;
mod blocking;
mod caught;
mod context;
mod current_user;
mod decision;
pub mod denial;
mod error;
pub mod event;
mod explanation;
mod guard;
mod id;
pub mod mechanism;
pub mod permission;
#[cfg(feature = "diesel")]
mod policy;
mod principal;
pub mod protected;
mod report;
#[cfg(feature = "diesel")]
mod scope;
mod subject;
#[cfg(feature = "test")]
pub mod test;

#[cfg(feature = "openapi")]
pub use self::report::openapi;
#[cfg(feature = "diesel-async")]
pub use self::scope::AsyncStored;
#[cfg(feature = "diesel")]
pub use self::{
    accessible::Accessible,
    attributes::{AuthModel, LoadContext},
    policy::Policy,
    scope::{IsTrue, LockRows, RowLock, Scope, Scoped, ScopedQuery, ScopedTarget, Stored},
};
pub use self::{
    acl::{
        Acl, AclTable, Allow, AuthModel, Expr, Principals, Rule, account, account_role, allow,
        every_logged_in_user, nobody, role, user,
    },
    attributes::{
        account_roles_accepted, account_roles_required, anonymous_user_required, auth_required,
        auth_token_required, http_auth_required, permission_required_for_context, permissions_accepted,
        permissions_required, public, roles_accepted, roles_required,
    },
    auth::{Auth, AuthBuilder, AuthConfigError},
    context::{
        AccessError, AsyncConnectionSource, AsyncLoadContext, AsyncLoadContexts, Authorized,
        ConnectionSource, LoadContext, LoadContexts, LoadError, NoConnection,
    },
    current_user::{CurrentUser, MaybeUser},
    decision::{AllowReason, Decision, DenyReason, check_access},
    denial::Denial,
    error::{AuthError, Challenges, Problem},
    event::{Event, Observer},
    explanation::{Alternative, Explanation, Term, explain},
    guard::{Admitted, Guarded},
    id::{Id, IdRef},
    permission::Permission,
    principal::{ParsePrincipalError, Principal},
    protected::{ProtectedApp, ProtectedConfig, ProtectedScope},
    report::{BelowPublic, GuardedHandler, Registered, Report, ReportEntry, Route, UnknownRoute, report},
    subject::{AdminRoles, Subject, User},
};

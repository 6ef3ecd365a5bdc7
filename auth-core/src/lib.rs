//! Authorization for handlers of actix-web on rows of diesel. One attribute authenticates the caller, loads the row that
//! the URL names and checks the row's policy, before the handler's body is read.
//!
//! ```
//! use actix_web::{Responder, get, web::Json};
//! use auth_core::{AuthModel, LoadContext, ProtectedScope, permission_required_for_context};
//! use diesel::{prelude::*, sqlite::Sqlite};
//! use serde::Serialize;
//!
//! diesel::table! { notes (id) { id -> Integer, account_id -> Integer, author_id -> Integer, text -> Text } }
//!
//! #[derive(Queryable, Selectable, Serialize, LoadContext, AuthModel)]
//! #[diesel(table_name = notes, check_for_backend(Sqlite))]
//! #[acl(
//!     read = account(account_id) | role("auditor"),
//!     update = user(author_id) | account(account_id) & role("account-admin"),
//! )]
//! struct Note {
//!     id: i32,
//!     account_id: i32,
//!     author_id: i32,
//!     text: String,
//! }
//!
//! #[permission_required_for_context("read", ctx_arg = "note")]
//! #[get("/notes/{note_id}")]
//! async fn view(note: Note) -> impl Responder {
//!     Json(note)
//! }
//!
//! let scope = ProtectedScope::new("/api").service(view); // does not compile without the guard
//! ```
//!
//! | to | see |
//! |---|---|
//! | guard a handler | [`permission_required_for_context`], [`auth_required`], [`roles_required`] and the other [attributes](#attributes) |
//! | declare a policy | [`derive(AuthModel)`](derive@AuthModel), or [`AuthModel`](trait@AuthModel) by hand |
//! | load a context | [`derive(LoadContext)`](derive@LoadContext), or [`LoadContext`](trait@LoadContext) by hand |
//! | list rows | [`Accessible`], [`Scoped::accessible_by`] |
//! | change and create rows | [`Stored::change`], [`Stored::create`], [`derive(AuthChangeset)`](derive@AuthChangeset) |
//! | show rows without masked columns | [`Visible`] |
//! | authenticate callers | [`Auth`], [`Subject`], [`mechanism`] |
//! | take no handler without a guard | [`ProtectedApp`], [`protected`] |
//! | render denials | [`denial`], [`AuthBuilder::on_denied`] |
//! | decide without a request | [`check_access`], [`explain`], [`Stored::check_access`] |
//! | read all guards of a program | [`report()`] |
//! | store and count decisions | [`event`] |
//! | test | the module `test`, with the feature `test` |
//! | describe the API | the module `openapi`, with the feature `openapi` |
//!
//! The features are listed in `Cargo.toml` with what each is for. By default, there are diesel and the mechanism for bearer
//! tokens. The book, in the folder `docs` of the repository, has a chapter for each of these subjects.
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

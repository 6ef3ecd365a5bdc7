//! The attributes and derives of `auth-core`, which re-exports them. Applications depend on that
//! crate and find the documentation with examples there.
//!
//! A macro here is syntax: it reads what is written on a handler, reports what is wrong with it and
//! writes down calls of `auth-core`, which holds the meaning. The stages, in order:
//!
//! * `attribute`: what one attribute does when the compiler expands it: the first on a function
//!   gathers the others, so that one guard is made of them all;
//! * `args`, `handler`, `route`: parse the arguments of an attribute, the function, the route pattern;
//! * `validate`: holds them against each other and makes the `model`;
//! * `expand`: writes the model down and cannot fail.
//!
//! `errors` collects what the stages report, `load_context` is the derive of the same name.

#![warn(missing_docs)]

use proc_macro::TokenStream;

use crate::model::{Kind, RoleCheck};

mod args;
mod attribute;
mod errors;
mod expand;
mod handler;
mod load_context;
mod model;
mod nearest;
mod route;
mod validate;

#[cfg(test)]
mod tests;

/// Lets in callers that are authenticated; anyone else gets 401.
///
/// Written above the route attribute, as `#[auth_required]`. It takes no arguments.
#[proc_macro_attribute]
pub fn auth_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AuthRequired, args.into(), item.into()).into()
}

/// Lets in users who have all of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[roles_required("operator", roles::AUDITOR)]`.
#[proc_macro_attribute]
pub fn roles_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Roles(RoleCheck::Required), args.into(), item.into()).into()
}

/// Lets in users who have at least one of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[roles_accepted("operator", roles::AUDITOR)]`.
#[proc_macro_attribute]
pub fn roles_accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Roles(RoleCheck::Accepted), args.into(), item.into()).into()
}

/// Lets in users whose account has all of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[account_roles_required("prosumer", roles::AGGREGATOR)]`.
#[proc_macro_attribute]
pub fn account_roles_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Roles(RoleCheck::AccountRequired), args.into(), item.into()).into()
}

/// Lets in users whose account has at least one of these roles; waived for admins.
///
/// A role is a string literal or a path to a `const &str`, as in
/// `#[account_roles_accepted("prosumer", roles::AGGREGATOR)]`.
#[proc_macro_attribute]
pub fn account_roles_accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Roles(RoleCheck::AccountAccepted), args.into(), item.into()).into()
}

/// Lets in callers to whom the ACL of the named context allows the permission; waived for admins,
/// and for admin-readers where the permission is `read`.
///
/// First comes the permission, one of `"create-children"`, `"read"`, `"update"`, `"delete"`, or a
/// path to a `const Permission`. Then, by key:
///
/// * `ctx_arg = "sensor"`: the handler's argument that receives the loaded context; its type is
///   the context's, or `Authorized` of it;
/// * `ctx = Account`: instead of `ctx_arg`, a context that is loaded and checked but not handed over;
/// * `id = "sensor_id"`: the path parameter that names the context. Left out, it is the first that
///   the route has of the argument's name with `_id`, the type's name in snake case with `_id`,
///   and `id`;
/// * `id = scope("account_id")`: a path parameter of an enclosing scope, which the route's own
///   pattern does not show.
#[proc_macro_attribute]
pub fn permission_required_for_context(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::PermissionRequiredForContext, args.into(), item.into()).into()
}

/// Says on purpose that a handler is open to everybody.
///
/// It changes nothing about the handler, but lets it be registered where only guarded handlers are
/// taken. It stands alone: next to any other of these attributes it is a compile error.
#[proc_macro_attribute]
pub fn public(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Public, args.into(), item.into()).into()
}

/// Implements `LoadContext` for a row of a diesel table: found by its primary key.
///
/// Reads what diesel's derives read: `#[diesel(table_name = …)]` (left out: the struct's name in
/// snake case with an `s`), `#[diesel(primary_key(…))]` (left out: `id`) and
/// `#[diesel(column_name = …)]`. The connection follows from
/// `#[diesel(check_for_backend(…))]`, or is named: `#[auth(connection = diesel::PgConnection)]`.
/// The struct derives `Selectable` and `Queryable` as well.
#[proc_macro_derive(LoadContext, attributes(auth, diesel))]
pub fn derive_load_context(input: TokenStream) -> TokenStream {
    load_context::derive(input.into()).into()
}

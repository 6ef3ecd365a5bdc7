//! The attributes and derives of `auth-core`, which re-exports them. Applications depend on that
//! crate and find the documentation with examples there.
//!
//! A macro here is syntax: it reads the attributes on a handler, reports errors in them and generates calls of `auth-core`,
//! which holds the meaning. The stages, in order:
//!
//! * `attribute`: the expansion of one attribute: the first on a function gathers the others and makes one guard of them
//!   all;
//! * `args`, `handler`, `route`: parse the arguments of an attribute, the function, the route pattern;
//! * `validate`: compares them, merges the requirements of several attributes, and makes the `model`;
//! * `expand`: generates code from the model and cannot fail.
//!
//! `types` reads types as they are written; `errors` collects the errors of all stages; `nearest` makes their remedies for
//! unknown names; `runtime` is the path of auth-core. The derives `load_context` and `auth_model` read a `row` of a table,
//! and its `acl`; `auth_changeset` reads a struct of values.
//!
//! A new attribute begins with a row of `model::Kind`, a new key with a row of the table `KEYS` of its arguments.

#![allow(missing_docs, reason = "each item is documented where `auth-core` re-exports it")]

use proc_macro::TokenStream;

use crate::model::Kind;

mod acl;
mod args;
mod attribute;
mod auth_changeset;
mod auth_model;
mod errors;
mod expand;
mod handler;
mod load_context;
mod model;
mod nearest;
mod route;
mod row;
mod runtime;
mod types;
mod validate;

#[cfg(test)]
mod tests;

#[proc_macro_attribute]
pub fn auth_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AuthRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn auth_token_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AuthTokenRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn http_auth_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::HttpAuthRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn anonymous_user_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AnonymousUserRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn roles_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::RolesRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn roles_accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::RolesAccepted, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn account_roles_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AccountRolesRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn account_roles_accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::AccountRolesAccepted, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn permissions_required(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::PermissionsRequired, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn permissions_accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::PermissionsAccepted, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn permission_required_for_context(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::PermissionRequiredForContext, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn public(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(Kind::Public, args.into(), item.into()).into()
}

#[proc_macro_derive(AuthModel, attributes(acl, auth, diesel))]
pub fn derive_auth_model(input: TokenStream) -> TokenStream {
    auth_model::derive(input.into()).into()
}

#[proc_macro_derive(AuthChangeset, attributes(auth, diesel))]
pub fn derive_auth_changeset(input: TokenStream) -> TokenStream {
    auth_changeset::derive(input.into()).into()
}

#[proc_macro_derive(LoadContext, attributes(auth, diesel))]
pub fn derive_load_context(input: TokenStream) -> TokenStream {
    load_context::derive(input.into()).into()
}

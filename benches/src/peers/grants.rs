//! `actix-web-grants` knows the grants of a caller, and nothing of objects: it can tell whether the caller is an admin.
//! The part of the rule that depends on the row is an expression in the handler.

use actix_web_grants::authorities::{AuthDetails, AuthoritiesCheck};

use crate::rule::{Asset, Caller, may_read_by_object};

/// The data that the middleware keeps for a request.
#[must_use]
pub fn granted(caller: &Caller) -> AuthDetails {
    AuthDetails::new(caller.roles.iter().cloned())
}

/// The check of `#[protect(any("admin", "admin-reader"))]`.
#[must_use]
pub fn is_above(granted: &AuthDetails) -> bool {
    granted.has_any_authority(&["admin", "admin-reader"][..])
}

#[must_use]
pub fn may_read(granted: &AuthDetails, caller: &Caller, asset: &Asset) -> bool {
    is_above(granted) || may_read_by_object(caller, asset)
}

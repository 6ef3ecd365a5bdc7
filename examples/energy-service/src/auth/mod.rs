//! Who asks, and how the service knows: the roles, the subject, and what the library is told of all this.

use auth_core::{Auth, AuthConfigError, AuthError, mechanism::BearerToken};

use crate::database::ConnectionPool;

mod logged_in;
mod modify_roles;

pub use self::{logged_in::LoggedIn, modify_roles::can_modify_role};

/// May do everything.
pub const ADMIN: &str = "admin";
/// May read everything.
pub const ADMIN_READER: &str = "admin-reader";
/// Runs the account that the user belongs to.
pub const ACCOUNT_ADMIN: &str = "account-admin";
/// Looks after the accounts whose consultancy is the user's account.
pub const CONSULTANT: &str = "consultant";

/// Role of accounts that advise others.
pub const CONSULTANCY: &str = "Consultancy";
/// Role of accounts that both use and produce energy.
pub const PROSUMER: &str = "Prosumer";
/// Role of accounts that sell energy.
pub const SUPPLIER: &str = "Supplier";

/// What the guards of all handlers use: bearer tokens, and connections from `pool` for users and contexts
/// alike.
///
/// # Errors
///
/// When the library finds that something is missing.
pub fn auth(pool: &ConnectionPool) -> Result<Auth, AuthConfigError> {
    Auth::builder().mechanism(BearerToken::<LoggedIn>::new(pool.clone())).connections(pool.clone()).build()
}

/// 403, by a rule that a handler applies itself, and logged as the denial of a guard is.
pub(crate) fn refuse(rule: &'static str, subject: &LoggedIn) -> AuthError {
    tracing::info!(target: "auth", guard = rule, subject = subject.id, outcome = "deny", reason = "no-match");
    AuthError::Forbidden
}

//! Authentication: the roles, the subject, and the configuration of the library.

use std::time::Duration;

use auth_core::{
    Auth, AuthConfigError, CurrentUser, Observer, Permission,
    mechanism::{BearerToken, SessionCookie},
};

use crate::{
    database::{Connection, ConnectionPool},
    error::ServiceError,
    routes::pages,
};

mod logged_in;
mod modify_roles;

pub use self::{
    logged_in::{LoggedIn, SessionUser, UsedToken},
    modify_roles::can_modify_role,
};

/// May do everything.
pub const ADMIN: &str = "admin";
/// May read everything.
pub const ADMIN_READER: &str = "admin-reader";
/// Runs the account that the user belongs to.
pub const ACCOUNT_ADMIN: &str = "account-admin";
/// Looks after the accounts whose consultancy is the user's account, unless others are assigned to them.
pub const CONSULTANT: &str = "consultant";

/// Role of accounts that advise others.
pub const CONSULTANCY: &str = "Consultancy";
/// Role of accounts that both use and produce energy.
pub const PROSUMER: &str = "Prosumer";
/// Role of accounts that sell energy.
pub const SUPPLIER: &str = "Supplier";

/// To look after an account, as the consultants of its consultancy do: a subject who may look after it may also look
/// after all that belongs to it.
pub const CONSULT: Permission = Permission::new("consult");

/// To choose which consultants of its consultancy look after an account.
pub const ASSIGN_CONSULTANTS: Permission = Permission::new("assign-consultants");

/// To say whether a user is active.
pub const ACTIVATE: Permission = Permission::new("activate");

/// To let others see an asset, or change it: by a share, or because it is a part of another asset.
pub const SHARE: Permission = Permission::new("share");

/// For how long a token is good.
pub const TOKEN_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How many tokens of one user are good at once; a log-in beyond revokes the oldest. Each program of a user has one, and
/// programs that log in each time they start leave many behind.
pub const MAX_TOKENS: u32 = 10;

/// The configuration of the guards of all handlers: bearer tokens for programs, sessions for browsers, connections from
/// `pool` for users and contexts alike, and pages for denials in a browser. Sessions are in cookies of this name. The
/// observer receives each decision. A guard waits for mechanisms and loads for at most `time_limit`.
///
/// # Errors
///
/// When the library finds that something is missing.
pub fn auth(
    pool: &ConnectionPool,
    cookie_name: &str,
    observer: impl Observer,
    time_limit: Duration,
) -> Result<Auth, AuthConfigError> {
    Auth::builder()
        // The client of FlexMeasures sends its token without a scheme.
        .mechanism(BearerToken::<LoggedIn>::new(pool.clone()).max_age(TOKEN_MAX_AGE).or_bare())
        .mechanism(SessionCookie::<LoggedIn>::new(pool.clone()).cookie_name(cookie_name))
        .connections(pool.clone())
        .on_denied(pages::denied)
        .observer(observer)
        .time_limit(time_limit)
        .build()
}

/// Finds the user [again](CurrentUser::again), and checks that the user still has the account and each of the roles by which
/// the guard decided: for a change that was decided by those. Call it in the transaction of the change.
///
/// # Errors
///
/// 401 if the log-in does not count any more; 403 if the user belongs to another account, or the user or the account lost a
/// role.
pub(crate) fn confirm(user: &CurrentUser<LoggedIn>, connection: &mut Connection) -> Result<(), ServiceError> {
    let now = user.again(connection)?;
    // An additional role takes nothing away, as lists only grant.
    let kept = |before: &[String], now: &[String]| before.iter().all(|role| now.contains(role));
    let same = now.account_id == user.account_id
        && kept(&user.roles, &now.roles)
        && kept(&user.account_roles, &now.account_roles);
    if same { Ok(()) } else { Err(user.deny("still the same at a change").into()) }
}

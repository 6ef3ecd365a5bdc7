//! Authentication: the roles, the subject, and the configuration of the library.

use std::{fmt, time::Duration};

use auth_core::{
    Auth, AuthConfigError, AuthError, Observer, Permission, Stored,
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
        .mechanism(BearerToken::<LoggedIn>::new(pool.clone()).max_age(TOKEN_MAX_AGE))
        .mechanism(SessionCookie::<LoggedIn>::new(pool.clone()).cookie_name(cookie_name))
        .connections(pool.clone())
        .on_denied(pages::denied)
        .observer(observer)
        .time_limit(time_limit)
        .build()
}

/// Checks the number of rows that a change under the condition of its [`scope`](auth_core::Scoped::scope) hit. If it hit
/// none, either the row does not exist, or the subject may not change it: access may be lost between the guard's decision
/// and the change. (A change without fields hits none as well, and only this check is left of it.) Call it in the
/// transaction of the change.
///
/// # Errors
///
/// 404 if there is no such row, 403 if the subject does not have the permission on it.
pub(crate) fn confirm_change<M>(
    hit: usize,
    subject: &LoggedIn,
    id: i32,
    permission: Permission,
    connection: &mut Connection,
) -> Result<(), ServiceError>
where
    M: Stored<Id = i32, Connection = Connection>,
{
    if hit > 0 || M::check_access(connection, subject, id, permission)?.is_allowed() {
        Ok(())
    } else {
        let asked = (permission, std::any::type_name::<M>(), id);
        Err(refuse("condition of a change", subject, &asked).into())
    }
}

/// 403, by a rule that a handler applies itself, and logged as the denial of a guard is.
pub(crate) fn refuse(rule: &'static str, subject: &LoggedIn, asked: &dyn fmt::Debug) -> AuthError {
    tracing::info!(target: "auth", guard = rule, subject = subject.id, ?asked, outcome = "deny", reason = "no-match");
    AuthError::Forbidden
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use auth_core::AuthError;

    use super::{LoggedIn, refuse};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_has_what_the_client_is_not_told() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let subject = LoggedIn {
            id: 7,
            account_id: 3,
            roles: Vec::new(),
            account_roles: Vec::new(),
            token: None,
            log_outs: 0,
        };
        let error = tracing::subscriber::with_default(subscriber, || {
            refuse("can_modify_role", &subject, &(1, [Some("admin"), None]))
        });
        assert_eq!(error, AuthError::Forbidden);
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let event =
            r#"INFO auth: guard="can_modify_role" subject=7 asked=(1, [Some("admin"), None]) outcome="deny""#;
        assert!(log.contains(event), "{log}");
    }
}

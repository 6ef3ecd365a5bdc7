//! The subject: the user whose token or session the request carries.

use std::{fmt, num::ParseIntError, str::FromStr, time::SystemTime};

use auth_core::{
    AdminRoles, Id, IdRef, LoadError, Subject,
    mechanism::{FindBySession, FindByToken, FindByUsername, PasswordHash, TokenHash},
};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl};

use crate::{
    database::{Connection, Instant},
    schema::{account_roles, accounts_account_roles, auth_tokens, roles, users, users_roles},
    sessions,
};

/// The active users with their roles and those of their accounts, each with each. A macro, for the type of a query has no
/// name.
macro_rules! active_users {
    () => {{
        let of_user = users_roles::table.inner_join(roles::table);
        let of_account = accounts_account_roles::table.inner_join(account_roles::table);
        users::table
            .left_join(of_user.on(users_roles::user_id.eq(users::id)))
            .left_join(of_account.on(accounts_account_roles::account_id.eq(users::account_id)))
            .filter(users::active)
    }};
}

/// The user who is logged in, with all that a guard may check.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The user.
    pub id: i32,
    /// The account that the user belongs to.
    pub account_id: i32,
    /// The email address of the log-in, for pages.
    pub email: String,
    /// The names of the user's roles.
    pub roles: Vec<String>,
    /// The names of the account's roles.
    pub account_roles: Vec<String>,
    /// The token of the request; none where it has a session.
    pub token: Option<UsedToken>,
    /// How often all sessions of the user were ended.
    pub log_outs: i32,
}

/// The token that a request carries.
#[derive(Clone, Copy, Debug)]
pub struct UsedToken {
    /// The stored hash of it.
    pub hash: TokenHash,
    /// When the user got it.
    pub issued_at: Instant,
}

impl Subject for LoggedIn {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        Some(self.account_id.into())
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }

    fn account_has_role(&self, role: &str) -> bool {
        self.account_roles.iter().any(|held| held == role)
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::flexmeasures()
    }
}

/// One statement for each request, and so one moment: the roles from before a change are never combined with the account
/// from after it.
impl FindByToken for LoggedIn {
    type Connection = Connection;

    fn find_by_token(token: &TokenHash, connection: &mut Connection) -> Result<Self, LoadError> {
        let of_user = users_roles::table.inner_join(roles::table);
        let of_account = accounts_account_roles::table.inner_join(account_roles::table);
        let held: Vec<(User, Instant, Roles)> = auth_tokens::table
            .inner_join(users::table)
            .left_join(of_user.on(users_roles::user_id.eq(users::id)))
            .left_join(of_account.on(accounts_account_roles::account_id.eq(users::account_id)))
            .filter(auth_tokens::token_hash.eq(token.as_bytes().as_slice()))
            // A user who was deactivated is logged out at once, also with a valid token.
            .filter(users::active)
            .select((
                (users::id, users::account_id, users::email, users::log_outs),
                auth_tokens::created_at,
                (roles::name.nullable(), account_roles::name.nullable()),
            ))
            .load(connection)?;

        let (user, issued_at) =
            held.first().map(|(user, at, _)| (user.clone(), *at)).ok_or(LoadError::NotFound)?;
        let token = Some(UsedToken { hash: *token, issued_at });
        Ok(Self::new(user, token, held.into_iter().map(|(.., roles)| roles)))
    }

    fn token_issued_at(&self) -> Option<SystemTime> {
        self.token.map(|token| token.issued_at.into())
    }
}

/// A session holds the user, and how often all sessions of the user had been ended when the password was compared. The next
/// log-out ends the session, even if it is stored after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionUser {
    /// The user.
    pub id: i32,
    /// The number of log-outs.
    pub log_outs: i32,
}

impl fmt::Display for SessionUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.id, self.log_outs)
    }
}

impl FromStr for SessionUser {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (id, log_outs) = text.split_once('/').unwrap_or((text, ""));
        Ok(Self { id: id.parse()?, log_outs: log_outs.parse()? })
    }
}

impl From<SessionUser> for Id {
    fn from(user: SessionUser) -> Self {
        user.to_string().into()
    }
}

impl FindBySession for LoggedIn {
    type Id = SessionUser;
    type Connection = Connection;

    fn find_by_id(user: SessionUser, connection: &mut Connection) -> Result<Self, LoadError> {
        let found = Self::find(user.id, connection)?;
        if found.log_outs == user.log_outs { Ok(found) } else { Err(LoadError::NotFound) }
    }

    /// A copy of a cookie would be good for as long as the key.
    fn logged_out_at(&self) -> Option<SystemTime> {
        SystemTime::now().checked_sub(sessions::MAX_AGE)
    }
}

impl FindByUsername for LoggedIn {
    type Connection = Connection;

    /// By the email address.
    fn find_by_username(email: &str, connection: &mut Connection) -> Result<(Self, PasswordHash), LoadError> {
        // Addresses are stored in lower case. And none has a NUL in it, which PostgreSQL would not even compare.
        if email.contains('\0') {
            return Err(LoadError::NotFound);
        }
        let held: Vec<(User, String, Roles)> = active_users!()
            .filter(users::email.eq(email.to_ascii_lowercase()))
            .select((
                (users::id, users::account_id, users::email, users::log_outs),
                users::password_hash,
                (roles::name.nullable(), account_roles::name.nullable()),
            ))
            .load(connection)?;
        let (user, hash, _) = held.first().ok_or(LoadError::NotFound)?;
        let (user, hash) = (user.clone(), PasswordHash::from(hash.clone()));
        Ok((Self::new(user, None, held.into_iter().map(|(.., roles)| roles)), hash))
    }

    /// A user who was deactivated and activated again meanwhile is not logged in: the log-out was counted.
    fn is_still(&self, now: &Self) -> bool {
        self.log_outs == now.log_outs
    }
}

/// A user's id, account, email address, and number of log-outs.
type User = (i32, i32, String, i32);

/// A row of a role of the user and one of the account: each with each, as those are few.
type Roles = (Option<String>, Option<String>);

impl LoggedIn {
    /// Finds this user, as after a log-in now, in one statement, too.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if there is no such user who is active; [`LoadError::Unavailable`] if the database failed.
    pub fn find(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let held: Vec<(User, Roles)> = active_users!()
            .filter(users::id.eq(id))
            .select((
                (users::id, users::account_id, users::email, users::log_outs),
                (roles::name.nullable(), account_roles::name.nullable()),
            ))
            .load(connection)?;

        let user = held.first().map(|(user, _)| user.clone()).ok_or(LoadError::NotFound)?;
        Ok(Self::new(user, None, held.into_iter().map(|(_, roles)| roles)))
    }

    /// The content of a session of this user.
    #[must_use]
    pub fn session(&self) -> SessionUser {
        SessionUser { id: self.id, log_outs: self.log_outs }
    }

    fn new(
        (id, account_id, email, log_outs): User,
        token: Option<UsedToken>,
        held: impl Iterator<Item = Roles>,
    ) -> Self {
        let (mut roles, mut account_roles) = (Vec::new(), Vec::new());
        for (role, account_role) in held {
            for (name, names) in [(role, &mut roles), (account_role, &mut account_roles)] {
                names.extend(name.filter(|name| !names.contains(name)));
            }
        }
        Self { id, account_id, email, roles, account_roles, token, log_outs }
    }
}

#[cfg(test)]
mod tests {
    use super::SessionUser;

    #[test]
    fn a_session_names_the_user_and_the_number_of_log_outs() {
        let user = SessionUser { id: 12, log_outs: 3 };
        assert_eq!(user.to_string().parse(), Ok(user));
        for text in ["", "12", "12/", "/3", "12/x", "12/3/4", "12.3"] {
            assert!(text.parse::<SessionUser>().is_err(), "{text}");
        }
    }
}

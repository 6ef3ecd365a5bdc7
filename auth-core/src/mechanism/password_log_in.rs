//! Log-ins by a password, with their limits: for an application's own form or endpoint, and for Basic.

use std::{borrow::Cow, error::Error as StdError, net::IpAddr, sync::Arc, time::Duration};

use actix_web::HttpRequest;
use thiserror::Error;
use tokio::time::timeout;
use tracing::field;

use super::{Attempts, PasswordHash, Passwords, Rejection, TooManyAttempts};
use crate::{
    context::{ConnectionSource, LoadError, blocking},
    error::AuthError,
    event::check::Causes,
    vocabulary::{Decision, DenyReason, Subject},
};

/// How a subject is found by its username, together with the stored hash of its password.
///
/// For users who may not get in by a password (deactivated users, and those without one) return `NotFound`.
///
/// ```
/// # use auth_core::{AdminRoles, LoadError, IdRef, NoConnection, Subject};
/// # use auth_core::mechanism::{FindByUsername, PasswordHash};
/// # struct Member;
/// # impl Subject for Member {
/// #     fn id(&self) -> IdRef<'_> { 1.into() }
/// #     fn account_id(&self) -> Option<IdRef<'_>> { None }
/// #     fn has_role(&self, _: &str) -> bool { false }
/// #     fn account_has_role(&self, _: &str) -> bool { false }
/// #     fn admin_roles(&self) -> AdminRoles { AdminRoles::none() }
/// # }
/// # fn stored() -> PasswordHash { String::new().into() }
/// impl FindByUsername for Member {
///     type Connection = NoConnection;
///
///     fn find_by_username(username: &str, _: &mut NoConnection) -> Result<(Self, PasswordHash), LoadError> {
///         if username == "mia" { Ok((Member, stored())) } else { Err(LoadError::NotFound) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be found by a username",
    note = "implement `auth_core::mechanism::FindByUsername` for `{Self}`"
)]
pub trait FindByUsername: Subject + Sized {
    /// The connection that [`find_by_username`](Self::find_by_username) needs, usually a diesel connection.
    type Connection: 'static;

    /// Finds the subject and the hash of its password. May block: it is called on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if no user may get in by this name, [`LoadError::Unavailable`] if the store
    /// failed.
    fn find_by_username(
        username: &str,
        connection: &mut Self::Connection,
    ) -> Result<(Self, PasswordHash), LoadError>;

    /// The name under which attempts count: one for all spellings that find one subject, because a limit for each spelling
    /// would be none. [`Attempts`] makes one of those that differ in case. For a store that equates more, as some
    /// collations equate `é` and `e`, implement this.
    #[must_use]
    fn counts_as(username: &str) -> Cow<'_, str> {
        username.into()
    }

    /// Whether a log-in counts that began as this subject, before the password was compared, and ends as `now`. It is only
    /// called for one user, whose stored hash is still that hash.
    ///
    /// Left out, it does. Implement it where something ends log-ins and can be undone meanwhile, such as a log-out that is
    /// counted in the user's row.
    fn is_still(&self, now: &Self) -> bool {
        let _ = now;
        true
    }
}

/// The log-in by a password: attempts are limited, and a password is compared while no connection is held. Clones share the
/// attempts; one of them may serve [`BasicAuth`](super::BasicAuth).
///
/// * An unknown name, a wrong password and a user who may not get in are one error, after equal work.
/// * The attempt counts before any of it is done, and is taken back unless the credentials were wrong. A client that goes
///   away does not get around the limit.
/// * The comparison is slow on purpose and waits for its turn. So the user is looked up once more behind it: a user who was
///   deactivated meanwhile, or got another password, is not logged in.
/// * The log has the address and the outcome, and never the typed name: people type their password there, too.
///
/// Behind a proxy, use [`Attempts::behind`]: otherwise all callers share the limit of one address.
///
/// ```
/// use actix_web::{Error, HttpRequest, HttpResponse, post, web::{Data, Form}};
/// use auth_core::{AuthError, mechanism::PasswordLogIn, public};
/// # use auth_core::{NoConnection, Subject, mechanism::FindByUsername};
/// # mod members {
/// #     use auth_core::{AdminRoles, LoadError, IdRef, NoConnection, Subject};
/// #     use auth_core::mechanism::{FindByUsername, PasswordHash};
/// #     pub struct Member;
/// #     impl Subject for Member {
/// #         fn id(&self) -> IdRef<'_> { 1.into() }
/// #         fn account_id(&self) -> Option<IdRef<'_>> { None }
/// #         fn has_role(&self, _: &str) -> bool { false }
/// #         fn account_has_role(&self, _: &str) -> bool { false }
/// #         fn admin_roles(&self) -> AdminRoles { AdminRoles::none() }
/// #     }
/// #     impl FindByUsername for Member {
/// #         type Connection = NoConnection;
/// #         fn find_by_username(_: &str, _: &mut NoConnection) -> Result<(Self, PasswordHash), LoadError> {
/// #             Err(LoadError::NotFound)
/// #         }
/// #     }
/// # }
/// # use members::Member;
///
/// #[derive(serde::Deserialize)]
/// struct Credentials {
///     name: String,
///     password: String,
/// }
///
/// #[public(reason = "who logs in is not logged in yet")]
/// #[post("/log-in")]
/// async fn log_in(
///     request: HttpRequest,
///     Form(Credentials { name, password }): Form<Credentials>,
///     log_in: Data<PasswordLogIn<Member>>,
/// ) -> Result<HttpResponse, Error> {
///     let member = log_in.log_in(&request, &name, password).await.map_err(AuthError::from)?;
///     // … begin a session of this member, or store a token
/// #   let _ = member;
///     Ok(HttpResponse::NoContent().finish())
/// }
///
/// # let pool = NoConnection;
/// let by_password = Data::new(PasswordLogIn::<Member>::new(pool));
/// ```
pub struct PasswordLogIn<S: FindByUsername> {
    pool: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    passwords: Passwords,
    attempts: Attempts,
    address: Option<Arc<AddressOf>>,
    time_limit: Duration,
}

/// Finds the address that attempts count for.
type AddressOf = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

/// How long a look-up may take by default.
const TIME_LIMIT: Duration = Duration::from_secs(30);

impl<S: FindByUsername> PasswordLogIn<S> {
    /// Looks names up over the connections of this pool, and has attempts and passwords of its own.
    pub fn new(pool: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self {
            pool: Arc::new(pool),
            passwords: Passwords::new(),
            attempts: Attempts::default(),
            address: None,
            time_limit: TIME_LIMIT,
        }
    }

    /// Compares passwords at this cost.
    #[must_use]
    pub fn passwords(mut self, passwords: Passwords) -> Self {
        self.passwords = passwords;
        self
    }

    /// Counts attempts here.
    #[must_use]
    pub fn attempts(mut self, attempts: Attempts) -> Self {
        self.attempts = attempts;
        self
    }

    /// Finds the address that attempts count for in a way of the application's own. Left out, or where it finds none, it is
    /// that of [`Attempts::address_of`], which also works behind [trusted proxies](Attempts::behind). Never take an address
    /// that a client can write itself: it would have no limit.
    #[must_use]
    pub fn address(mut self, of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.address = Some(Arc::new(of));
        self
    }

    /// Says how long each of the two look-ups may take; left out, 30 s. An attempt and a comparison wait for their turns
    /// besides, as [`Attempts`] and [`Passwords`] say.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// The user with this name and password. What a log-in is, a session or a token, the application makes of it.
    ///
    /// # Errors
    ///
    /// [`LogInError`], of which each becomes the answer as an [`AuthError`].
    pub async fn log_in(
        &self,
        request: &HttpRequest,
        username: &str,
        password: String,
    ) -> Result<S, LogInError> {
        let address = self.address_of(request);
        let checked = self.check(address, username, password).await.map(|(subject, _)| subject);
        let shown = address.map(field::display);
        match &checked {
            Ok(subject) => {
                tracing::info!(target: "auth", address = shown, subject = ?subject.id(), outcome = "allow", "log-in");
            }
            Err(error @ LogInError::Unavailable(_)) => {
                let reason = error.reason();
                let error = Causes(error);
                tracing::error!(target: "auth", address = shown, outcome = "deny", reason, %error, "log-in");
            }
            Err(error) => {
                let reason = error.reason();
                tracing::info!(target: "auth", address = shown, outcome = "deny", reason, "log-in");
            }
        }
        checked
    }

    pub(super) fn address_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let address = self.address.as_ref().and_then(|of| of(request));
        address.or_else(|| self.attempts.address_of(request))
    }

    /// As [`log_in`](Self::log_in), without a line of the log, and with the stored hash.
    pub(super) async fn check(
        &self,
        address: Option<IpAddr>,
        username: &str,
        password: String,
    ) -> Result<(S, PasswordHash), LogInError> {
        let attempt = self.attempts.begin(&S::counts_as(username), address).await?;
        let checked = self.compare(username, password).await;
        // A right password is no guess, and a store that failed revealed nothing. If the client goes away before the answer,
        // the attempt counts: otherwise going away would be a way around the limit.
        if !matches!(checked, Err(LogInError::WrongCredentials)) {
            attempt.take_back();
        }
        checked
    }

    /// No connection is borrowed while the password is compared, which takes longer than all the rest.
    async fn compare(&self, username: &str, password: String) -> Result<(S, PasswordHash), LogInError> {
        let (before, stored) = self.find(username).await?.unzip();
        let verified =
            self.passwords.verify(password, stored.clone()).await.map_err(LogInError::unavailable)?;
        let (Some(before), Some(stored), true) = (before, stored, verified) else {
            return Err(LogInError::WrongCredentials);
        };
        let now = self.find(username).await?.and_then(|now| still(&before, &stored, now));
        now.map(|now| (now, stored)).ok_or(LogInError::WrongCredentials)
    }

    async fn find(&self, username: &str) -> Result<Option<(S, PasswordHash)>, LogInError> {
        let username = username.to_owned();
        let find = move |connection: &mut S::Connection| S::find_by_username(&username, connection);
        let found = timeout(self.time_limit, blocking::run(&self.pool, find)).await;
        match found.map_err(LogInError::unavailable)? {
            Ok(found) => Ok(Some(found)),
            Err(LoadError::NotFound) => Ok(None),
            Err(LoadError::Unavailable(error)) => Err(LogInError::Unavailable(error)),
        }
    }
}

/// The subject that is found now, if a password that was compared with this hash still logs it in.
pub(super) fn still<S: FindByUsername>(
    before: &S,
    stored: &PasswordHash,
    (now, hash): (S, PasswordHash),
) -> Option<S> {
    (hash == *stored && now.id() == before.id() && before.is_still(&now)).then_some(now)
}

impl<S: FindByUsername> Clone for PasswordLogIn<S> {
    fn clone(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            passwords: self.passwords.clone(),
            attempts: self.attempts.clone(),
            address: self.address.clone(),
            time_limit: self.time_limit,
        }
    }
}

/// Why no user is logged in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogInError {
    /// There is no such user, the user may not get in, or the password is wrong: 401. The answer must not tell which.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// There were too many attempts, so the password is not even looked at: 429.
    #[error(transparent)]
    TooManyAttempts(#[from] TooManyAttempts),
    /// The credentials could not be checked: 503.
    #[error("the credentials could not be checked")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

impl LogInError {
    fn unavailable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }

    /// The reason, as events have it.
    fn reason(&self) -> &'static str {
        let reason = match self {
            Self::WrongCredentials => DenyReason::BadCredentials,
            Self::TooManyAttempts(TooManyAttempts { retry_after }) => {
                DenyReason::TooManyRequests { retry_after: *retry_after }
            }
            Self::Unavailable(_) => DenyReason::Unavailable,
        };
        Decision::Deny(reason).reason()
    }
}

impl From<LogInError> for Rejection {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => Self::BadCredentials,
            LogInError::TooManyAttempts(error) => error.into(),
            LogInError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// The answer to the client. The log has the error of a store, which is not a part of it.
impl From<LogInError> for AuthError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => Self::unauthenticated(),
            LogInError::TooManyAttempts(error) => error.into(),
            LogInError::Unavailable(_) => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests;

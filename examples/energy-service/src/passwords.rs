//! Passwords that are set from the command line, and those that everybody knows. Not for comparing them at a log-in: the
//! library does that.

use auth_core::mechanism::{PasswordError, PasswordHash, Passwords};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use crate::{
    database::Database,
    demo,
    error::ServiceError,
    routes::valid_password,
    schema::{auth_tokens, users},
};

/// Gives a user another password, and ends all log-ins of the user: they may be by the former one.
///
/// # Errors
///
/// When there is no such user, the password is not one that a user may have, or everybody knows it.
pub fn set(email: &str, password: &str, database: &Database) -> Result<(), SetPasswordError> {
    valid_password(password)?;
    if password == demo::PASSWORD {
        return Err(SetPasswordError::Public);
    }
    let hash = Passwords::new().hash(password)?;
    let mut connection = database.connection()?;
    connection.immediate_transaction(|connection| {
        let with_email = users::table.filter(users::email.eq(email.to_ascii_lowercase()));
        let id: Option<i32> = with_email.select(users::id).first(connection).optional()?;
        let id = id.ok_or(SetPasswordError::NoUser)?;
        diesel::update(users::table.find(id))
            .set((users::password_hash.eq(hash.as_str()), users::log_outs.eq(users::log_outs + 1)))
            .execute(connection)?;
        diesel::delete(auth_tokens::table.filter(auth_tokens::user_id.eq(id))).execute(connection)?;
        Ok(())
    })
}

/// The email addresses of those who can log in with the password of the demo, among the users that the demo makes.
pub(crate) async fn public(passwords: &Passwords, database: &Database) -> Result<Vec<String>, ServiceError> {
    let stored: Vec<(String, String)> = database
        .run(|connection| {
            let of_demo = users::table.filter(users::email.eq_any(demo::emails())).filter(users::active);
            Ok(of_demo.order(users::id).select((users::email, users::password_hash)).load(connection)?)
        })
        .await?;
    let mut public = Vec::new();
    for (email, hash) in stored {
        let verified = passwords.verify(demo::PASSWORD.to_owned(), Some(PasswordHash::from(hash))).await;
        if verified.map_err(ServiceError::internal)? {
            public.push(email);
        }
    }
    Ok(public)
}

/// Why a password is not set.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// There is no user with this email address.
    #[error("there is no such user")]
    NoUser,
    /// It is the one of the demo.
    #[error("this password is public: it is the one of the demo")]
    Public,
    /// The password is not one that a user may have, or the database failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The database failed.
    #[error("cannot store the password")]
    Database(#[from] diesel::result::Error),
    /// There is no hash of it.
    #[error("cannot hash the password")]
    Hash(#[from] PasswordError),
}

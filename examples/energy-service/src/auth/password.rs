//! Passwords: hashed by Argon2id with the parameters that OWASP recommends, which are the crate's default. Slow on
//! purpose: a hash takes tens of milliseconds and 19 MiB.

use std::{num::NonZero, sync::Arc, thread};

use actix_web::{error::BlockingError, web};
use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{AcquireError, Semaphore};

/// Compares passwords with their hashes.
#[derive(Clone)]
pub struct Passwords {
    /// The hash of no user's password.
    dummy: Arc<str>,
    /// One for each processor. Everyone may try to log in, and without a limit a thousand who do take 19 GiB. They
    /// wait for their turn without a thread.
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// Hashes one password, so that the first log-in takes no longer than the second.
    ///
    /// # Errors
    ///
    /// As [`hash`](Self::hash).
    pub fn new() -> Result<Self, PasswordError> {
        let turns = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self { dummy: Self::hash("nobody's password")?.into(), turns: Arc::new(Semaphore::new(turns)) })
    }

    /// Hashes a password with a salt of its own, for storing. Not for the event loop.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers for the salt.
    pub fn hash(password: &str) -> Result<String, PasswordError> {
        Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
    }

    /// Whether the password is the one that was hashed. Without a `stored` hash, because there is no such user, it is
    /// not, and finding this out takes as long: the time of an answer must not tell which users exist.
    ///
    /// # Errors
    ///
    /// When what is stored is no hash.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let dummy = Arc::clone(&self.dummy);
        web::block(move || {
            // Held until the end of the work, which goes on if the client does not wait for it.
            let _turn = turn;
            let hash =
                PasswordHash::new(stored.as_deref().unwrap_or(&dummy)).map_err(password_hash::Error::from)?;
            match Argon2::default().verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(stored.is_some()),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
        .await?
    }
}

/// A password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The algorithm failed, or what is stored is no hash.
    #[error("the password could not be processed")]
    Hash(#[from] password_hash::Error),
    /// The service ends.
    #[error("nobody compares passwords any more")]
    Closed(#[from] AcquireError),
    /// The thread that compared the password panicked.
    #[error("the comparison of the password panicked")]
    Panicked(#[from] BlockingError),
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[actix_web::test]
    async fn only_the_password_itself_verifies() {
        let passwords = Passwords::new().unwrap();
        let hash = Passwords::hash("sunny side up").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, stored: Option<&str>| {
            passwords.verify(password.to_owned(), stored.map(str::to_owned)).await
        };
        assert!(verify("sunny side up", Some(&hash)).await.unwrap());
        assert!(!verify("sunny side down", Some(&hash)).await.unwrap());
        assert!(!verify("nobody's password", None).await.unwrap());
        assert!(verify("sunny side up", Some("not a hash")).await.is_err());
    }
}

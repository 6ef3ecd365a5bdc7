//! Passwords: hashed and compared by Argon2id, which is slow and takes memory on purpose.

use std::{
    error::Error,
    fmt,
    num::NonZero,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use actix_web::web;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output, ParamsString, Salt},
};
use thiserror::Error;
use tokio::{sync::Semaphore, time::timeout};

use super::NormalForm;

/// One password for each processor at a time, in the whole process: anyone may try to log in, and at 19 MiB
/// each a thousand attempts would take 19 GiB. Waiting for a turn takes no thread.
static TURNS: LazyLock<Turns> = LazyLock::new(|| Turns::new(processors(), 1000, Duration::from_secs(30)));

/// Memory of comparisons that have ended, for the next ones: one for each turn. If it went back to the allocator each
/// time, much of it would stay with every thread that ever worked on a password.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Hashes passwords, and compares them with their hashes. Clones share everything.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() -> Result<(), auth_core::mechanism::PasswordError> {
/// use auth_core::mechanism::Passwords;
///
/// let passwords = Passwords::new();
/// let stored = passwords.hash("correct horse")?;
/// assert!(passwords.verify("correct horse".to_owned(), Some(stored)).await?);
/// // No user has this name: that takes as long.
/// assert!(!passwords.verify("correct horse".to_owned(), None).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Passwords {
    cost: Params,
    form: NormalForm,
    /// The hash of no user's password. The first comparison makes it, for every name: so its time reveals nothing.
    dummy: Arc<OnceLock<PasswordHash>>,
}

impl Passwords {
    /// With the cost that OWASP recommends for Argon2id: 19 MiB, two passes, one lane.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a cost of one's own: KiB of memory, passes over it, lanes.
    ///
    /// Passwords that were hashed before are still compared at their own cost. Until they are hashed anew,
    /// the time of an answer tells whether there is such a user.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Cost`] if Argon2 knows no such cost.
    pub fn with_cost(memory: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let cost =
            Params::new(memory, passes, lanes, None).map_err(|error| PasswordError::Cost(error.into()))?;
        Ok(Self { cost, ..Self::default() })
    }

    /// Hashes and compares passwords in this Unicode form; left out, [`NormalForm::Nfkc`].
    ///
    /// Change it with all hashes that are stored, or not at all: of a password with other characters than those of ASCII,
    /// the hash in one form is not that in another. A password that was hashed as it was typed, without a form, still
    /// matches if it is typed in that form.
    #[must_use]
    pub fn normalized_as(mut self, form: NormalForm) -> Self {
        self.form = form;
        self
    }

    /// Hashes a password with a salt of its own, for storing. It takes tens of milliseconds, so it is not for
    /// the event loop: handlers call [`hash_in_turn`](Self::hash_in_turn).
    ///
    /// # Errors
    ///
    /// [`PasswordError::Failed`] if the system has no memory or no random numbers to give.
    pub fn hash(&self, password: &str) -> Result<PasswordHash, PasswordError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        getrandom::fill(&mut salt).map_err(PasswordError::failed)?;
        let salt = Salt::new(&salt).map_err(PasswordError::failed)?;
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let password = self.form.of(password);
        let password = password.as_bytes();
        with_memory(&self.cost, |memory| {
            self.argon2().hash_password_into_with_memory(password, &salt, &mut output, memory)
        })?
        .map_err(PasswordError::failed)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.cost).map_err(PasswordError::failed)?,
            salt: Some(salt),
            hash: Some(Output::new(&output).map_err(PasswordError::failed)?),
        };
        Ok(PasswordHash(hash.to_string()))
    }

    /// [`hash`](Self::hash) for handlers: on a thread for blocking work, and in turn with all log-ins, so that
    /// memory and processors suffice. Do not hold a connection to a database meanwhile.
    ///
    /// ```
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), auth_core::mechanism::PasswordError> {
    /// use auth_core::mechanism::Passwords;
    ///
    /// let passwords = Passwords::new();
    /// let stored = passwords.hash_in_turn("correct horse".to_owned()).await?;
    /// assert!(passwords.verify("correct horse".to_owned(), Some(stored)).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`hash`](Self::hash); [`PasswordError::Busy`] if a thousand wait, or this one does for half a minute.
    pub async fn hash_in_turn(&self, password: String) -> Result<PasswordHash, PasswordError> {
        let passwords = self.clone();
        TURNS.work(move || passwords.hash(&password)).await
    }

    /// Whether the password is the one that was hashed.
    ///
    /// If nothing is `stored`, because there is no such user, it is not, and the comparison takes as long: the time of an
    /// answer must not reveal which users exist. It works on a thread for blocking work.
    /// Do not hold a connection to a database meanwhile.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Failed`] if the system has no memory to give; [`PasswordError::Busy`] if a thousand wait for their
    /// turn, or this one does for half a minute. A stored text that is no hash by
    /// Argon2 matches no password: it is logged, and the password is wrong.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let passwords = self.clone();
        TURNS.work(move || passwords.compare(&password, stored.as_ref())).await
    }

    fn compare(&self, password: &str, stored: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        let dummy = self.dummy()?;
        let normal = self.form.of(password);
        let is_hash_of_either = |stored| -> Result<bool, CompareError> {
            // A hash may be older than the form. The typed password decides whether there are two comparisons, and not
            // whether there is a user of this name.
            Ok(is_hash_of(&normal, stored)? || *normal != *password && is_hash_of(password, stored)?)
        };
        let compared = match is_hash_of_either(stored.unwrap_or(dummy)) {
            // A text that is no hash lets no user in. It takes as long and counts as any wrong password, because the
            // answer must not reveal that there is such a user. The log reveals it to the operator.
            Err(CompareError::Stored(error)) => {
                tracing::error!(target: "auth", %error, "what is stored for a password is no PHC string of Argon2");
                let _ = is_hash_of_either(dummy);
                false
            }
            Err(CompareError::Failed(error)) => return Err(error),
            Ok(is_same) => is_same,
        };
        Ok(compared && stored.is_some())
    }

    fn dummy(&self) -> Result<&PasswordHash, PasswordError> {
        if let Some(dummy) = self.dummy.get() {
            return Ok(dummy);
        }
        let dummy = self.hash("nobody's password")?;
        Ok(self.dummy.get_or_init(|| dummy))
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.cost.clone())
    }
}

/// Work that takes turns.
struct Turns {
    at_once: Arc<Semaphore>,
    /// The places in the queue, so that a flood does not take memory without end.
    line: Semaphore,
    /// How long work waits for its turn.
    wait: Duration,
}

impl Turns {
    fn new(at_once: usize, waiting: usize, wait: Duration) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once)), line: Semaphore::new(waiting), wait }
    }

    /// Works on a thread for blocking work, once it is its turn.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = self.line.try_acquire().map_err(|_| PasswordError::Busy)?;
        let turn = timeout(self.wait, Arc::clone(&self.at_once).acquire_owned()).await;
        let turn = turn.map_err(|_| PasswordError::Busy)?.map_err(PasswordError::failed)?;
        drop(place);
        let done = web::block(move || {
            // Held until the end of the work, which goes on if the client does not wait for it.
            let _turn = turn;
            work()
        });
        done.await.map_err(PasswordError::failed)?
    }
}

/// As `PasswordVerifier::verify_password` of `argon2`, in memory that is used again.
fn is_hash_of(password: &str, PasswordHash(stored): &PasswordHash) -> Result<bool, CompareError> {
    let hash = phc::PasswordHash::new(stored).map_err(CompareError::stored)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Err(CompareError::stored("there is no salt, or no hash"));
    };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(CompareError::stored)?;
    let version = hash.version.map(Version::try_from).transpose().map_err(CompareError::stored)?;
    let cost = Params::try_from(&hash).map_err(CompareError::stored)?;

    let mut output = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), cost.clone());
    with_memory(&cost, |memory| {
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory)
    })
    .map_err(CompareError::Failed)?
    .map_err(CompareError::stored)?;
    // `Output` is compared in constant time.
    Ok(Output::new(&output).map_err(CompareError::stored)? == *expected)
}

/// Works in as many blocks as this cost needs. The next work uses them again.
fn with_memory<T>(cost: &Params, work: impl FnOnce(&mut [Block]) -> T) -> Result<T, PasswordError> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    let missing = cost.block_count().saturating_sub(memory.len());
    memory.try_reserve_exact(missing).map_err(PasswordError::failed)?;
    memory.resize(memory.len() + missing, Block::new());
    let done = work(&mut memory);
    let mut kept = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    // `hash` waits for no turn, so there may be more than one for each.
    if kept.len() < processors() {
        kept.push(memory);
    }
    Ok(done)
}

/// Why a password could not be compared.
#[derive(Debug)]
enum CompareError {
    /// The stored text is no hash by Argon2.
    Stored(Box<dyn Error + Send + Sync>),
    Failed(PasswordError),
}

impl CompareError {
    fn stored(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Stored(error.into())
    }
}

/// The stored form of a password: an Argon2 hash as a PHC string, `$argon2id$v=19$…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash, to be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// From the stored text. The comparison with a password checks that it is a hash.
impl From<String> for PasswordHash {
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

/// Shows nothing of the hash, because readers of the log could guess at it.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A password could not be hashed or compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Argon2 knows no such cost.
    #[error("no such cost of a password's hash")]
    Cost(#[source] Box<dyn Error + Send + Sync>),
    /// Too many passwords wait for their turn, or this one did for half a minute.
    #[error("too many passwords are compared at the moment")]
    Busy,
    /// The system did not give what it takes.
    #[error("a password could not be hashed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl PasswordError {
    fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

/// All turns, once all are free.
#[cfg(test)]
pub(super) async fn all_turns() -> tokio::sync::SemaphorePermit<'static> {
    TURNS.at_once.acquire_many(processors().try_into().unwrap()).await.unwrap()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    use super::*;

    /// Hashing waits as comparing does.
    #[actix_web::test]
    async fn a_new_password_waits_for_its_turn() {
        let turns = all_turns().await;
        let passwords = Passwords::with_cost(32, 1, 1).unwrap();
        let mut hashed = Box::pin(passwords.hash_in_turn("sunny side up".to_owned()));
        // It does not end while this test has all turns.
        let waited = actix_web::rt::time::timeout(Duration::from_millis(200), &mut hashed).await;
        assert!(waited.is_err(), "{waited:?}");
        drop(turns);
        let hash = hashed.await.unwrap();
        assert!(passwords.verify("sunny side up".to_owned(), Some(hash)).await.unwrap());
    }

    #[actix_web::test]
    async fn nobody_waits_without_end() {
        let impatient = Turns::new(1, 1, Duration::ZERO);
        assert!(impatient.work(|| Ok(())).await.is_ok());
        let turn = impatient.at_once.acquire().await.unwrap();
        assert!(matches!(impatient.work(|| Ok(())).await, Err(PasswordError::Busy)));
        drop(turn);
        let place = impatient.line.acquire().await.unwrap();
        assert!(matches!(impatient.work(|| Ok(())).await, Err(PasswordError::Busy)));
        drop(place);
        assert!(impatient.work(|| Ok(())).await.is_ok());
    }

    #[test]
    fn argon2_itself_verifies_a_hash() {
        for passwords in [Passwords::new(), Passwords::with_cost(64, 3, 2).unwrap()] {
            let stored = passwords.hash("sunny side up").unwrap();
            let hash = phc::PasswordHash::new(stored.as_str()).unwrap();
            assert!(Argon2::default().verify_password(b"sunny side up", &hash).is_ok());
            assert!(Argon2::default().verify_password(b"sunny side down", &hash).is_err());
        }
    }

    #[actix_web::test]
    async fn only_the_password_itself_verifies() {
        let passwords = Passwords::with_cost(32, 1, 1).unwrap();
        let hash = passwords.hash("sunny side up").unwrap();
        let verify = async |password: &str, stored: Option<&PasswordHash>| {
            passwords.verify(password.to_owned(), stored.cloned()).await
        };
        assert!(verify("sunny side up", Some(&hash)).await.unwrap());
        assert!(!verify("sunny side down", Some(&hash)).await.unwrap());
        assert!(!verify("", Some(&hash)).await.unwrap());
        assert!(!verify("nobody's password", None).await.unwrap());
        for stored in [
            "",
            "!",
            "secret",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=32,t=1,p=1",
            "$argon2id$v=19$m=32,t=1,p=1$c2FsdHNhbHQ",
            "$argon2id$v=18$m=32,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "$scrypt$ln=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
        ] {
            let verified = verify("secret", Some(&PasswordHash::from(stored.to_owned()))).await;
            assert!(matches!(verified, Ok(false)), "{stored}: {verified:?}");
        }
    }

    /// Hashes that others made, among them the examples of the reference implementation, one after the other
    /// in the same memory.
    #[actix_web::test]
    async fn it_agrees_with_argon2_itself() {
        let costs = [(8, 1, 1), (256, 2, 1), (64, 3, 2), (32, 1, 4)];
        for (memory, passes, lanes) in costs.into_iter().chain(costs) {
            for algorithm in [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id] {
                for version in [Version::V0x10, Version::V0x13] {
                    let cost = Params::new(memory, passes, lanes, Some(24)).unwrap();
                    let argon2 = Argon2::new(algorithm, version, cost);
                    let hash: phc::PasswordHash = argon2.hash_password(b"password").unwrap();
                    let stored = PasswordHash::from(hash.to_string());
                    assert!(is_hash_of("password", &stored).unwrap(), "{hash}");
                    assert!(!is_hash_of("Password", &stored).unwrap(), "{hash}");
                }
            }
        }
        let reference =
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
        assert!(is_hash_of("password", &reference.to_owned().into()).unwrap());
    }

    #[test]
    fn the_dummy_costs_what_a_hash_costs() {
        for (passwords, cost) in [
            (Passwords::new(), "$argon2id$v=19$m=19456,t=2,p=1$"),
            (Passwords::with_cost(64, 3, 2).unwrap(), "$argon2id$v=19$m=64,t=3,p=2$"),
        ] {
            for hash in [passwords.dummy().unwrap(), &passwords.hash("a").unwrap()] {
                assert!(hash.as_str().starts_with(cost), "{}", hash.as_str());
            }
        }
        assert!(matches!(Passwords::with_cost(1, 1, 1), Err(PasswordError::Cost(_))));
    }

    #[test]
    fn each_hash_has_a_salt_of_its_own_and_debug_hides_it() {
        let passwords = Passwords::with_cost(32, 1, 1).unwrap();
        let hash = passwords.hash("a").unwrap();
        assert_ne!(hash, passwords.hash("a").unwrap());
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }
}

//! How many attempts to log in may fail: for each account and for each address, in memory.
//!
//! Not a limit of requests in general. Only failures count; while an attempt is being decided, it may still fail. Limits
//! that only ever count, as those of the crate `governor`, would lock out a client that
//! sends its right password with every request; and what `governor` remembers grows with the names that
//! attackers make up.

mod counts;
mod limits;
mod table;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::HttpRequest;
use thiserror::Error;
use tokio::{sync::oneshot, time::timeout};

use self::counts::{Begun, Counts, End, Entry};
pub use self::limits::AttemptLimits;
use super::{Rejection, TrustedProxies};
use crate::error::AuthError;

/// How long an attempt waits for others of its account.
const WAIT: Duration = Duration::from_secs(10);

/// Counts attempts to log in. Clones share the counts: make one, for the mechanism and the log-in endpoint
/// alike.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() {
/// # use std::{net::IpAddr, time::Duration};
/// # use auth_core::mechanism::{AttemptLimits, Attempts, TooManyAttempts};
/// # fn password_is_right() -> bool { false }
/// # async fn log_in(attempts: &Attempts, name: &str, address: Option<IpAddr>) -> Result<bool, TooManyAttempts> {
/// // Before anything costly is done, with the address that `attempts.address_of(&request)` finds:
/// let attempt = attempts.begin(name, address).await?;
/// let right = password_is_right();
/// if right {
///     attempt.take_back();
/// }
/// # Ok(right)
/// # }
/// # let attempts = Attempts::new(AttemptLimits::default().per_account(2, Duration::from_secs(60)));
/// # assert!(!log_in(&attempts, "mia", None).await.unwrap());
/// # assert!(!log_in(&attempts, "Mia", None).await.unwrap());
/// # assert!(log_in(&attempts, "mia", None).await.is_err());
/// # }
/// ```
#[derive(Clone)]
pub struct Attempts {
    shared: Arc<Shared>,
    proxies: TrustedProxies,
}

struct Shared {
    started: Instant,
    /// With random keys, so that an attacker cannot choose names that meet in one place.
    hasher: RandomState,
    counts: Mutex<Counts>,
}

impl Attempts {
    /// Counts from zero, in memory: each process counts for itself.
    #[must_use]
    pub fn new(limits: AttemptLimits) -> Self {
        let shared = Shared {
            started: Instant::now(),
            hasher: RandomState::new(),
            counts: Mutex::new(Counts::new(limits)),
        };
        Self { shared: Arc::new(shared), proxies: TrustedProxies::default() }
    }

    /// Takes the address of a caller from what these proxies say. Left out, it is the other end of the connection; behind
    /// a proxy that is the proxy, for everybody.
    ///
    /// ```
    /// # fn main() -> Result<(), auth_core::mechanism::InvalidProxy> {
    /// use auth_core::mechanism::{Attempts, ForwardedHeader, TrustedProxies};
    ///
    /// let proxies = TrustedProxies::new(ForwardedHeader::XForwardedFor, ["127.0.0.1", "::1"])?;
    /// let attempts = Attempts::default().behind(proxies);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn behind(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The address of a request's caller, for [`begin`](Self::begin) and for logs.
    #[must_use]
    pub fn address_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.proxies.address_of(request)
    }

    /// Begins an attempt to log in as this account from this address, unless too many have failed. Unknown names
    /// count alike, so that the limit does not reveal which names exist.
    ///
    /// More attempts for one account than may still fail wait in turn, at most 100 of them for at most 10 seconds each.
    ///
    /// Names that differ in case, or in the blanks around them, count as one. The address is what
    /// [`address_of`](Self::address_of) finds, and never what a client can write itself. `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`TooManyAttempts`], also for the right password. Such an attempt does not count.
    pub async fn begin(&self, account: &str, address: Option<IpAddr>) -> Result<Attempt, TooManyAttempts> {
        let account = self.shared.hasher.hash_one(account.trim().to_lowercase());
        let address = address.map(|address| self.shared.hasher.hash_one(network(address)));
        let shared = Arc::clone(&self.shared);
        let entry = shared.counts().enter(account, address, shared.now())?;
        match entry {
            Entry::Begun(begun) => Ok(Attempt { shared, begun, end: End::Failed }),
            Entry::Waits(turn) => InLine { shared, account, turn }.wait().await,
        }
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(AttemptLimits::default())
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

/// An attempt that waits for others of its account. It may be dropped before its turn, or with a turn that it has not
/// taken.
struct InLine {
    shared: Arc<Shared>,
    account: u64,
    turn: oneshot::Receiver<Result<Begun, TooManyAttempts>>,
}

impl InLine {
    async fn wait(mut self) -> Result<Attempt, TooManyAttempts> {
        match timeout(WAIT, &mut self.turn).await {
            Ok(Ok(turn)) => {
                turn.map(|begun| Attempt { shared: Arc::clone(&self.shared), begun, end: End::Failed })
            }
            Ok(Err(_)) | Err(_) => Err(TooManyAttempts::soon()),
        }
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        // Turns are given while the counts are locked, so none is lost in between.
        let mut counts = self.shared.counts();
        self.turn.close();
        match self.turn.try_recv() {
            Ok(Ok(begun)) => counts.end(begun, End::TakenBack, self.shared.now()),
            Ok(Err(_)) | Err(_) => counts.leave(self.account),
        }
    }
}

/// An attempt to log in, which is a failure unless it is taken back.
#[must_use = "an attempt is a failure until it is taken back"]
pub struct Attempt {
    shared: Arc<Shared>,
    begun: Begun,
    end: End,
}

impl Attempt {
    /// The attempt does not count: the password was right, or a store failed.
    pub fn take_back(mut self) {
        self.end = End::TakenBack;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.shared.counts().end(self.begun, self.end, self.shared.now());
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

/// There were too many attempts for this account or from this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there were too many attempts to log in")]
pub struct TooManyAttempts {
    /// When there may be another one.
    pub retry_after: Duration,
}

impl TooManyAttempts {
    /// Too many at a time, which may be over in a moment.
    pub(super) fn soon() -> Self {
        Self { retry_after: Duration::from_secs(1) }
    }
}

impl From<TooManyAttempts> for Rejection {
    fn from(TooManyAttempts { retry_after }: TooManyAttempts) -> Self {
        Self::TooManyRequests { retry_after }
    }
}

impl From<TooManyAttempts> for AuthError {
    fn from(TooManyAttempts { retry_after }: TooManyAttempts) -> Self {
        Self::TooManyRequests { retry_after }
    }
}

/// The network that one customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;

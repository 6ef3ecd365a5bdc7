//! How often somebody may try to log in: for each account and for each address, in memory.
//!
//! Not a limit of requests in general. An attempt counts until it is taken back, which whoever had the right
//! password does. Limits that only ever count, as those of the crate `governor`, would lock out a client that
//! sends its right password with every request; and what `governor` remembers grows with the names that
//! attackers make up.

use std::{
    array,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use thiserror::Error;

use super::Rejection;
use crate::error::AuthError;

/// How many attempts there may be. The default:
///
/// * for an account 10, and one more each minute;
/// * for an address 50, and one more every 5 seconds;
/// * 65,536 accounts and as many addresses are remembered, in 3 MiB.
///
/// ```
/// use std::time::Duration;
/// use auth_core::mechanism::{AttemptLimits, Attempts};
///
/// let limits = AttemptLimits::default().per_account(5, Duration::from_secs(300));
/// let attempts = Attempts::new(limits);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct AttemptLimits {
    account: Rate,
    address: Rate,
    remembered: usize,
}

impl AttemptLimits {
    /// For each account so many attempts at once, and one more whenever this time has passed. Attempts that
    /// are still being decided count as well: who sends right passwords in parallel needs as many.
    ///
    /// A limit for an account can be used up by anybody who knows its name, who so keeps its user out as long
    /// as the attack lasts. Tokens and sessions are not concerned.
    pub fn per_account(mut self, at_once: u32, one_more_after: Duration) -> Self {
        self.account = Rate { at_once, one_more_after };
        self
    }

    /// For each address so many attempts at once, and one more whenever this time has passed. An IPv6 address
    /// stands for its network (/64), which is what one customer has.
    pub fn per_address(mut self, at_once: u32, one_more_after: Duration) -> Self {
        self.address = Rate { at_once, one_more_after };
        self
    }

    /// Remembers so many accounts, and as many addresses, in 24 bytes each. When there are more, those with
    /// the fewest attempts are forgotten first, which an attacker can only make use of with many times as
    /// many attempts.
    pub fn remember(mut self, number: usize) -> Self {
        self.remembered = number;
        self
    }
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            account: Rate { at_once: 10, one_more_after: Duration::from_secs(60) },
            address: Rate { at_once: 50, one_more_after: Duration::from_secs(5) },
            remembered: 1 << 16,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    at_once: u32,
    one_more_after: Duration,
}

/// Counts attempts to log in. Clones share the counts: make one, for the mechanism and the log-in endpoint
/// alike.
///
/// ```
/// # use std::{net::IpAddr, time::Duration};
/// # use auth_core::mechanism::{AttemptLimits, Attempts, TooManyAttempts};
/// # fn password_is_right() -> bool { false }
/// # fn log_in(attempts: &Attempts, name: &str, peer: Option<IpAddr>) -> Result<bool, TooManyAttempts> {
/// // Before anything costly is done:
/// let attempt = attempts.begin(name, peer)?;
/// let right = password_is_right();
/// if right {
///     attempt.take_back();
/// }
/// # Ok(right)
/// # }
/// # let attempts = Attempts::new(AttemptLimits::default().per_account(2, Duration::from_secs(60)));
/// # assert!(!log_in(&attempts, "mia", None).unwrap());
/// # assert!(!log_in(&attempts, "Mia", None).unwrap());
/// # assert!(log_in(&attempts, "mia", None).is_err());
/// ```
#[derive(Clone)]
pub struct Attempts(Arc<Shared>);

struct Shared {
    started: Instant,
    /// With keys of its own, so that nobody can choose names that meet in one place.
    hasher: RandomState,
    counts: Mutex<Counts>,
}

impl Attempts {
    /// Counts from zero, in memory: each process counts for itself.
    #[must_use]
    pub fn new(limits: AttemptLimits) -> Self {
        let counts = Counts {
            accounts: Table::new(limits.account, limits.remembered),
            addresses: Table::new(limits.address, limits.remembered),
        };
        Self(Arc::new(Shared {
            started: Instant::now(),
            hasher: RandomState::new(),
            counts: Mutex::new(counts),
        }))
    }

    /// Counts an attempt to log in as this account from this address, unless there were too many. The same
    /// for names that nobody has: which exist must not show.
    ///
    /// Names that differ in case, or in the blanks around them, count as one. The address is that of the
    /// connection, or what a proxy of one's own wrote; never what a client can write itself. `None` where
    /// there is none.
    ///
    /// # Errors
    ///
    /// [`TooManyAttempts`], also for the right password. Such an attempt does not count.
    pub fn begin(&self, account: &str, address: Option<IpAddr>) -> Result<Attempt, TooManyAttempts> {
        let account = self.0.hasher.hash_one(account.trim().to_lowercase());
        let address = address.map(|address| self.0.hasher.hash_one(network(address)));
        self.counts().begin(account, address, self.0.started.elapsed())?;
        Ok(Attempt { attempts: self.clone(), account, address })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(AttemptLimits::default())
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").finish_non_exhaustive()
    }
}

/// An attempt to log in, which counts unless it is taken back.
#[derive(Debug)]
#[must_use = "an attempt counts until it is taken back"]
pub struct Attempt {
    attempts: Attempts,
    account: u64,
    address: Option<u64>,
}

impl Attempt {
    /// It does not count: the password was right, or nobody could tell because a store failed.
    pub fn take_back(self) {
        let mut counts = self.attempts.counts();
        counts.accounts.give_back(self.account);
        if let Some(address) = self.address {
            counts.addresses.give_back(address);
        }
    }
}

/// There were too many attempts for this account or from this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there were too many attempts to log in")]
pub struct TooManyAttempts {
    /// When there may be another one.
    pub retry_after: Duration,
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

struct Counts {
    accounts: Table,
    addresses: Table,
}

impl Counts {
    /// `now` is the time since the start.
    fn begin(&mut self, account: u64, address: Option<u64>, now: Duration) -> Result<(), TooManyAttempts> {
        let of_account = self.accounts.wait(account, now);
        let of_address = address.and_then(|address| self.addresses.wait(address, now));
        if let Some(retry_after) = of_account.max(of_address) {
            return Err(TooManyAttempts { retry_after });
        }
        self.accounts.count(account, now);
        if let Some(address) = address {
            self.addresses.count(address, now);
        }
        Ok(())
    }
}

const PLACES: usize = 8;

/// A fixed number of counts. The key says in which set of places its count is; of a full set, the count that
/// would have expired first makes room.
struct Table {
    rate: Rate,
    sets: Box<[[Count; PLACES]]>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    key: u64,
    /// When no attempt counts any more, as time since the start. It moves on by one step with each attempt.
    expires: Duration,
}

impl Table {
    fn new(rate: Rate, remembered: usize) -> Self {
        let sets = remembered.div_ceil(PLACES).max(1);
        Self { rate, sets: vec![array::from_fn(|_| Count::default()); sets].into() }
    }

    /// How long this key has to wait for its next attempt.
    fn wait(&mut self, key: u64, now: Duration) -> Option<Duration> {
        let Rate { at_once, one_more_after } = self.rate;
        let used = self.find(key).map_or(Duration::ZERO, |count| count.expires.saturating_sub(now));
        let allowed = one_more_after.saturating_mul(at_once);
        let wait = used.saturating_add(one_more_after).saturating_sub(allowed);
        (!wait.is_zero()).then_some(wait)
    }

    fn count(&mut self, key: u64, now: Duration) {
        let step = self.rate.one_more_after;
        if let Some(count) = self.find(key) {
            count.expires = count.expires.max(now).saturating_add(step);
        } else if let Some(first) = self.set(key).iter_mut().min_by_key(|count| count.expires) {
            *first = Count { key, expires: now.saturating_add(step) };
        }
    }

    fn give_back(&mut self, key: u64) {
        let step = self.rate.one_more_after;
        if let Some(count) = self.find(key) {
            count.expires = count.expires.saturating_sub(step);
        }
    }

    fn find(&mut self, key: u64) -> Option<&mut Count> {
        self.set(key).iter_mut().find(|count| count.key == key)
    }

    fn set(&mut self, key: u64) -> &mut [Count] {
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash is as good as another")]
        let index = key as usize % self.sets.len();
        self.sets.get_mut(index).map_or(&mut [], |set| set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn counts(limits: AttemptLimits) -> Counts {
        Counts {
            accounts: Table::new(limits.account, limits.remembered),
            addresses: Table::new(limits.address, limits.remembered),
        }
    }

    fn wait(seconds: u64) -> Result<(), TooManyAttempts> {
        Err(TooManyAttempts { retry_after: Duration::from_secs(seconds) })
    }

    #[test]
    fn an_account_has_its_attempts_back_one_by_one() {
        let mut counts = counts(AttemptLimits::default().per_account(3, MINUTE));
        let mut begin = |seconds| counts.begin(1, None, Duration::from_secs(seconds));
        assert_eq!([begin(0), begin(0), begin(10)], [Ok(()), Ok(()), Ok(())]);
        assert_eq!([begin(10), begin(20), begin(59)], [wait(50), wait(40), wait(1)]);
        assert_eq!([begin(60), begin(60), begin(119)], [Ok(()), wait(60), wait(1)]);
        assert_eq!([begin(1000), begin(1000), begin(1000), begin(1000)], [Ok(()), Ok(()), Ok(()), wait(60)]);
    }

    #[test]
    fn accounts_and_addresses_count_by_themselves() {
        let limits = AttemptLimits::default().per_account(2, MINUTE).per_address(3, 2 * MINUTE);
        let mut counts = counts(limits);
        let mut begin = |account, address| counts.begin(account, address, Duration::ZERO);
        assert_eq!([begin(1, Some(1)), begin(1, Some(2)), begin(1, Some(3))], [Ok(()), Ok(()), wait(60)]);
        // What was refused does not count for the address either.
        assert_eq!([begin(2, Some(3)), begin(3, Some(3)), begin(4, Some(3))], [Ok(()), Ok(()), Ok(())]);
        assert_eq!([begin(5, Some(3)), begin(5, None), begin(1, None)], [wait(120), Ok(()), wait(60)]);
        assert_eq!(begin(1, Some(3)), wait(120), "the longer one");
    }

    #[test]
    fn what_is_taken_back_does_not_count() {
        let attempts = Attempts::new(AttemptLimits::default().per_account(2, MINUTE).per_address(2, MINUTE));
        let begin = || attempts.begin("mia", Some(IpAddr::from([127, 0, 0, 1])));
        for _ in 0..100 {
            begin().unwrap().take_back();
        }
        drop(begin().unwrap());
        let second = begin().unwrap();
        // While it is not known how an attempt ends, it counts.
        assert!(begin().is_err());
        second.take_back();
        drop(begin().unwrap());
        assert!(begin().is_err());
    }

    #[test]
    fn one_name_and_one_network_in_all_their_spellings() {
        let attempts = Attempts::new(AttemptLimits::default().per_account(1, MINUTE));
        assert!(attempts.begin("Mia@Sunnyside.example", None).is_ok());
        assert!(attempts.begin(" mia@sunnyside.example", None).is_err());
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn nobody_or_everybody_may_try() {
        let mut nobody = counts(AttemptLimits::default().per_account(0, MINUTE));
        assert_eq!(nobody.begin(1, None, MINUTE), wait(60));
        let mut everybody = counts(AttemptLimits::default().per_account(u32::MAX, Duration::MAX));
        assert_eq!(everybody.begin(1, None, MINUTE), Ok(()));
    }

    #[test]
    fn a_million_names_take_no_more_memory_and_do_not_set_the_victim_free() {
        let mut counts = counts(AttemptLimits::default().per_account(5, MINUTE).remember(1_000));
        let hasher = RandomState::new();
        let victim = hasher.hash_one("victim");
        for _ in 0..5 {
            counts.begin(victim, None, Duration::ZERO).unwrap();
        }
        for name in 0..1_000_000_u32 {
            assert!(
                counts.begin(hasher.hash_one(name), None, Duration::ZERO).is_ok(),
                "{name} is a stranger"
            );
        }
        assert_eq!(counts.begin(victim, None, Duration::ZERO), wait(60));
        assert_eq!(counts.accounts.sets.len() * PLACES, 1_000);
        assert_eq!(size_of::<Count>(), 24);
    }
}

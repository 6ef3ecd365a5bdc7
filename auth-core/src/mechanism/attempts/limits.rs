//! How many attempts to log in there may be.

use std::time::Duration;

/// How many attempts may fail. The default:
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
    pub(super) account: Rate,
    pub(super) address: Rate,
    pub(super) remembered: usize,
}

impl AttemptLimits {
    /// For each account so many failures at once, and one more whenever this time has passed. More attempts at a
    /// time than may fail wait until those before them are decided.
    ///
    /// An attacker who knows the name of an account can use its limit up, and so keep its user out as long as the attack
    /// lasts. This concerns no tokens and no sessions.
    pub fn per_account(mut self, at_once: u32, one_more_after: Duration) -> Self {
        self.account = Rate { at_once, one_more_after };
        self
    }

    /// For each address so many failures at once, and one more whenever this time has passed. An IPv6 address
    /// stands for its network (/64), which is what one customer has.
    ///
    /// An account keeps a reserve, which its address cannot use up: while none of its attempts failed for as long as its
    /// own limit takes to renew (10 minutes by default), one attempt at a time is decided although the address
    /// has reached its limit. So failures for some accounts do not keep out other users of the
    /// address. At most 10 such attempts of an address are decided at a time, because unknown names have reserves, too. The
    /// price is that an address may try one password with each account in that time.
    pub fn per_address(mut self, at_once: u32, one_more_after: Duration) -> Self {
        self.address = Rate { at_once, one_more_after };
        self
    }

    /// Remembers so many accounts, and as many addresses, in 24 bytes each. When there are more, those with
    /// the fewest failures are forgotten first, which an attacker can only make use of with many times as
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
pub(super) struct Rate {
    pub(super) at_once: u32,
    pub(super) one_more_after: Duration,
}

impl Rate {
    /// How long it takes until nothing of a limit that was used up is left.
    pub(super) fn renewal(self) -> Duration {
        self.one_more_after.saturating_mul(self.at_once)
    }
}

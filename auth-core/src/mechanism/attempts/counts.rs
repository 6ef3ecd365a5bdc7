//! Which attempt may begin: what failed so far, what is being decided, and what waits for that.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{AttemptLimits, TooManyAttempts, table::Table};

/// The most attempts that wait for others of their account.
pub(super) const WAITING: usize = 100;

/// The most attempts of one address that take reserves of accounts at a time. Names that are made up have reserves, too, and
/// each password keeps a processor busy: without an end, one address would leave none to others.
const RESERVES: u32 = 10;

pub(super) struct Counts {
    pub(super) accounts: Table,
    pub(super) addresses: Table,
    /// Of the accounts for which something is being decided.
    lines: HashMap<u64, Line>,
    /// Of the addresses for which reserves are taken: how many.
    reserves: HashMap<u64, u32>,
}

#[derive(Default)]
struct Line {
    deciding: u32,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    address: Option<u64>,
    turn: oneshot::Sender<Result<Begun, TooManyAttempts>>,
}

/// An attempt that is being decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begun {
    account: u64,
    address: Option<u64>,
    /// Then it does not count for the address: otherwise a flood would use up the limit for days.
    takes_reserve: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Failed,
    TakenBack,
}

pub(super) enum Entry {
    Begun(Begun),
    Waits(oneshot::Receiver<Result<Begun, TooManyAttempts>>),
}

enum Verdict {
    Begin(Begun),
    Wait,
    Refuse(TooManyAttempts),
}

/// `now` is the time since the start.
impl Counts {
    pub(super) fn new(limits: AttemptLimits) -> Self {
        Self {
            accounts: Table::new(limits.account, limits.remembered),
            addresses: Table::new(limits.address, limits.remembered),
            lines: HashMap::new(),
            reserves: HashMap::new(),
        }
    }

    pub(super) fn enter(
        &mut self,
        account: u64,
        address: Option<u64>,
        now: Duration,
    ) -> Result<Entry, TooManyAttempts> {
        let waiting = self.lines.get(&account).map_or(0, |line| line.waiting.len());
        match self.verdict(account, address, now) {
            Verdict::Refuse(refused) => Err(refused),
            Verdict::Begin(begun) if waiting == 0 => {
                self.begin(begun, now);
                Ok(Entry::Begun(begun))
            }
            Verdict::Begin(_) | Verdict::Wait if waiting < WAITING => {
                let (turn, receiver) = oneshot::channel();
                self.lines.entry(account).or_default().waiting.push_back(Waiting { address, turn });
                Ok(Entry::Waits(receiver))
            }
            Verdict::Begin(_) | Verdict::Wait => Err(TooManyAttempts::soon()),
        }
    }

    pub(super) fn end(&mut self, begun: Begun, end: End, now: Duration) {
        match begun.address {
            Some(address) if begun.takes_reserve => self.free_reserve(address),
            Some(address) if end == End::TakenBack => self.addresses.give_back(address),
            _ => {}
        }
        if end == End::Failed {
            self.accounts.count(begun.account, now);
        }
        if let Some(line) = self.lines.get_mut(&begun.account) {
            line.deciding = line.deciding.saturating_sub(1);
        }
        self.move_up(begun.account, now);
    }

    /// Lets those begin that may, in their order.
    fn move_up(&mut self, account: u64, now: Duration) {
        while let Some(next) = self.lines.get_mut(&account).and_then(|line| line.waiting.pop_front()) {
            match self.verdict(account, next.address, now) {
                Verdict::Wait => {
                    self.lines.entry(account).or_default().waiting.push_front(next);
                    return;
                }
                Verdict::Begin(begun) => {
                    // Otherwise nothing waits for the turn any more.
                    if next.turn.send(Ok(begun)).is_ok() {
                        self.begin(begun, now);
                    }
                }
                Verdict::Refuse(refused) => _ = next.turn.send(Err(refused)),
            }
        }
        if self.lines.get(&account).is_some_and(|line| line.deciding == 0) {
            self.lines.remove(&account);
        }
    }

    /// Makes room for others where nothing waits any more.
    pub(super) fn leave(&mut self, account: u64) {
        if let Some(line) = self.lines.get_mut(&account) {
            line.waiting.retain(|waiting| !waiting.turn.is_closed());
        }
    }

    fn begin(&mut self, begun: Begun, now: Duration) {
        self.lines.entry(begun.account).or_default().deciding += 1;
        match begun.address {
            Some(address) if begun.takes_reserve => *self.reserves.entry(address).or_default() += 1,
            Some(address) => self.addresses.count(address, now),
            None => {}
        }
    }

    fn free_reserve(&mut self, address: u64) {
        if let Some(taken) = self.reserves.get_mut(&address) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                self.reserves.remove(&address);
            }
        }
    }

    /// Failed attempts refuse others; attempts whose outcome is open let others wait.
    fn verdict(&mut self, account: u64, address: Option<u64>, now: Duration) -> Verdict {
        let deciding = self.lines.get(&account).map_or(0, |line| line.deciding);
        let of_account = self.accounts.wait(account, 0, now);
        let of_address = address.and_then(|address| self.addresses.wait(address, 0, now));
        let taken = address.and_then(|address| self.reserves.get(&address)).copied().unwrap_or_default();
        let takes_reserve = of_address.is_some() && taken < RESERVES && self.accounts.is_clean(account, now);
        let refused = if takes_reserve { of_account } else { of_account.max(of_address) };
        if let Some(retry_after) = refused {
            Verdict::Refuse(TooManyAttempts { retry_after })
        } else if takes_reserve && deciding > 0 || self.accounts.wait(account, deciding, now).is_some() {
            Verdict::Wait
        } else {
            Verdict::Begin(Begun { account, address, takes_reserve })
        }
    }

    #[cfg(test)]
    pub(super) fn has_no_lines(&self) -> bool {
        self.lines.is_empty() && self.reserves.is_empty()
    }
}

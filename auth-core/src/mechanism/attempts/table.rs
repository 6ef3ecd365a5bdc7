//! How much of a limit is used up, for many keys in bounded memory.

use std::{array, time::Duration};

use super::limits::Rate;

pub(super) const PLACES: usize = 8;

/// A fixed number of counts. The key says in which set of places its count is; of a full set, the count that
/// would have expired first makes room.
pub(super) struct Table {
    rate: Rate,
    pub(super) sets: Box<[[Count; PLACES]]>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    key: u64,
    /// When nothing counts any more, as time since the start. It moves on by one step with each count.
    expires: Duration,
}

impl Table {
    pub(super) fn new(rate: Rate, remembered: usize) -> Self {
        let sets = remembered.div_ceil(PLACES).max(1);
        Self { rate, sets: vec![array::from_fn(|_| Count::default()); sets].into() }
    }

    /// How long this key has to wait for its next attempt, if so many others count as well.
    pub(super) fn wait(&mut self, key: u64, others: u32, now: Duration) -> Option<Duration> {
        let step = self.rate.one_more_after;
        let used = self.find(key).map_or(Duration::ZERO, |count| count.expires.saturating_sub(now));
        let with_others = used.saturating_add(step.saturating_mul(others)).saturating_add(step);
        let wait = with_others.saturating_sub(self.rate.renewal());
        (!wait.is_zero()).then_some(wait)
    }

    /// Whether nothing counted for this key for as long as its whole limit takes to renew.
    pub(super) fn is_clean(&mut self, key: u64, now: Duration) -> bool {
        let renewal = self.rate.renewal();
        self.find(key).is_none_or(|count| count.expires.saturating_add(renewal) <= now)
    }

    pub(super) fn count(&mut self, key: u64, now: Duration) {
        let step = self.rate.one_more_after;
        if let Some(count) = self.find(key) {
            count.expires = count.expires.max(now).saturating_add(step);
        } else if let Some(first) = self.set(key).iter_mut().min_by_key(|count| count.expires) {
            *first = Count { key, expires: now.saturating_add(step) };
        }
    }

    pub(super) fn give_back(&mut self, key: u64) {
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

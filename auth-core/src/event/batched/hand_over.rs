//! The decisions that a store of an application's own takes.

use std::{fmt, mem, sync::Mutex};

use super::locked;

/// A request to store what was gathered, in the function of
/// [`start_gathering`](super::BatchedBuilder::start_gathering).
pub struct HandOver<'a, G> {
    gathered: &'a Mutex<G>,
    is_all: bool,
}

impl<'a, G: Default> HandOver<'a, G> {
    pub(super) fn new(gathered: &'a Mutex<G>, is_all: bool) -> Self {
        Self { gathered, is_all }
    }

    /// Takes what was gathered, and leaves nothing. A store that has to repeat what failed does that first: what it does not
    /// take stays where it is, within its bound.
    #[must_use = "what was gathered is gone otherwise"]
    pub fn take(&self) -> G {
        mem::take(&mut *locked(self.gathered))
    }

    /// Whether everything is to be stored, because of a [`flush`](super::Batched::flush) or because the last clone of the
    /// observer was dropped: also what a store holds back for a later time.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.is_all
    }
}

impl<G> fmt::Debug for HandOver<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOver").field("is_all", &self.is_all).finish_non_exhaustive()
    }
}

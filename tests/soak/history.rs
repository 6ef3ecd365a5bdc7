//! The states of the world in time. Changes of one island come one after the other, so its states have an order; the
//! answer to a request may come from any state that was there between the request and its answer.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
};

use crate::soak::model::State;

/// The states that are remembered: far more than come and go during one request.
const REMEMBERED: usize = 1_000;

/// Accounts that have nothing to do with those of other islands, but that admins come to all of them.
pub(crate) struct Island {
    turn: Mutex<()>,
    history: Mutex<History>,
}

struct History {
    /// The number of the first state that is remembered.
    first: u64,
    states: VecDeque<Arc<State>>,
    /// Whether a change is under way, so that a request may see the next state already.
    changing: bool,
}

impl History {
    fn latest(&self) -> u64 {
        self.first + self.states.len() as u64 - 1
    }
}

impl Island {
    pub(crate) fn new(state: State) -> Self {
        let history = History { first: 0, states: VecDeque::from([Arc::new(state)]), changing: false };
        Self { turn: Mutex::new(()), history: Mutex::new(history) }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    /// The state that is certainly there by now, or a later one.
    pub(crate) fn now(&self) -> Arc<State> {
        Arc::clone(self.history().states.back().unwrap())
    }

    /// The right to change it. None: it is another client's turn.
    pub(crate) fn turn(&self) -> Option<Turn<'_>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(Turn { island: self, _turn: turn }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(error)) => panic!("{error}"),
        }
    }

    /// The window of a request that is sent now.
    pub(crate) fn open(&self) -> u64 {
        self.history().latest()
    }

    /// The end of the window of a request that is answered now.
    pub(crate) fn close(&self) -> u64 {
        let history = self.history();
        history.latest() + u64::from(history.changing)
    }

    /// All states of a window. None: the last of them is not known yet.
    pub(crate) fn window(&self, from: u64, until: u64) -> Option<Vec<Arc<State>>> {
        let history = self.history();
        assert!(history.first <= from, "a request took longer than {REMEMBERED} changes");
        let at = |number: u64| usize::try_from(number - history.first).unwrap();
        (until <= history.latest()).then(|| history.states.range(at(from)..=at(until)).cloned().collect())
    }
}

/// No other client changes the island meanwhile.
pub(crate) struct Turn<'a> {
    pub(crate) island: &'a Island,
    _turn: MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// From now on requests may see the state after the change.
    pub(crate) fn begin(&self) {
        self.island.history().changing = true;
    }

    /// From now on they see it. It is the same as before where nothing was changed.
    pub(crate) fn end(&self, state: State) {
        let history = &mut *self.island.history();
        history.states.push_back(Arc::new(state));
        history.changing = false;
        if history.states.len() > REMEMBERED {
            history.states.pop_front();
            history.first += 1;
        }
    }
}

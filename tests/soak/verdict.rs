//! Whether an answer was right, once the states during the request are known.

use std::{collections::BTreeMap, sync::Arc};

use crate::soak::{
    ask::Ask,
    history::Island,
    model::{State, Subject},
    right::{Answer, Moments, Seen, is_right_list, right},
};

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Asked {
    #[expect(dead_code, reason = "for who reads what was wrong")]
    pub(crate) instance: usize,
    /// The island of the caller, and the credential. None: an anonymous one.
    pub(crate) caller: Option<(usize, u64)>,
    pub(crate) ask: Ask,
    /// The island of the object.
    pub(crate) about: usize,
    pub(crate) answer: Answer,
    /// By island.
    pub(crate) windows: BTreeMap<usize, Window>,
}

/// The numbers of the states that a request may have seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first of all.
    pub(crate) opened: u64,
    /// The first that the handler may have seen, after the body was sent.
    pub(crate) sent: u64,
    /// The last of all.
    pub(crate) closed: u64,
}

impl Window {
    /// The handler's first state, counted from the first of all.
    fn work(self) -> usize {
        usize::try_from(self.sent - self.opened).unwrap()
    }
}

pub(crate) struct Verdict {
    pub(crate) is_right: bool,
    /// The answers that would be right; of lists, their number is not known.
    pub(crate) answers: Vec<Answer>,
    /// The caller, at each moment.
    pub(crate) callers: Vec<Option<Subject>>,
    /// Whether something may have changed while the request was on its way.
    pub(crate) raced: bool,
    /// Whether the answer was not the right one at any single moment, but the caller was found at one, and the object was
    /// looked at at a later one.
    pub(crate) between: bool,
}

impl Asked {
    /// None: it is not known yet whether a change took place that the request may have seen.
    pub(crate) fn judge(&self, islands: &[Island]) -> Option<Verdict> {
        let window = |(&island, window): (&usize, &Window)| {
            Some((island, islands[island].window(window.opened, window.closed)?))
        };
        let windows: BTreeMap<usize, Vec<Arc<State>>> =
            self.windows.iter().map(window).collect::<Option<_>>()?;
        let callers: Vec<Option<Subject>> = match self.caller {
            Some((island, credential)) => {
                windows[&island].iter().map(|state| state.subject(credential)).collect()
            }
            None => vec![None],
        };
        let mut verdict = if matches!(self.ask, Ask::List { .. }) {
            self.judge_list(&windows, &callers)
        } else {
            self.judge_single(&windows[&self.about], &callers)
        };
        verdict.raced = windows.values().any(|window| window.len() > 1);
        Some(verdict)
    }

    fn judge_single(&self, states: &[Arc<State>], callers: &[Option<Subject>]) -> Verdict {
        let mut answers = Vec::new();
        let mut consider = |who: usize, guard: usize, work: usize, confirmed: usize| {
            let moments = Moments {
                who: callers[who].as_ref(),
                guard: &states[guard],
                work: &states[work],
                confirmed: callers[confirmed].as_ref(),
            };
            let answer = right(&self.ask, &moments);
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        };
        let sent = self.windows[&self.about].work();
        let confirmed_from = self.caller.map_or(0, |(home, _)| self.windows[&home].work());
        for guard in 0..states.len() {
            for work in guard.max(sent)..states.len() {
                if self.is_at_home() {
                    (0..=guard).for_each(|who| consider(who, guard, work, work));
                } else {
                    for who in 0..callers.len() {
                        let confirmed = who.max(confirmed_from)..callers.len();
                        confirmed.for_each(|confirmed| consider(who, guard, work, confirmed));
                    }
                }
            }
        }
        let at_one_moment = |(guard, state): (usize, &Arc<State>)| {
            let mut callers =
                callers.iter().enumerate().filter(|(who, _)| !self.is_at_home() || *who == guard);
            callers.any(|(_, caller)| right(&self.ask, &Moments::one(caller.as_ref(), state)) == self.answer)
        };
        let is_right = answers.contains(&self.answer);
        let between = is_right && !states.iter().enumerate().any(at_one_moment);
        Verdict { is_right, answers, callers: callers.to_vec(), raced: false, between }
    }

    /// Whether the caller and the object have one history.
    fn is_at_home(&self) -> bool {
        self.caller.is_some_and(|(island, _)| island == self.about)
    }

    fn judge_list(&self, windows: &BTreeMap<usize, Vec<Arc<State>>>, callers: &[Option<Subject>]) -> Verdict {
        let Ask::List { kind, of } = self.ask else { unreachable!("no list") };
        let is_right = |(moment, caller): (usize, &Option<Subject>)| match (caller, &self.answer) {
            (None, answer) => *answer == Answer { status: 401, seen: Seen::Nothing },
            (Some(subject), Answer { status: 200, seen: Seen::Ids(ids) }) => {
                let from = |(island, states): (&usize, &Vec<Arc<State>>)| {
                    let at_home = self.caller.is_some_and(|(home, _)| home == *island);
                    states[if at_home { moment } else { 0 }..].to_vec()
                };
                let windows: Vec<Vec<Arc<State>>> = windows.iter().map(from).collect();
                is_right_list((kind, of), ids, subject, &windows)
            }
            _ => false,
        };
        let is_right = callers.iter().enumerate().any(is_right);
        Verdict { is_right, answers: Vec::new(), callers: callers.to_vec(), raced: false, between: false }
    }
}

//! How many entries denials make in the log. A user who tries everything makes few, and yet cannot hide any kind of
//! denial: a [`Kind`] is all but the id, so the number of kinds depends on the checks and reasons of the program, and not
//! on its clients.
//!
//! There are two steps. [`Gathered`] has the denials of an interval: of each user and kind, the first few ids and the
//! number of the rest. [`Budgets`] make entries of it: the first few of each kind in a [period](AuditConfig::period),
//! independent of the user's other attempts; then as many as the user's budget has, of any kind. Denials beyond the
//! budget are counted until the period ends, and then one entry for each kind has the number.

use std::{collections::BTreeMap, fmt, time};

use super::AuditConfig;
use crate::database::Instant;

/// One denial of a user.
pub(super) struct Denied {
    pub(super) user: i32,
    pub(super) kind: Kind,
    /// The object, or nothing.
    pub(super) id: String,
    pub(super) at: Instant,
}

/// The attempt of a user, and why it was denied, without the id.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Kind {
    /// `was denied update on Asset`
    pub(super) what: String,
    /// `(no-match): PATCH /assets/{asset_id}`
    pub(super) why: String,
}

/// The denials of an interval, by user and kind.
#[derive(Default)]
pub(super) struct Gathered(BTreeMap<i32, BTreeMap<Kind, OfKind>>);

#[derive(Default)]
struct OfKind {
    told: Vec<(String, Count)>,
    more: Option<Count>,
}

/// The number of denials, and the time of the last one.
#[derive(Clone, Copy)]
struct Count {
    times: u64,
    last: Instant,
}

/// An entry of the log.
pub(super) struct Entry {
    pub(super) user: i32,
    pub(super) event: String,
    pub(super) at: Instant,
}

impl Gathered {
    /// Takes about as long as a comparison of some strings, for it happens on the event loop.
    pub(super) fn add(&mut self, Denied { user, kind, id, at }: Denied, entries_per_kind: usize) {
        let OfKind { told, more } = self.0.entry(user).or_default().entry(kind).or_default();
        let once = Count { times: 1, last: at };
        if let Some((_, count)) = told.iter_mut().find(|(same, _)| *same == id) {
            count.add(once);
        } else if told.len() < entries_per_kind {
            told.push((id, once));
        } else {
            add(more, once);
        }
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.times = self.times.saturating_add(other.times);
        self.last = self.last.max(other.last);
    }
}

fn add(sum: &mut Option<Count>, count: Count) {
    match sum {
        Some(sum) => sum.add(count),
        None => *sum = Some(count),
    }
}

/// The number of entries that each user with a denial in this period may still put into the log.
#[derive(Default)]
pub(super) struct Budgets(BTreeMap<i32, Budget>);

struct Budget {
    since: time::Instant,
    left: usize,
    kinds: BTreeMap<Kind, OfPeriod>,
}

struct OfPeriod {
    left: usize,
    /// The denials that wait for the end of the period.
    later: Option<Count>,
}

impl Budgets {
    /// The entries for storage at the time `now`, in the order of time; with `all`, also those that would wait.
    pub(super) fn entries(
        &mut self,
        gathered: Gathered,
        now: time::Instant,
        all: bool,
        config: &AuditConfig,
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (user, kinds) in gathered.0 {
            let fresh = || Budget { since: now, left: config.entries_per_user, kinds: BTreeMap::new() };
            let budget = self.0.entry(user).or_insert_with(fresh);
            for (kind, OfKind { told, more }) in kinds {
                let fresh = OfPeriod { left: config.entries_per_kind, later: None };
                let OfPeriod { left, later } = budget.kinds.entry(kind.clone()).or_insert(fresh);
                for (id, count) in told {
                    if take(left) || take(&mut budget.left) {
                        entries.push(kind.told(user, &id, count));
                    } else {
                        add(later, count);
                    }
                }
                if let Some(count) = more {
                    if take(&mut budget.left) {
                        entries.push(kind.more(user, count));
                    } else {
                        add(later, count);
                    }
                }
            }
        }
        self.0.retain(|&user, budget| {
            let over = now.saturating_duration_since(budget.since) >= config.period;
            if over || all {
                for (kind, OfPeriod { later, .. }) in &mut budget.kinds {
                    entries.extend(later.take().map(|count| kind.more(user, count)));
                }
            }
            !over
        });
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

/// Takes one entry of the remaining budget, if there is one.
fn take(left: &mut usize) -> bool {
    let one_less = left.checked_sub(1);
    *left = one_less.unwrap_or(0);
    one_less.is_some()
}

impl Kind {
    fn told(&self, user: i32, id: &str, Count { times, last }: Count) -> Entry {
        let Self { what, why } = self;
        let space = if id.is_empty() { "" } else { " " };
        let times = if times > 1 { format!(", {times} times") } else { String::new() };
        Entry { user, event: format!("{what}{space}{id} {why}{times}"), at: last }
    }

    fn more(&self, user: i32, Count { times, last }: Count) -> Entry {
        let event = match times {
            1 => format!("{self}, once more"),
            times => format!("{self}, {times} times more"),
        };
        Entry { user, event, at: last }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.why)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const MINUTES_OF_A_DAY: usize = 24 * 60;

    /// A service whose clock moves only when a test says so.
    struct Service {
        config: AuditConfig,
        gathered: Gathered,
        budgets: Budgets,
        now: time::Instant,
    }

    impl Service {
        fn start() -> Self {
            Self {
                config: AuditConfig::default(),
                gathered: Gathered::default(),
                budgets: Budgets::default(),
                now: time::Instant::now(),
            }
        }

        /// User 1 was denied the action of `kind` on this object.
        fn deny(&mut self, kind: &str, id: &impl ToString) {
            self.deny_to(1, kind, id);
        }

        fn deny_to(&mut self, user: i32, kind: &str, id: &impl ToString) {
            let kind = Kind { what: kind.to_owned(), why: "(no-match)".to_owned() };
            let denied = Denied { user, kind, id: id.to_string(), at: Instant::now() };
            self.gathered.add(denied, self.config.entries_per_kind);
        }

        /// The entries that are stored a minute later.
        fn minute(&mut self) -> Vec<String> {
            self.pass(MINUTE)
        }

        fn pass(&mut self, duration: Duration) -> Vec<String> {
            self.now += duration;
            self.store(false).into_iter().map(|entry| entry.event).collect()
        }

        fn store(&mut self, all: bool) -> Vec<Entry> {
            let gathered = std::mem::take(&mut self.gathered);
            self.budgets.entries(gathered, self.now, all, &self.config)
        }

        /// User 1 tries something every minute until no budget is left.
        fn exhaust(&mut self) {
            let config = &self.config;
            for _ in 0..config.entries_per_user + config.entries_per_kind {
                self.deny("poll", &"");
                assert_eq!(self.minute(), ["poll (no-match)"]);
            }
            self.deny("poll", &"");
            assert_eq!(self.minute(), [""; 0]);
        }
    }

    #[test]
    fn equal_denials_are_one_entry_and_of_each_kind_there_are_few() {
        let mut service = Service::start();
        for id in ["a", "b", "a", "c", "d", "a", "e", "d"] {
            service.deny("read", &id);
        }
        service.deny("by roles", &"");
        service.deny("by roles", &"");
        let mut entries = service.minute();
        entries.sort_unstable();
        let expected = [
            "by roles (no-match), 2 times",
            "read (no-match), 3 times more",
            "read a (no-match), 3 times",
            "read b (no-match)",
            "read c (no-match)",
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn entries_are_in_the_order_of_time() {
        let mut service = Service::start();
        for kind in ["d", "b", "a", "c"] {
            for user in [2, 1] {
                (0..5).for_each(|id| service.deny_to(user, kind, &id));
            }
        }
        assert!(service.store(false).is_sorted_by_key(|entry| entry.at));
    }

    #[test]
    fn a_flood_of_one_kind_hides_no_other() {
        let mut service = Service::start();
        (0..10_000).for_each(|id| service.deny("read", &id));
        service.deny("delete", &42);
        (0..10_000).for_each(|id| service.deny("read", &id));
        let entries = service.minute();
        assert!(entries.contains(&"delete 42 (no-match)".to_owned()), "{entries:?}");
        assert_eq!(entries.len(), 5);
    }

    #[test]
    fn what_is_gathered_does_not_grow_with_what_a_client_sends() {
        let mut service = Service::start();
        for id in 0..10_000 {
            service.deny("read", &id);
            service.deny("delete", &id);
        }
        let ids: Vec<_> = service
            .gathered
            .0
            .values()
            .flat_map(|kinds| kinds.values().map(|kind| kind.told.len()))
            .collect();
        assert_eq!(ids, [3, 3]);
    }

    #[test]
    fn a_flood_of_one_user_takes_nothing_from_another() {
        let mut service = Service::start();
        service.exhaust();
        (0..10_000).for_each(|id| service.deny("read", &id));
        (0..3).for_each(|id| service.deny_to(2, "poll", &id));
        let told = service.store(false).into_iter().filter(|entry| entry.user == 2).count();
        assert_eq!(told, 3);
    }

    #[test]
    fn without_budget_the_first_of_a_kind_are_still_told_and_the_rest_is_counted() {
        let mut service = Service::start();
        service.exhaust();
        for id in 0..9 {
            service.deny("delete", &id);
            let expected = if id < 3 { vec![format!("delete {id} (no-match)")] } else { vec![] };
            assert_eq!(service.minute(), expected);
        }
        let mut later = service.pass(service.config.period);
        later.sort_unstable();
        assert_eq!(later, ["delete (no-match), 6 times more", "poll (no-match), once more"]);

        service.deny("delete", &9);
        assert_eq!(service.minute(), ["delete 9 (no-match)"], "there is a new budget");
        assert_eq!(service.pass(service.config.period), [""; 0]);
        assert!(service.budgets.0.is_empty(), "nothing is kept of who does nothing any more");
    }

    #[test]
    fn what_waits_for_the_end_of_the_period_is_stored_when_all_is() {
        let mut service = Service::start();
        service.exhaust();
        let all: Vec<_> = service.store(true).into_iter().map(|entry| entry.event).collect();
        assert_eq!(all, ["poll (no-match), once more"]);
        assert_eq!(service.pass(service.config.period), [""; 0], "and not again");
    }

    /// The figures of `docs/audit.md`.
    #[test]
    fn whatever_a_user_tries_all_day_the_entries_are_bounded_and_each_denial_is_counted() {
        let mut service = Service::start();
        let kinds: BTreeSet<_> = (0..50).map(|number| format!("kind {number:02}")).collect();
        let (mut entries, mut tried) = (Vec::new(), 0);
        for minute in 0..MINUTES_OF_A_DAY {
            for kind in kinds.iter().take(1 + minute / 10) {
                for id in 0..5 {
                    service.deny(kind, &(minute * 5 + id));
                    tried += 1;
                }
            }
            entries.extend(service.minute());
        }
        entries.extend(service.minute());
        assert_eq!(entries.len(), 100 + 4 * kinds.len());
        for kind in &kinds {
            assert!(entries.iter().filter(|entry| entry.starts_with(kind)).count() >= 4, "{kind}");
        }
        let times = |entry: &String| match entry.split_once("), ") {
            Some((_, times)) => times.split(' ').next().unwrap().parse().unwrap(),
            None => 1,
        };
        assert_eq!(entries.iter().map(times).sum::<usize>(), tried);
    }
}

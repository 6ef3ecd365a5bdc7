//! Times around one moment, in the texts that databases read, and the times of decisions.

use std::time::{Duration, SystemTime};

use crate::database::Dialect;

/// A time as a row has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) written: &'static str,
    /// Milliseconds after the moment. Nothing for a text that is no time.
    pub(crate) after: Option<i64>,
}

const fn time(after: i64, written: &'static str) -> Time {
    Time { written, after: Some(after) }
}

const fn no_time(written: &'static str) -> Time {
    Time { written, after: None }
}

/// `2026-03-01T12:00:00.500Z`.
const MOMENT: Duration = Duration::from_millis(1_772_366_400_500);

const TIMES: [Time; 9] = [
    time(0, "2026-03-01 12:00:00.500"),
    time(1, "2026-03-01 12:00:00.501"),
    time(-1, "2026-03-01 12:00:00.499"),
    time(0, "2026-03-01 12:00:00.500"),
    time(-500, "2026-03-01 12:00:00"),
    time(500, "2026-03-01 12:00:01"),
    time(-43_200_500, "2026-03-01 00:00:00"),
    time(-194_529_600_500, "2020-01-01 00:00:00"),
    time(121_089_599_500, "2030-01-01 00:00:00"),
];

/// `SQLite` stores any text.
const TEXTS: [Time; 11] = [
    time(0, "2026-03-01T12:00:00.500"),
    time(0, "2026-03-01T12:00:00.500Z"),
    time(0, "2026-03-01 14:00:00.500+02:00"),
    time(1, "2026-03-01T11:00:00.501-01:00"),
    time(-1, "2026-03-01 12:30:00.499+00:30"),
    time(-500, "2026-03-01 12:00"),
    time(-43_200_500, "2026-03-01"),
    no_time("soon"),
    no_time(""),
    no_time("2026-13-01 00:00:00"),
    no_time("2030-01-01 00:00:00 or so"),
];

impl Time {
    pub(crate) fn of(dialect: Dialect, pick: usize) -> Self {
        let texts = if dialect == Dialect::Sqlite { &TEXTS[..] } else { &[] };
        let index = pick % (TIMES.len() + texts.len());
        TIMES.get(index).copied().unwrap_or_else(|| texts[index - TIMES.len()])
    }
}

/// The time of a decision, in microseconds after the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now(i64);

/// Within a millisecond, too, which no row is more precise than.
pub(crate) const NOWS: [Now; 5] = [Now(0), Now(700), Now(1_000), Now(-1_000), Now(60_000_000)];

impl Now {
    pub(crate) fn time(self) -> SystemTime {
        let offset = Duration::from_micros(self.0.unsigned_abs());
        SystemTime::UNIX_EPOCH
            + if self.0 < 0 { MOMENT.checked_sub(offset).unwrap() } else { MOMENT + offset }
    }

    pub(crate) fn is_before(self, time: Time) -> bool {
        time.after.is_some_and(|after| self.0 < after * 1_000)
    }

    pub(crate) fn has_reached(self, time: Time) -> bool {
        time.after.is_some_and(|after| after * 1_000 <= self.0)
    }
}

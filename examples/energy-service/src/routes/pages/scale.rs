//! Numbers, times and durations as people read them, and the steps of scales.

use chrono::{NaiveDateTime, TimeDelta};

/// A number as people read it. A number that is neither very large nor very small has no exponent.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e12).contains(&size) {
        let text = format!("{value:.6e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // Minus zero.
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// An instant as people read it, in UTC.
pub(super) fn instant(instant: NaiveDateTime) -> String {
    let with_seconds = instant.format("%-d %b %Y, %H:%M:%S").to_string();
    with_seconds.strip_suffix(":00").map_or(with_seconds.clone(), str::to_owned)
}

/// The next greater number of those that scales have: 1, 2 or 5 with zeros.
pub(super) fn round_number(at_least: f64) -> Option<f64> {
    let magnitude = 10_f64.powf(at_least.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| *step >= at_least)?;
    step.is_normal().then_some(step)
}

/// Nearest to this multiple of the step: without the rounding errors of additions.
pub(super) fn rounded(value: f64, step: f64) -> f64 {
    (value / step).round() * step
}

/// Durations that clocks and calendars have.
const DURATIONS: [TimeDelta; 20] = [
    TimeDelta::seconds(1),
    TimeDelta::seconds(5),
    TimeDelta::seconds(15),
    TimeDelta::seconds(30),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(10),
    TimeDelta::minutes(15),
    TimeDelta::minutes(30),
    TimeDelta::hours(1),
    TimeDelta::hours(2),
    TimeDelta::hours(3),
    TimeDelta::hours(6),
    TimeDelta::hours(12),
    TimeDelta::days(1),
    TimeDelta::days(2),
    TimeDelta::days(7),
    TimeDelta::days(14),
    TimeDelta::days(30),
    TimeDelta::days(90),
];

/// The shortest of these of which `most` are as long as `whole`; of longer ones, whole years.
pub(super) fn round_duration(whole: TimeDelta, most: usize) -> TimeDelta {
    let most = i32::try_from(most).unwrap_or(i32::MAX).max(1);
    let at_least = whole / most;
    let year = TimeDelta::days(365);
    let years = || year * i32::try_from(at_least.num_days() / year.num_days() + 1).unwrap_or(i32::MAX);
    DURATIONS.into_iter().find(|duration| *duration >= at_least).unwrap_or_else(years)
}

/// One of those durations in words.
pub(super) fn duration(duration: TimeDelta) -> String {
    let units = [
        (duration.num_days(), "day"),
        (duration.num_hours(), "hour"),
        (duration.num_minutes(), "minute"),
        (duration.num_seconds(), "second"),
    ];
    match units.into_iter().find(|(count, _)| *count > 0) {
        Some((1, unit)) => format!("one {unit}"),
        Some((count, unit)) => format!("{count} {unit}s"),
        None => "less than a second".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

    use super::{duration, instant, number, round_duration, round_number};

    #[test]
    fn scales_have_round_numbers() {
        for (at_least, step) in [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (9.6, 10.0), (130.0, 200.0)] {
            assert_eq!(round_number(at_least), Some(step), "{at_least}");
        }
        for (days, most, expected) in
            [(7, 200, "one hour"), (7, 7, "one day"), (1, 7, "6 hours"), (1, 200, "10 minutes")]
        {
            assert_eq!(duration(round_duration(TimeDelta::days(days), most)), expected);
        }
    }

    #[test]
    fn numbers_and_times_are_written_for_people() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (45.6, "45.6"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (1200.0, "1200"),
            (1e-7, "1e-7"),
            (2.5e300, "2.5e300"),
            (1e307, "1e307"),
            (0.1 + 0.2e300, "2e299"),
            (1.0 / 3.0 * 1e20, "3.333333e19"),
            (f64::MAX, "1.797693e308"),
        ] {
            assert_eq!(number(value), text);
        }
        let begin: NaiveDateTime = NaiveDate::from_ymd_opt(2026, 11, 19).unwrap().into();
        assert_eq!(instant(begin), "19 Nov 2026, 00:00");
        assert_eq!(instant(begin + TimeDelta::seconds(5)), "19 Nov 2026, 00:00:05");
    }
}

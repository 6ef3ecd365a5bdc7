//! Which days of measurements a page shows.

use chrono::{Days, NaiveDate, NaiveDateTime};

use crate::{database::Instant, error::ServiceError, routes::input::storable};

/// The number of days on the page where the reader does not choose.
const DAYS: u64 = 7;
/// How many of the latest measurements determine these days.
pub(super) const LATEST: i64 = 100;

/// Some days: from the begin of the first until before that of the one after the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) begin: Instant,
    pub(super) end: Instant,
}

impl Range {
    /// The days that the form names. Where it leaves one out, there are seven; where it leaves both out, `last` is the last.
    pub(super) fn of(from: Option<&str>, until: Option<&str>, last: NaiveDate) -> Result<Self, ServiceError> {
        let (from, until) = (date("from", from)?, date("until", until)?);
        let (first, last) = match (from, until) {
            (Some(from), Some(until)) => (from, until),
            (Some(from), None) => (from, from.checked_add_days(Days::new(DAYS - 1)).unwrap_or(from)),
            (None, until) => {
                let last = until.unwrap_or(last);
                (last.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(last), last)
            }
        };
        if last < first {
            return Err(ServiceError::invalid_field("until", "is before the first day"));
        }
        let midnight = |field, date: Option<NaiveDate>| {
            let instant = date.map_or(NaiveDateTime::MAX, NaiveDateTime::from);
            storable(instant).map_err(|problem| ServiceError::invalid_field(field, problem))
        };
        Ok(Self { begin: midnight("from", Some(first))?, end: midnight("until", last.succ_opt())? })
    }
}

/// The last of the seven days that have most of these measurements, which are the latest: a few that are far from all others,
/// as those of a clock that is wrong, do not hide them. Of equal ones the latest; today where there is none.
pub(super) fn last_day(latest: &[Instant]) -> NaiveDate {
    let days: Vec<NaiveDate> = latest.iter().map(|instant| instant.0.date()).collect();
    let until = |last: NaiveDate| {
        let first = last.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(last);
        days.iter().filter(|day| (first..=last).contains(day)).count()
    };
    days.iter().copied().max_by_key(|day| (until(*day), *day)).unwrap_or_else(|| Instant::now().0.date())
}

pub(super) fn date(field: &'static str, text: Option<&str>) -> Result<Option<NaiveDate>, ServiceError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) => Ok(Some(date)),
            Err(_) => Err(ServiceError::invalid_field(field, "is not a date")),
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{Instant, Range, last_day};

    fn range(from: &str, until: &str) -> Option<(String, String)> {
        let last = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let range = Range::of(Some(from), Some(until), last).ok()?;
        Some((range.begin.0.date().to_string(), range.end.0.date().to_string()))
    }

    #[test]
    fn the_days_are_where_the_measurements_are() {
        let last = |days: &[(&str, usize)]| {
            let each = days.iter().flat_map(|(day, count)| vec![*day; *count]);
            let latest: Vec<_> = each.map(|day| Instant(day.parse::<NaiveDate>().unwrap().into())).collect();
            last_day(&latest).to_string()
        };
        assert_eq!(last(&[("2031-01-01", 1), ("2026-11-25", 96), ("2026-11-24", 3)]), "2026-11-25");
        assert_eq!(
            last(&[("2031-01-02", 1), ("2031-01-01", 1), ("2026-11-25", 1), ("2026-11-19", 2)]),
            "2026-11-25"
        );
        // Once a month, and once a day.
        assert_eq!(last(&[("2026-11-01", 1), ("2026-10-01", 1), ("2026-09-01", 1)]), "2026-11-01");
        assert_eq!(last(&[("2026-11-25", 1), ("2026-11-24", 1), ("2026-11-23", 1)]), "2026-11-25");
        assert_eq!(last(&[("2026-11-25", 1)]), "2026-11-25");
        assert_eq!(last(&[]), Instant::now().0.date().to_string());
    }

    #[test]
    fn a_range_has_both_of_its_days() {
        for (from, until, begin, end) in [
            ("", "", "2026-11-19", "2026-11-26"),
            ("2026-11-20", "", "2026-11-20", "2026-11-27"),
            ("", "2026-11-20", "2026-11-14", "2026-11-21"),
            ("2026-11-20", "2026-11-20", "2026-11-20", "2026-11-21"),
            ("0001-01-01", "9999-12-30", "0001-01-01", "9999-12-31"),
        ] {
            assert_eq!(range(from, until), Some((begin.to_owned(), end.to_owned())), "{from} {until}");
        }
        for (from, until) in [
            ("2026-11-21", "2026-11-20"),
            ("x", ""),
            ("", "2026-02-30"),
            ("0000-01-01", "0001-01-01"),
            ("", "9999-12-31"),
            ("", "0001-01-01"),
            ("99999-01-01", "99999-01-02"),
            ("-262143-01-01", "-262143-01-01"),
            ("262142-12-31", "262142-12-31"),
        ] {
            assert_eq!(range(from, until), None, "{from} {until}");
        }
    }
}

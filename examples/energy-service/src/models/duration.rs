//! Durations in ISO 8601, as clients of FlexMeasures write them: `PT15M`, `P1D`, and `P0DT1H0M0S` as pandas does.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration, in whole seconds. It has no years and no months, whose lengths differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IsoDuration(pub TimeDelta);

/// A duration in whole minutes, which is shown as ISO 8601 has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Minutes(pub i32);

impl From<i32> for Minutes {
    fn from(minutes: i32) -> Self {
        Self(minutes)
    }
}

impl IsoDuration {
    /// Reads `P[nW][nD][T[nH][nM][nS]]`, with at least one part.
    fn read(text: &str) -> Option<Self> {
        let parts = text.strip_prefix('P')?;
        let (days, time) = match parts.split_once('T') {
            Some((_, "")) => return None,
            Some((days, time)) => (days, time),
            None => (parts, ""),
        };
        if days.is_empty() && time.is_empty() {
            return None;
        }
        let days = seconds(days, &[('W', 604_800), ('D', 86_400)])?;
        let time = seconds(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        TimeDelta::try_seconds(days.checked_add(time)?).map(Self)
    }
}

/// The sum of parts such as `1D`, each unit at most once and in this order.
fn seconds(mut parts: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum = 0_i64;
    for (unit, length) in units {
        if let Some((number, rest)) = parts.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*length)?)?;
            parts = rest;
        }
    }
    parts.is_empty().then_some(sum)
}

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            de::Error::custom(format_args!(
                "`{text}` is not a duration such as `PT15M`, in weeks, days, hours, minutes and whole seconds"
            ))
        })
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds();
        let parts = [
            (seconds / 86_400, "D"),
            (seconds / 3_600 % 24, "H"),
            (seconds / 60 % 60, "M"),
            (seconds % 60, "S"),
        ];
        let [(days, _), time @ ..] = parts;
        let has_time = time.iter().any(|(number, _)| *number > 0);
        formatter.write_str("P")?;
        if days > 0 {
            write!(formatter, "{days}D")?;
        }
        if has_time || days == 0 {
            formatter.write_str("T")?;
        }
        for (number, unit) in time.iter().filter(|(number, _)| *number > 0) {
            write!(formatter, "{number}{unit}")?;
        }
        if seconds == 0 { formatter.write_str("0S") } else { Ok(()) }
    }
}

impl Serialize for IsoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Minutes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        IsoDuration(TimeDelta::minutes(self.0.into())).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::IsoDuration;

    fn shown(text: &str) -> Option<(i64, String)> {
        IsoDuration::read(text).map(|read| (read.0.num_seconds(), read.to_string()))
    }

    #[test]
    fn durations_are_read_as_clients_write_them_and_shown_in_short() {
        for (text, seconds, short) in [
            ("PT15M", 900, "PT15M"),
            ("P0DT0H15M0S", 900, "PT15M"),
            ("PT90M", 5_400, "PT1H30M"),
            ("P1D", 86_400, "P1D"),
            ("PT24H", 86_400, "P1D"),
            ("P1W", 604_800, "P7D"),
            ("P1DT2H", 93_600, "P1DT2H"),
            ("PT1S", 1, "PT1S"),
            ("PT0S", 0, "PT0S"),
            ("P0D", 0, "PT0S"),
        ] {
            assert_eq!(shown(text), Some((seconds, short.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for wrong in [
            "",
            "P",
            "PT",
            "P1DT",
            "15",
            "T15M",
            "PT15",
            "P1Y",
            "P1M",
            "PT1.5H",
            "PT-1H",
            "-PT1H",
            "PT1M1H",
            "PT1H1H",
            "P1H",
            "PT1D",
            "pt1h",
            " PT1H",
            "PT1H ",
            "P+1D",
            "PT99999999999999999999H",
            "P9223372036854775807D",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}

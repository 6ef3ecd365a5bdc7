//! Durations as people write them: `"15 min"`, `"1h"`.

use syn::LitStr;
use syn::parse::ParseStream;

use crate::nearest::suggestion_as;

/// The example in messages.
pub(super) const EXAMPLE: &str = "15 min";

/// Parses the value of `key`, a duration in quotes; in seconds.
pub(super) fn parse(key: &str, input: ParseStream<'_>) -> syn::Result<u32> {
    if !input.peek(LitStr) {
        return Err(input.error(format_args!("`{key}` is a duration in quotes: `{key} = \"{EXAMPLE}\"`")));
    }
    let literal: LitStr = input.parse()?;
    seconds(&literal.value()).map_err(|what| syn::Error::new(literal.span(), what.message(key)))
}

/// The error in a duration.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    NoNumber,
    Zero,
    NoUnit,
    UnknownUnit {
        number: String,
        unit: String,
    },
    /// More seconds than a `u32` holds, which is 136 years.
    TooLong,
}

/// A whole number and a unit, with or without a blank in between.
fn seconds(text: &str) -> Result<u32, Wrong> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end).ok_or(Wrong::NoNumber)?;
    if number.is_empty() {
        return Err(Wrong::NoNumber);
    }
    let unit = rest.strip_prefix(' ').unwrap_or(rest);
    if unit.is_empty() {
        return Err(Wrong::NoUnit);
    }
    if !unit.starts_with(char::is_alphabetic) {
        return Err(Wrong::NoNumber);
    }
    let seconds = seconds_of(unit)
        .ok_or_else(|| Wrong::UnknownUnit { number: number.to_owned(), unit: unit.to_owned() })?;
    // There are digits alone, so parsing fails only for a number that is too large.
    let number: u32 = number.parse().map_err(|_| Wrong::TooLong)?;
    match number.checked_mul(seconds) {
        Some(0) => Err(Wrong::Zero),
        Some(seconds) => Ok(seconds),
        None => Err(Wrong::TooLong),
    }
}

fn seconds_of(unit: &str) -> Option<u32> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => 24 * 60 * 60,
        _ => return None,
    })
}

/// The units that a typo may have been meant to be. One letter is near to every other.
const LONG_UNITS: [&str; 9] =
    ["sec", "second", "seconds", "min", "minute", "minutes", "hour", "hours", "day"];

impl Wrong {
    fn message(&self, key: &str) -> String {
        match self {
            Self::NoNumber => format!("`{key}` is a whole number and a unit, as in `\"{EXAMPLE}\"`"),
            Self::Zero => format!("`{key}` cannot be zero; write a duration such as `\"{EXAMPLE}\"`"),
            Self::NoUnit => format!("`{key}` has no unit; write a duration such as `\"{EXAMPLE}\"`"),
            Self::TooLong => format!("`{key}` is too long; write a duration such as `\"{EXAMPLE}\"`"),
            Self::UnknownUnit { number, unit } => {
                let remedy = suggestion_as(unit, &LONG_UNITS, |known| format!("\"{number} {known}\""))
                    .unwrap_or_else(|| format!("expected `s`, `min`, `h` or `d`, as in `\"{EXAMPLE}\"`"));
                format!("unknown unit `{unit}`; {remedy}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        let cases = [
            (1, ["s", "sec", "second", "seconds"].as_slice()),
            (60, &["min", "minute", "minutes"]),
            (3600, &["h", "hour", "hours"]),
            (86_400, &["d", "day", "days"]),
        ];
        for (expected, units) in cases {
            for unit in units {
                assert_eq!(seconds(&format!("2{unit}")), Ok(2 * expected));
                assert_eq!(seconds(&format!("2 {unit}")), Ok(2 * expected));
                assert_eq!(seconds(&format!("0 {unit}")), Err(Wrong::Zero));
            }
        }
        assert_eq!(seconds("015 min"), Ok(900));
        assert_eq!(seconds("4294967295 s"), Ok(u32::MAX));
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", " ", "min", "-1 h", " 1 h", "+1 h", "½ h", "١ h", "1.5 h", "1  h"] {
            assert_eq!(seconds(text), Err(Wrong::NoNumber), "{text}");
        }
        for text in ["1", "1 ", "0"] {
            assert_eq!(seconds(text), Err(Wrong::NoUnit), "{text}");
        }
        for text in ["1 h ", "1 m", "1 H", "1 h 30 min", "1e3 s"] {
            assert!(matches!(seconds(text), Err(Wrong::UnknownUnit { .. })), "{text}");
        }
        for text in ["4294967296 s", "49711 d", "99999999999999999999999 d"] {
            assert_eq!(seconds(text), Err(Wrong::TooLong), "{text}");
        }
        assert_eq!(seconds("49710 d"), Ok(4_294_944_000));
    }
}

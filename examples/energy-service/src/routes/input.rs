//! The input of clients: read strictly and validated before a handler sees it.

use std::{fmt, future::Future, ops::RangeInclusive, pin::Pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, web};
use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
};

use super::bounds::{EMAIL, FILTER, LATITUDE, LONGITUDE, NAME, PASSWORD, RESOLUTION, TIMEZONE, UNIT};
use crate::{database::Instant, error::ServiceError};

/// The rules for a body beyond its types.
pub(super) trait Validate {
    /// [`ServiceError::Invalid`] or [`ServiceError::InvalidField`] when it does not.
    fn validate(&self) -> Result<(), ServiceError>;
}

/// A JSON body that is valid. As an extractor, so that no handler can forget to look.
pub(super) struct Valid<T>(pub(super) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Valid<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Json::<T>::from_request(request, payload);
        Box::pin(async move {
            let web::Json(body) = body.await?;
            body.validate()?;
            Ok(Self(body))
        })
    }
}

/// A query without parameters, for requests that take none: an unknown one may be a mistake, and a mistaken
/// deletion cannot be taken back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

/// For a field of a change, together with `default`: a field that is absent is `None`, one that is there
/// `Some`. So a `null` is `Some(None)` for a nullable column, and an error for others, where serde alone
/// would take it for absent.
pub(super) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A name is not blank, not too long, and on one line.
pub(super) fn valid_name(field: &'static str, name: &str) -> Result<(), ServiceError> {
    if name.chars().all(|character| character.is_whitespace() || is_invisible(character)) {
        return Err(ServiceError::invalid_field(field, "is empty"));
    }
    valid_text(field, name, &NAME)
}

/// An email address has one `@` with something on both sides, and no blanks. No rule finds out whether a person reads
/// mail at it.
pub(super) fn valid_email(email: &str) -> Result<(), ServiceError> {
    let parts = email.split_once('@');
    let whole =
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if !whole || email.contains(char::is_whitespace) {
        return Err(ServiceError::invalid_field("email", "is not an email address"));
    }
    valid_text("email", email, &EMAIL)
}

/// A password may be any text, of such a length.
pub(crate) fn valid_password(password: &str) -> Result<(), ServiceError> {
    if PASSWORD.contains(&password.chars().count()) {
        Ok(())
    } else {
        let (min, max) = PASSWORD.into_inner();
        Err(ServiceError::invalid_field(
            "password",
            format!("does not have between {min} and {max} characters"),
        ))
    }
}

/// A unit may be empty.
pub(super) fn valid_unit(unit: &str) -> Result<(), ServiceError> {
    valid_text("unit", unit, &UNIT)
}

/// A time zone is named, as by `Europe/Amsterdam`. No rule finds out whether there is one.
pub(super) fn valid_timezone(timezone: &str) -> Result<(), ServiceError> {
    if timezone.is_empty() {
        return Err(ServiceError::invalid_field("timezone", "is empty"));
    }
    valid_text("timezone", timezone, &TIMEZONE)
}

/// A search text may be empty.
pub(super) fn valid_filter(filter: &str) -> Result<(), ServiceError> {
    valid_text("filter", filter, &FILTER)
}

/// A text is not too long, and has no invisible characters.
fn valid_text(field: &'static str, text: &str, length: &RangeInclusive<usize>) -> Result<(), ServiceError> {
    let max = length.end();
    if text.chars().count() > *max {
        return Err(ServiceError::invalid_field(field, format!("is longer than {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(ServiceError::invalid_field(field, "contains a control character"));
    }
    if text.chars().any(is_invisible) {
        return Err(ServiceError::invalid_field(
            field,
            "contains a character that is not seen, or turns the text around",
        ));
    }
    Ok(())
}

/// Two names that differ by these alone look the same, and some turn around the text after them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
    )
}

/// Degrees north and east, each as far as it is given.
pub(super) fn valid_location(latitude: Option<f64>, longitude: Option<f64>) -> Result<(), ServiceError> {
    for (field, degrees, bounds) in [("latitude", latitude, LATITUDE), ("longitude", longitude, LONGITUDE)] {
        degrees.map_or(Ok(()), |degrees| within(field, degrees, &bounds))?;
    }
    Ok(())
}

/// A resolution is positive, and a year at most.
pub(super) fn valid_resolution(minutes: i32) -> Result<(), ServiceError> {
    within("event_resolution_minutes", minutes, &RESOLUTION)
}

/// A number is within its bounds.
pub(super) fn within<N: Copy + PartialOrd + fmt::Display>(
    field: &'static str,
    number: N,
    bounds: &RangeInclusive<N>,
) -> Result<(), ServiceError> {
    if bounds.contains(&number) {
        Ok(())
    } else {
        let (min, max) = (bounds.start(), bounds.end());
        Err(ServiceError::invalid_field(field, format!("is not between {min} and {max}")))
    }
}

/// An instant in ISO 8601 with its offset from UTC.
impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Ok(instant) = DateTime::parse_from_rfc3339(&text) else {
            return Err(de::Error::custom(format_args!(
                "`{text}` is not an instant such as `2026-11-23T09:00:00+01:00` (in a URL, `+` is written `%2B`)"
            )));
        };
        storable(instant.naive_utc()).map_err(|problem| de::Error::custom(format_args!("`{text}` {problem}")))
    }
}

/// In UTC.
impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.and_utc().serialize(serializer)
    }
}

/// The instant, as each of the databases can store it; or why none does.
pub(super) fn storable(instant: NaiveDateTime) -> Result<Instant, &'static str> {
    // The databases keep microseconds, and know no leap seconds, which chrono counts as nanoseconds from 10^9 on.
    if !instant.nanosecond().is_multiple_of(1_000) || instant.nanosecond() >= 1_000_000_000 {
        return Err("is finer than a microsecond, or within a leap second");
    }
    // SQLite compares instants as text, which has to have four digits for the year then.
    if (1..=9999).contains(&instant.year()) {
        Ok(Instant(instant))
    } else {
        Err("is not within the years 1 to 9999 of UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Instant, valid_email, valid_location, valid_name, valid_password, valid_resolution, valid_unit,
    };

    #[test]
    fn instants_become_utc() {
        let read =
            |text: &str| serde_json::from_value::<Instant>(text.into()).map(|Instant(utc)| utc.to_string());
        assert_eq!(read("2026-11-23T00:15:00+01:00").unwrap(), "2026-11-22 23:15:00");
        assert_eq!(read("2026-11-22T23:15:00.5Z").unwrap(), "2026-11-22 23:15:00.500");
        assert_eq!(read("2026-11-22T23:15:00.000001Z").unwrap(), "2026-11-22 23:15:00.000001");
        for wrong in [
            "2026-11-23T00:15:00",
            "2026-11-23",
            "2026-11-23T00:15:00 01:00",
            "9999-12-31T23:00:00-02:00",
            "2026-11-23T00:15:00.0000001Z",
            "2026-06-30T23:59:60Z",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(valid_name("name", "Solar roof").is_ok());
        assert!(valid_name("name", &"é".repeat(80)).is_ok());
        for wrong in [
            "",
            " \t",
            "two\nlines",
            &"x".repeat(81),
            "\u{200B}",
            "Solar\u{200D} roof",
            "\u{202E}foor raloS",
            "Solar\u{2028}roof",
            "\u{2066}Solar roof\u{2069}",
            "\u{FEFF}Solar roof",
        ] {
            assert!(valid_name("name", wrong).is_err(), "{wrong:?}");
        }
        assert!(valid_email("mia@sunnyside.example").is_ok());
        for wrong in
            ["", "mia", "@x", "mia@", "mia@x@y", "mia @x", "mia@x\n", &format!("mia@{}", "x".repeat(251))]
        {
            assert!(valid_email(wrong).is_err(), "{wrong}");
        }
        assert!(valid_password("eight ch").is_ok());
        assert!(valid_password("1234567").is_err());
        assert!(valid_password(&"x".repeat(129)).is_err());
        assert!(valid_unit("").is_ok());
        assert!(valid_location(Some(-90.0), Some(180.0)).is_ok());
        assert!(valid_location(Some(90.1), None).is_err());
        assert!(valid_location(None, Some(-180.1)).is_err());
        assert!(valid_location(Some(f64::NAN), None).is_err());
        assert!(valid_resolution(15).is_ok());
        assert!(valid_resolution(0).is_err());
    }
}

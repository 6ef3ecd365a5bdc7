//! Forms: their fields, the input, and the form once more with the errors in it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use actix_web::{HttpResponse, ResponseError};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use serde::Serialize;

use super::{
    PageError,
    layout::{sentence, with_page},
};
use crate::{database::Instant, error::ServiceError, routes::input::storable};

/// A field where a person enters something.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'a str,
    pub(super) kind: Kind<'a>,
    pub(super) is_required: bool,
    pub(super) value: &'a str,
    pub(super) hint: Option<&'a str>,
}

/// The input.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Text,
    /// The email address of a log-in.
    Username,
    /// The password of a log-in. Its value is not shown again.
    Password,
    Number,
    WholeNumber,
    /// A date with a time, in UTC.
    Instant,
    Date,
    Hidden,
    /// A choice: the value that is sent, and the text that people read.
    Choice(&'a [(String, &'a str)]),
}

/// The error in the input.
pub(super) struct Problem {
    field: Option<&'static str>,
    text: String,
}

/// The form once more, with its errors, and the status that programs get. An error that people cannot mend in a form is a
/// page of its own.
pub(super) fn again(
    error: ServiceError,
    form: impl FnOnce(&Problem) -> Markup,
) -> Result<HttpResponse, PageError> {
    let problem = match &error {
        ServiceError::InvalidField { field, problem } => {
            Problem { field: Some(field), text: problem.clone() }
        }
        ServiceError::Invalid(_) | ServiceError::Conflict(_) => {
            Problem { field: None, text: error.to_string() }
        }
        _ => return Err(error.into()),
    };
    Ok(with_page(error.error_response(), &form(&problem)))
}

/// A form that is posted to the page that it is on. A link cancels it and leads to `back`.
pub(super) fn form(
    action: &str,
    fields: &[Field<'_>],
    submit: &str,
    back: &str,
    problem: Option<&Problem>,
) -> Markup {
    html! {
        (alert(problem))
        form method="post" action=(action) {
            @for field in fields {
                (field.with(problem))
            }
            div.buttons {
                button type="submit" { (submit) }
                a href=(back) { "Cancel" }
            }
        }
    }
}

/// Asks the reader before an action that cannot be taken back.
pub(super) fn question(warning: &str, action: &str, submit: &str, back: &str) -> Markup {
    html! {
        p { (warning) }
        form method="post" action=(action) {
            div.buttons {
                button.danger type="submit" { (submit) }
                a href=(back) { "Cancel" }
            }
        }
    }
}

/// A message that the input is wrong; the details are next to the field, if it is one.
pub(super) fn alert(problem: Option<&Problem>) -> Markup {
    html! {
        @match problem {
            Some(Problem { field: None, text }) => p role="alert" { (sentence(text)) },
            Some(Problem { field: Some(_), .. }) => p role="alert" { "Something in the form is wrong." },
            None => {},
        }
    }
}

impl<'a> Field<'a> {
    /// A text that has to be there.
    pub(super) fn new(name: &'static str, label: &'a str, value: &'a str) -> Self {
        Self { name, label, kind: Kind::Text, is_required: true, value, hint: None }
    }

    pub(super) fn with(&self, problem: Option<&Problem>) -> Markup {
        let Self { name, label, kind, is_required, value, hint } = self;
        let wrong = problem.filter(|problem| problem.field == Some(name));
        let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
        let described: Vec<_> =
            [wrong.map(|_| &error_id), hint.map(|_| &hint_id)].into_iter().flatten().cloned().collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let invalid = wrong.map(|_| "true");
        let (of_type, step) = match kind {
            Kind::Text | Kind::Choice(_) => ("text", None),
            Kind::Username => ("email", None),
            Kind::Password => ("password", None),
            Kind::Number => ("number", Some("any")),
            Kind::WholeNumber => ("number", Some("1")),
            Kind::Instant => ("datetime-local", Some("1")),
            Kind::Date => ("date", None),
            Kind::Hidden => return html! { input type="hidden" name=(name) value=(value); },
        };
        let autocomplete = match kind {
            Kind::Username => "username",
            Kind::Password => "current-password",
            _ => "off",
        };
        html! {
            div.field {
                label for=(name) { (label) }
                @if let Some(hint) = hint {
                    p.hint id=(hint_id) { (hint) }
                }
                @if let Kind::Choice(choices) = kind {
                    select id=(name) name=(name) aria-describedby=[described] aria-invalid=[invalid]
                        autofocus[wrong.is_some()] {
                        @for (sent, read) in *choices {
                            option value=(sent) selected[sent == value] { (read) }
                        }
                    }
                } @else {
                    input id=(name) name=(name) type=(of_type) value=(value) step=[step] required[*is_required]
                        autocomplete=(autocomplete) aria-describedby=[described] aria-invalid=[invalid]
                        autofocus[wrong.is_some()];
                }
                @if let Some(Problem { text, .. }) = wrong {
                    p.error id=(error_id) { (label) " " (text) "." }
                }
            }
        }
    }
}

/// The name of the field with the version of the row that a form was made of.
const VERSION: &str = "version";

/// The field that says which version of the row a form was made of.
pub(super) fn version_field(version: &str) -> Field<'_> {
    Field { kind: Kind::Hidden, ..Field::new(VERSION, "", version) }
}

/// Another text for each other content of the row.
pub(super) fn version(row: &impl Serialize) -> Result<String, ServiceError> {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(row).map_err(ServiceError::internal)?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

/// Refuses a form that was made of another version of the row: it would bring back what was changed since. A program that
/// sends no version knows what it overwrites.
pub(super) fn still_of(row: &impl Serialize, sent: Option<&str>) -> Result<(), ServiceError> {
    match sent {
        Some(sent) if sent != version(row)? => {
            Err(ServiceError::Conflict("this was changed since the form was opened; open it again"))
        }
        _ => Ok(()),
    }
}

/// A number that may be left out.
pub(super) fn optional_number(field: &'static str, text: &str) -> Result<Option<f64>, ServiceError> {
    if text.trim().is_empty() { Ok(None) } else { number(field, text).map(Some) }
}

pub(super) fn number(field: &'static str, text: &str) -> Result<f64, ServiceError> {
    // `inf` and `nan` are read, too.
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| ServiceError::invalid_field(field, "is not a number"))
}

pub(super) fn whole_number(field: &'static str, text: &str) -> Result<i32, ServiceError> {
    text.trim().parse().map_err(|_| ServiceError::invalid_field(field, "is not a whole number"))
}

/// As browsers write it: without an offset, and without seconds where there are none.
pub(super) fn instant(field: &'static str, text: &str) -> Result<Instant, ServiceError> {
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let instant = read("%Y-%m-%dT%H:%M")
        .or_else(|| read("%Y-%m-%dT%H:%M:%S%.f"))
        .ok_or_else(|| ServiceError::invalid_field(field, "is not a date with a time"))?;
    storable(instant).map_err(|problem| ServiceError::invalid_field(field, problem))
}

#[cfg(test)]
mod tests {
    use super::{instant, number, optional_number, whole_number};

    #[test]
    fn what_a_browser_sends_is_read() {
        let read = |text| instant("at", text).map(|instant| instant.0.to_string()).ok();
        assert_eq!(read("2026-11-26T09:30").as_deref(), Some("2026-11-26 09:30:00"));
        assert_eq!(read("2026-11-26T09:30:05").as_deref(), Some("2026-11-26 09:30:05"));
        assert_eq!(read("2026-11-26T09:30:05.250").as_deref(), Some("2026-11-26 09:30:05.250"));
        for wrong in [
            "",
            "2026-11-26",
            "2026-11-26T09:30Z",
            "10000-01-01T00:00",
            "0000-01-01T00:00",
            "2026-06-30T23:59:60",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(number("value", " -1.5 ").ok(), Some(-1.5));
        assert_eq!(optional_number("value", " ").ok(), Some(None));
        assert_eq!(whole_number("value", "15").ok(), Some(15));
        for wrong in ["", "x", "1,5", "inf", "NaN", "1e999"] {
            assert!(number("value", wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "1.5", "2147483648"] {
            assert!(whole_number("value", wrong).is_err(), "{wrong}");
        }
    }
}

//! How a guard wants its caller to be authenticated.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use crate::mechanism::{Authenticated, CLOCK_SKEW};

/// The mechanisms that a guard accepts, and how long ago the subject may have logged in.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct LogInRequirement {
    /// `None`: all that are accepted by default.
    names: Option<&'static [&'static str]>,
    pub(super) within: Option<Duration>,
    pub(super) grace: Option<Duration>,
    pub(super) realm: Option<&'static str>,
}

impl LogInRequirement {
    pub const fn any_mechanism() -> Self {
        Self { names: None, within: None, grace: None, realm: None }
    }

    pub const fn mechanisms(names: &'static [&'static str]) -> Self {
        Self { names: Some(names), ..Self::any_mechanism() }
    }

    /// If it is given again, both hold.
    pub const fn within(mut self, seconds: u64) -> Self {
        self.within = Some(match self.within {
            Some(less) if less.as_secs() < seconds => less,
            _ => Duration::from_secs(seconds),
        });
        self
    }

    /// For this long the subject passes this guard again after it passed it, although `within` is exceeded.
    pub const fn grace(mut self, seconds: u64) -> Self {
        self.grace = Some(Duration::from_secs(seconds));
        self
    }

    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.realm = Some(realm);
        self
    }

    /// Whether any authenticated caller passes.
    pub(crate) const fn is_any(&self) -> bool {
        self.names.is_none() && self.within.is_none() && self.grace.is_none() && self.realm.is_none()
    }

    /// Whether the log-in has to be recent.
    pub(crate) const fn requires_recent_log_in(&self) -> bool {
        self.within.is_some()
    }

    /// Whether a mechanism of this name is accepted, which is or is not one by default.
    pub(crate) fn accepts(&self, name: &str, is_default: bool) -> bool {
        self.names.map_or(is_default, |names| names.contains(&name))
    }

    /// Whether the subject logged in within the required time; not if the time of the log-in is unknown.
    pub(super) fn is_recent(&self, authenticated: &Authenticated, now: SystemTime) -> bool {
        let Some(within) = self.within else { return true };
        authenticated.since.is_some_and(|since| match now.duration_since(since) {
            Ok(age) => age <= within,
            Err(ahead) => ahead.duration() <= CLOCK_SKEW,
        })
    }
}

/// As the arguments of `auth_required` are written; nothing where there are none.
impl fmt::Display for LogInRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.into_iter().flatten().map(|name| format!("{name:?}"));
        let period = |key, period: Option<Duration>| {
            period.map(|period| format!("{key} = \"{}\"", Written(period.as_secs())))
        };
        let arguments: Vec<String> = names
            .chain(period("within", self.within))
            .chain(period("grace", self.grace))
            .chain(self.realm.map(|realm| format!("realm = {realm:?}")))
            .collect();
        if arguments.is_empty() { Ok(()) } else { write!(f, "({})", arguments.join(", ")) }
    }
}

/// Seconds, in the largest unit that has a whole number of them.
struct Written(u64);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
        let (seconds, unit) =
            units.into_iter().find(|(seconds, _)| self.0.is_multiple_of(*seconds)).unwrap_or((1, "s"));
        write!(f, "{} {unit}", self.0 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::LogInRequirement;

    #[test]
    fn of_two_times_the_smaller_holds() {
        for accepted in [
            LogInRequirement::any_mechanism().within(900).within(86_400),
            LogInRequirement::any_mechanism().within(86_400).within(900),
        ] {
            assert_eq!(accepted.to_string(), r#"(within = "15 min")"#);
        }
    }

    #[test]
    fn is_shown_as_it_is_written() {
        for (accepted, written) in [
            (LogInRequirement::any_mechanism(), ""),
            (LogInRequirement::mechanisms(&["token", "session"]), r#"("token", "session")"#),
            (
                LogInRequirement::any_mechanism().within(900).grace(3_600),
                r#"(within = "15 min", grace = "1 h")"#,
            ),
            (LogInRequirement::any_mechanism().within(172_800), r#"(within = "2 d")"#),
            (
                LogInRequirement::mechanisms(&["basic"]).within(61).realm("a \"b\""),
                r#"("basic", within = "61 s", realm = "a \"b\"")"#,
            ),
        ] {
            assert_eq!(accepted.to_string(), written);
        }
    }
}

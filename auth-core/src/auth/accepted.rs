//! How a guard wants its caller to be authenticated.

use std::time::{Duration, SystemTime};

use crate::mechanism::Authenticated;

/// How far the clock of another machine may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The mechanisms that a guard accepts, and how long ago the subject may have proved who it is.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Accepted {
    /// `None`: all that are accepted by default.
    names: Option<&'static [&'static str]>,
    pub(super) within: Option<Duration>,
    pub(super) realm: Option<&'static str>,
}

impl Accepted {
    pub const fn any() -> Self {
        Self { names: None, within: None, realm: None }
    }

    pub const fn by(names: &'static [&'static str]) -> Self {
        Self { names: Some(names), ..Self::any() }
    }

    pub const fn within(mut self, seconds: u64) -> Self {
        self.within = Some(Duration::from_secs(seconds));
        self
    }

    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.realm = Some(realm);
        self
    }

    pub(super) fn takes(&self, name: &str, is_default: bool) -> bool {
        self.names.map_or(is_default, |names| names.contains(&name))
    }

    /// The time that was exceeded, if the subject proved too long ago who it is, or nobody knows when.
    pub(super) fn stale(&self, found: &Authenticated) -> Option<Duration> {
        let within = self.within?;
        let now = SystemTime::now();
        let fresh = found.since.is_some_and(|since| match now.duration_since(since) {
            Ok(age) => age <= within,
            Err(ahead) => ahead.duration() <= CLOCK_SKEW,
        });
        (!fresh).then_some(within)
    }
}

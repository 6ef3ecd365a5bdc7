//! How a guard wants its caller to be authenticated.

use std::time::{Duration, SystemTime};

use crate::mechanism::{Authenticated, CLOCK_SKEW};

/// The mechanisms that a guard accepts, and how long ago the subject may have proved who it is.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Accepted {
    /// `None`: all that are accepted by default.
    names: Option<&'static [&'static str]>,
    pub(super) within: Option<Duration>,
    pub(super) grace: Option<Duration>,
    pub(super) realm: Option<&'static str>,
}

impl Accepted {
    pub const fn any() -> Self {
        Self { names: None, within: None, grace: None, realm: None }
    }

    pub const fn by(names: &'static [&'static str]) -> Self {
        Self { names: Some(names), ..Self::any() }
    }

    pub const fn within(mut self, seconds: u64) -> Self {
        self.within = Some(Duration::from_secs(seconds));
        self
    }

    /// How long the subject passes this guard again after it passed it, although `within` is exceeded.
    pub const fn grace(mut self, seconds: u64) -> Self {
        self.grace = Some(Duration::from_secs(seconds));
        self
    }

    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.realm = Some(realm);
        self
    }

    pub(super) fn takes(&self, name: &str, is_default: bool) -> bool {
        self.names.map_or(is_default, |names| names.contains(&name))
    }

    /// Whether the subject proved within the asked time who it is; not if nobody knows when.
    pub(super) fn is_recent(&self, found: &Authenticated, now: SystemTime) -> bool {
        let Some(within) = self.within else { return true };
        found.since.is_some_and(|since| match now.duration_since(since) {
            Ok(age) => age <= within,
            Err(ahead) => ahead.duration() <= CLOCK_SKEW,
        })
    }
}

//! Decisions: may this subject do this with this context?

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Permission, Rank, Subject};

/// Decides: admins first, then the access-control list, which code or a database evaluates.
#[inline]
pub(crate) fn decide<S: Subject + ?Sized>(
    subject: &S,
    permission: Permission,
    matches: impl FnOnce() -> bool,
) -> Decision {
    if let Some(reason) = above_lists(subject, permission) {
        Decision::Allow(reason)
    } else if matches() {
        Decision::Allow(AllowReason::Match)
    } else {
        Decision::Deny(DenyReason::NoMatch)
    }
}

/// Why the subject stands above access-control lists, if it does.
#[inline]
pub(crate) fn above_lists<S: Subject + ?Sized>(subject: &S, permission: Permission) -> Option<AllowReason> {
    subject.rank(permission == Permission::READ).map(|rank| match rank {
        Rank::Admin => AllowReason::Admin,
        Rank::Reader => AllowReason::AdminReader,
    })
}

#[inline]
pub(crate) fn is_admin<S: Subject + ?Sized>(subject: &S) -> bool {
    subject.rank(false).is_some()
}

/// `Allow` or `Deny`, with its reason. The reason is for logs and tests, not for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a decision that is ignored protects nothing"]
pub enum Decision {
    /// The subject may.
    Allow(AllowReason),
    /// The subject may not.
    Deny(DenyReason),
}

/// Why a decision is `Allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AllowReason {
    /// The subject has the role that may do everything.
    Admin,
    /// The subject has the role that may read everything.
    AdminReader,
    /// The subject meets the guard's requirement, or a rule of the access-control list.
    Match,
}

/// Why a decision is `Deny`. An error is a `Deny`, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenyReason {
    /// No user is logged in.
    Anonymous,
    /// Credentials were given, and they are wrong.
    BadCredentials,
    /// There were too many attempts to log in.
    TooManyRequests {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// The subject authenticated too long ago.
    Stale,
    /// Another site caused the request, and the browser sent the credentials on its own.
    CrossSite,
    /// The subject does not meet the guard's requirement, or any rule of the access-control list.
    NoMatch,
    /// A user is logged in, and the guard lets only anonymous callers in.
    LoggedIn,
    /// The context does not exist.
    NotFound,
    /// There is no context to check: a list or a labelled group is empty.
    Empty,
    /// More contexts are named than a guard loads.
    TooMany,
    /// A store that is needed to decide did not answer.
    Unavailable,
    /// A part that the decision needs is missing from the application.
    Misconfigured,
}

impl Decision {
    /// Whether the subject may.
    #[inline]
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// `allow` or `deny`, for logs.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        if self.is_allowed() { "allow" } else { "deny" }
    }

    /// The reason, as a word for logs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Allow(AllowReason::Admin) => "admin",
            Self::Allow(AllowReason::AdminReader) => "admin-reader",
            Self::Allow(AllowReason::Match) => "match",
            Self::Deny(DenyReason::Anonymous) => "anonymous",
            Self::Deny(DenyReason::BadCredentials) => "bad-credentials",
            Self::Deny(DenyReason::TooManyRequests { .. }) => "too-many-requests",
            Self::Deny(DenyReason::Stale) => "stale",
            Self::Deny(DenyReason::CrossSite) => "cross-site",
            Self::Deny(DenyReason::LoggedIn) => "logged-in",
            Self::Deny(DenyReason::NoMatch) => "no-match",
            Self::Deny(DenyReason::NotFound) => "not-found",
            Self::Deny(DenyReason::Empty) => "empty",
            Self::Deny(DenyReason::TooMany) => "too-many",
            Self::Deny(DenyReason::Unavailable) => "unavailable",
            Self::Deny(DenyReason::Misconfigured) => "misconfigured",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.outcome(), self.reason())
    }
}

/// As its words: `{"outcome": "deny", "reason": "no-match"}`.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut decision = serializer.serialize_struct("Decision", 2)?;
        decision.serialize_field("outcome", self.outcome())?;
        decision.serialize_field("reason", self.reason())?;
        decision.end()
    }
}

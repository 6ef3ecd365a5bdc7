//! Freshness: the log-in of the subject is recent, or a grace period lasts.

use std::time::{Duration, SystemTime};

use actix_web::HttpRequest;

use super::{Auth, Identity, LogInRequirement};
use crate::mechanism::{CLOCK_SKEW, Grace};

impl Auth {
    /// The time that was exceeded, if the log-in is too long ago and no grace period lasts.
    ///
    /// After `check_and_update_authn_fresh` of Flask-Security: a grace period begins when a guard that has
    /// one lets the subject in, and each such guard that is passed sets its end anew. Unlike there, it opens no guard that
    /// requires a more recent log-in than the one that began it.
    pub(super) fn stale(
        &self,
        request: &HttpRequest,
        accepted: &LogInRequirement,
        identity: &Identity,
    ) -> Option<Duration> {
        let within = accepted.within?;
        let now = SystemTime::now();
        let recent = accepted.is_recent(&identity.authenticated, now);
        let Some(lasting) = accepted.grace else {
            return (!recent).then_some(within);
        };
        let mut mechanisms = self.configured();
        let Some(mechanism) = mechanisms.find(|mechanism| mechanism.name() == identity.mechanism) else {
            return Some(within);
        };
        let begun = if recent {
            within
        } else {
            let kept = mechanism.grace(request).filter(|kept| {
                // Not longer than this guard would make it, even if a clock or another guard has said so.
                let rest = kept.until.duration_since(now).unwrap_or_default();
                kept.within <= within && !rest.is_zero() && rest <= lasting.saturating_add(CLOCK_SKEW)
            });
            match kept {
                Some(kept) => kept.within,
                None => return Some(within),
            }
        };
        if let Some(until) = now.checked_add(lasting) {
            mechanism.keep_grace(request, Grace { until, within: begun });
        }
        None
    }
}

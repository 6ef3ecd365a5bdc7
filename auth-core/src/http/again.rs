//! The caller of a request once more, at the time of a change.

use std::any::type_name;

use super::deny::Decider;
use crate::{
    context::{AccessError, LoadError},
    event::Check,
    vocabulary::{Decision, DenyReason, Subject},
};

impl Decider {
    /// The caller as it is now, found by the mechanism that found it before, over this connection.
    pub(super) fn again<U: Subject, C: 'static>(
        &self,
        before: &U,
        connection: &mut C,
    ) -> Result<U, AccessError> {
        let check = self.check("authenticate");
        let Some(finder) = self.find_again() else {
            return Err(missing(&check));
        };
        let Some(found) = finder.find(connection) else {
            tracing::error!(
                target: "auth",
                mechanism = check.mechanism,
                expected = finder.connection(),
                given = type_name::<C>(),
                "a caller is not found again over a connection of another type than its mechanism's: \
                 pass the connection itself, such as `&mut *pooled`"
            );
            return Err(denied(&check, DenyReason::Misconfigured));
        };
        match found {
            Ok(now) => match now.downcast::<U>() {
                // A token that is another user's by now lets no one in.
                Ok(now) if now.id() == before.id() => Ok(*now),
                Ok(_) => Err(denied(&check, DenyReason::BadCredentials)),
                Err(_) => {
                    tracing::error!(
                        target: "auth",
                        mechanism = check.mechanism,
                        expected = type_name::<U>(),
                        "a mechanism finds a subject of one type, and once more of another"
                    );
                    Err(denied(&check, DenyReason::Misconfigured))
                }
            },
            Err(LoadError::NotFound) => Err(denied(&check, DenyReason::BadCredentials)),
            Err(error @ LoadError::Unavailable(_)) => {
                check.failed(&error);
                Err(error.into())
            }
        }
    }
}

/// There is nothing to find the caller by.
pub(super) fn missing(check: &Check<'_>) -> AccessError {
    tracing::error!(
        target: "auth",
        mechanism = check.mechanism,
        "a caller is not found again, because its mechanism has no store to look into, as `Jwt`: \
         use another one, or have it say how by `Authenticated::found_again_by`"
    );
    denied(check, DenyReason::Misconfigured)
}

fn denied(check: &Check<'_>, reason: DenyReason) -> AccessError {
    check.decided(Decision::Deny(reason));
    AccessError::Denied(reason)
}

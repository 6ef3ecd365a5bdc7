//! The decision about a row that is loaded for a change, and its event.

use std::{any::type_name, time::Instant};

use crate::{
    context::{AccessError, Granted, LoadError},
    event::Check,
    vocabulary::{Decision, DenyReason, Permission, Subject, decide},
};

/// The log's name of a row that is loaded for a change.
pub(super) fn check_of<'a, M>(
    started: Option<Instant>,
    subject: &'a dyn Subject,
    permission: Permission,
    id: &'a str,
) -> Check<'a> {
    let check = Check {
        permission: Some(permission),
        context: Some((type_name::<M>(), "")),
        ..Check::by(started, "authorize_for_update", subject)
    };
    check.of(id)
}

pub(super) const OUTSIDE_OF_A_TRANSACTION: &str = "`authorize_for_update` is called outside of a transaction, where its lock would hold nothing: \
     call it within `connection.transaction(…)`, or `immediate_transaction` on SQLite";

/// The row, if the answer allows it.
pub(super) fn authorized<M>(
    loaded: Result<(M, Granted), LoadError>,
    subject: &dyn Subject,
    permission: Permission,
    check: &Check<'_>,
) -> Result<M, AccessError> {
    let (row, answer) = loaded.inspect_err(|error| match error {
        LoadError::NotFound => check.decided(Decision::Deny(DenyReason::NotFound)),
        error @ LoadError::Unavailable(_) => check.failed(error),
    })?;
    let decision = decide(subject, permission, || answer.holds(0));
    check.decided(decision);
    match decision {
        Decision::Allow(_) => Ok(row),
        Decision::Deny(reason) => Err(AccessError::Denied(reason)),
    }
}

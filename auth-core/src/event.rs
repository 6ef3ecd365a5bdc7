//! The `tracing` event of each decision, with the target `auth`.
//!
//! A decision is an `INFO` event; a failure is an `ERROR` event that also has its cause.

use std::{error::Error, time::Instant};

use tracing::{Level, field};

use crate::{
    decision::{Decision, DenyReason},
    permission::Permission,
    subject::Subject,
};

/// The most characters of an id that are logged.
const MAX_ID: usize = 256;

/// What is about to be decided.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    /// The attribute's name, or `authenticate`.
    pub(crate) guard: &'static str,
    pub(crate) subject: Option<&'a dyn Subject>,
    /// What the guard asks for: roles or permissions that roles carry, or a permission on a context.
    pub(crate) asked: Option<&'a [&'a str]>,
    pub(crate) permission: Option<Permission>,
    /// The context's type, and its id as the request gives it.
    pub(crate) context: Option<(&'static str, &'a str)>,
    /// Whether the client is told that the context does not exist.
    pub(crate) hidden: bool,
    pub(crate) started: Option<Instant>,
}

/// An event with what every event of a check has. A macro, for the fields of an event are part of its code.
macro_rules! event {
    ($level:ident, $check:ident, $($outcome:tt)+) => {
        tracing::$level!(
            target: "auth",
            guard = $check.guard,
            subject = $check.subject(),
            asked = $check.asked.map(field::debug),
            permission = $check.permission.map(Permission::as_str),
            context = $check.context.map(|(context, _)| context),
            context_id = $check.context.map(|(_, id)| id),
            hidden = $check.hidden.then_some(true),
            duration_us = $check.duration_us(),
            $($outcome)+
        )
    };
}

impl<'a> Check<'a> {
    pub(crate) fn new(guard: &'static str, subject: Option<&'a dyn Subject>) -> Self {
        // While nobody listens, not even the clock is read.
        let started = tracing::enabled!(target: "auth", Level::INFO).then(Instant::now);
        Self { guard, subject, asked: None, permission: None, context: None, hidden: false, started }
    }

    /// The same for another context of the same type.
    pub(crate) fn of(&self, id: &'a str) -> Self {
        // A client may write as much as it likes, but not into the log.
        let end = id.char_indices().nth(MAX_ID).map_or(id.len(), |(end, _)| end);
        let id = id.get(..end).unwrap_or_default();
        Self { context: self.context.map(|(context, _)| (context, id)), ..*self }
    }

    pub(crate) fn decided(&self, decision: Decision) {
        let outcome = if decision.is_allowed() { "allow" } else { "deny" };
        event!(info, self, outcome, reason = decision.reason());
    }

    /// Nothing could be decided, which denies.
    pub(crate) fn failed(&self, error: &(dyn Error + 'static)) {
        let reason = Decision::Deny(DenyReason::Unavailable).reason();
        event!(error, self, outcome = "deny", reason, error = %Causes(error));
    }

    /// Quoted and escaped if it is a text: a line break in it must not begin a line of the log.
    fn subject(&self) -> Option<impl field::Value> {
        self.subject.map(|subject| field::debug(subject.id()))
    }

    fn duration_us(&self) -> Option<u64> {
        self.started.and_then(|started| u64::try_from(started.elapsed().as_micros()).ok())
    }
}

/// An error with its causes.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

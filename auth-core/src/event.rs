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

/// What is about to be decided.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    /// The attribute's name, or `authenticate`.
    pub(crate) guard: &'static str,
    pub(crate) subject: Option<&'a dyn Subject>,
    /// What the guard asks for: roles, or a permission.
    pub(crate) roles: Option<&'a [&'a str]>,
    pub(crate) permission: Option<Permission>,
    /// The context's type, and its id as the request gives it.
    pub(crate) context: Option<(&'static str, &'a str)>,
    pub(crate) started: Option<Instant>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(guard: &'static str, subject: Option<&'a dyn Subject>) -> Self {
        // While nobody listens, not even the clock is read.
        let started = tracing::enabled!(target: "auth", Level::INFO).then(Instant::now);
        Self { guard, subject, roles: None, permission: None, context: None, started }
    }

    pub(crate) fn decided(&self, decision: Decision) {
        let outcome = if decision.is_allowed() { "allow" } else { "deny" };
        tracing::info!(
            target: "auth",
            guard = self.guard,
            subject = self.subject(),
            roles = self.roles.map(field::debug),
            permission = self.permission.map(Permission::as_str),
            context = self.context.map(|(context, _)| context),
            context_id = self.context.map(|(_, id)| id),
            outcome,
            reason = decision.reason(),
            duration_us = self.duration_us(),
        );
    }

    /// Nothing could be decided, which denies.
    pub(crate) fn failed(&self, error: &(dyn Error + 'static)) {
        tracing::error!(
            target: "auth",
            guard = self.guard,
            subject = self.subject(),
            roles = self.roles.map(field::debug),
            permission = self.permission.map(Permission::as_str),
            context = self.context.map(|(context, _)| context),
            context_id = self.context.map(|(_, id)| id),
            outcome = "deny",
            reason = Decision::Deny(DenyReason::Unavailable).reason(),
            duration_us = self.duration_us(),
            error = %Causes(error),
        );
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
struct Causes<'a>(&'a (dyn Error + 'static));

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

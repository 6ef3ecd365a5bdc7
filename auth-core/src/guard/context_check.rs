//! The check of one context requirement of a guard, once its contexts are loaded.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use super::{
    Caller, ContextRequirement,
    app_pools::{AppPools, NotLoaded},
    progress,
};
use crate::{
    context::{AccessQuery, Context, Contexts, Empty, Granted, LoadError},
    error::AuthError,
    event::{Check, quoted},
    http::auth::Auth,
    vocabulary::{Decision, DenyReason, Permission},
};

/// More contexts than any handler works on at once, and fewer than a database binds values in one statement.
pub(super) const MAX_CONTEXTS: usize = 10_000;

/// The check of one requirement.
pub(super) struct ContextCheck<'c> {
    pub(super) caller: &'c Caller<'c>,
    pub(super) requirement: &'c ContextRequirement,
    pub(super) query: AccessQuery,
    /// The id of each context of a list, for the events.
    pub(super) ids: Vec<String>,
    /// The fields that the events of this check have in common.
    pub(super) event: Check<'c>,
}

impl<'c> ContextCheck<'c> {
    pub(super) fn new(
        caller: &'c Caller<'_>,
        requirement: &'c ContextRequirement,
        event: Check<'c>,
    ) -> Result<Self, AuthError> {
        let Some(permissions) = permissions(caller.auth, requirement) else {
            tracing::error!(
                target: "auth",
                most = Granted::MOST,
                "a guard requires too many permissions on one context, so it answers 500"
            );
            return Err(event.misconfigured());
        };
        let query = AccessQuery::new(Arc::clone(&caller.subject), permissions);
        Ok(Self { caller, requirement, query, ids: Vec::new(), event })
    }

    /// Checks every permission on every context. Afterwards, `contexts` are the rows that the decisions are about.
    pub(super) async fn check<L: Contexts>(
        &mut self,
        contexts: &mut L,
        granted: &[Granted],
    ) -> Result<(), AuthError> {
        self.refuse_nothing(contexts)?;
        if !L::Context::IN_DATABASE || granted.len() == contexts.each().count() {
            self.decide_each(contexts, granted)?;
        } else {
            // Boxed, because most contexts are loaded with the decision, and need no room for another query.
            let granted = Box::pin(self.query_access(contexts)).await?;
            self.decide_each(contexts, &granted)?;
        }
        progress::passes(self.caller.request);
        Ok(())
    }

    /// Nothing to check denies, unless the attribute allows it.
    fn refuse_nothing<L: Contexts>(&self, contexts: &L) -> Result<(), AuthError> {
        let label = match contexts.empty() {
            _ if self.requirement.allows_empty => return Ok(()),
            Empty::Nowhere => return Ok(()),
            Empty::Everywhere => None,
            Empty::Group(label) => Some(label),
        };
        let hidden = self.caller.auth.hides_unreadable();
        let group = self.group(label);
        let event = group.as_deref().map_or(self.event, |group| self.event.of(group));
        Check { hidden, ..event }.decided(Decision::Deny(DenyReason::Empty));
        // A loader may leave out rows that do not exist: hidden rows have to look like those.
        Err(if hidden { AuthError::NotFound } else { forbidden(label) })
    }

    /// Queries the database about contexts that were loaded without its decision. Then each context becomes the row that
    /// the decision is about.
    async fn query_access<L: Contexts>(&mut self, contexts: &mut L) -> Result<Vec<Granted>, AuthError> {
        let auth = self.caller.auth;
        let all: Vec<_> = contexts.each().map(|(_, context)| context).collect();
        if all.len() > MAX_CONTEXTS {
            self.event.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let since = self.event.begins_to_load();
        let answers = auth.in_time(pin!(L::Context::reload(&all, &self.query, &AppPools(auth)))).await;
        self.event.has_loaded(since);
        let (rows, granted): (Vec<_>, Vec<_>) = or_denied(answers, &self.event)?.into_iter().unzip();
        for (place, row) in contexts.places().zip(rows) {
            *place = row;
        }
        Ok(granted)
    }

    /// Decides every permission for every context; the first that is missing denies.
    fn decide_each<L: Contexts>(&self, contexts: &L, granted: &[Granted]) -> Result<(), AuthError> {
        let Caller { auth, subject, .. } = self.caller;
        let mut denied = None;
        // All were loaded at once, so one event has the time of the load.
        let mut load = self.event.load;
        for (index, (label, context)) in contexts.each().enumerate() {
            let decide = |permission| match granted.get(index) {
                Some(granted) => self.query.decide(*granted, permission),
                None => context.decide(&**subject, permission).unwrap_or(NOT_QUERIED),
            };
            let group = self.group(label);
            let text = self.ids.get(index).or(group.as_ref());
            let of_text = text.map(|text| self.event.of(text));
            let event = of_text.as_ref().unwrap_or(&self.event);
            for permission in self.requirement.permissions {
                match self.decide(decide, *permission, load.take(), event) {
                    Ok(()) => {}
                    // A hidden context in a list is answered as a missing one, before any other denial.
                    Err(Refused::Hidden) => return Err(AuthError::NotFound),
                    Err(Refused::Openly) if auth.hides_unreadable() => denied = denied.or(Some(label)),
                    Err(Refused::Openly) => return Err(forbidden(label)),
                }
            }
        }
        denied.map_or(Ok(()), |label| Err(forbidden(label)))
    }

    /// Decides one permission on a loaded context. Every guard that has a context decides here, so that none reveals that a
    /// hidden context exists.
    fn decide(
        &self,
        decide: impl Fn(Permission) -> Decision,
        permission: Permission,
        load: Option<Duration>,
        event: &Check<'_>,
    ) -> Result<(), Refused> {
        let decision = decide(permission);
        let reads = || decide(Permission::READ).is_allowed();
        let hidden = !decision.is_allowed()
            && self.caller.auth.hides_unreadable()
            && (permission == Permission::READ || !reads());
        Check { permission: Some(permission), hidden, load, ..*event }.decided(decision);
        match decision {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(_) if hidden => Err(Refused::Hidden),
            Decision::Deny(_) => Err(Refused::Openly),
        }
    }

    /// A group as the events have it: its label may be a text of the client's. `None` if the check is not observed.
    fn group(&self, label: Option<&str>) -> Option<String> {
        label.filter(|_| self.event.is_observed()).map(|label| quoted("group", label))
    }
}

/// The permissions that a query of the database is about: those that are required, and `read` if a denial has to be hidden
/// from those who lack it. `None` if there are too many.
pub(super) fn permissions(
    auth: &Auth,
    requirement: &ContextRequirement,
) -> Option<Cow<'static, [Permission]>> {
    let mut permissions = Cow::Borrowed(requirement.permissions);
    if auth.hides_unreadable() && !permissions.contains(&Permission::READ) {
        permissions.to_mut().push(Permission::READ);
    }
    (permissions.len() <= Granted::MOST).then_some(permissions)
}

/// The decision on a context that does not decide by itself, where no database was queried.
const NOT_QUERIED: Decision = Decision::Deny(DenyReason::Misconfigured);

/// How a client learns that a permission is missing.
enum Refused {
    Openly,
    /// As if there were no such context.
    Hidden,
}

/// A denial with no more than a client may know: the label of the group, if there is one.
fn forbidden(label: Option<&str>) -> AuthError {
    match label {
        Some(label) => AuthError::ForbiddenGroup { label: label.to_owned() },
        None => AuthError::Forbidden,
    }
}

/// The loaded contexts, or the denial or failure that their absence means.
pub(super) fn or_denied<T, E: Into<NotLoaded>>(
    loaded: Result<T, E>,
    event: &Check<'_>,
) -> Result<T, AuthError> {
    loaded.map_err(|error| match error.into() {
        NotLoaded::Failed(LoadError::NotFound) => {
            event.decided(Decision::Deny(DenyReason::NotFound));
            AuthError::NotFound
        }
        NotLoaded::Failed(error @ LoadError::Unavailable(_)) => {
            event.failed(&error);
            AuthError::Unavailable
        }
        NotLoaded::Misconfigured => event.misconfigured(),
    })
}

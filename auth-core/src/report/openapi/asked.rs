//! What is asked on one route, by the scopes around the handler and by its own guards together.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use utoipa::openapi::security::SecurityRequirement;

use super::ReportEntry;
use crate::{
    guard::{AskedCaller, AskedContext, Asks, ScopeGuard, SubjectCheckKind},
    http::auth::{Accepted, Auth},
    mechanism::{DynMechanism, Scheme},
    vocabulary::Permission,
};

pub(super) struct Asked<'a>(Vec<Asks<'a>>);

impl<'a> Asked<'a> {
    pub(super) fn of(entry: &'a ReportEntry) -> Self {
        let scopes = entry.scopes.iter().map(ScopeGuard::asks);
        Self(scopes.chain(entry.handler.asks()).collect())
    }

    /// The alternatives, one of which a request has to fulfil; none where a caller need not be known. `None` if a guard
    /// accepts no mechanism that is configured.
    ///
    /// All guards on the way have to accept. So what all of them accept is enough, and where there is no such mechanism,
    /// a request brings credentials for each guard.
    pub(super) fn security(&self, auth: &Auth) -> Option<Vec<SecurityRequirement>> {
        let names = |accepted| auth.mechanisms(accepted).map(DynMechanism::name).collect();
        let asked: Vec<BTreeSet<&str>> = self.accepted().map(names).collect();
        if asked.iter().any(BTreeSet::is_empty) {
            return None;
        }
        let Some((first, rest)) = asked.split_first() else {
            return Some(Vec::new());
        };
        // In the order in which they are tried.
        let by_all = self.accepted().next().into_iter().flat_map(|accepted| auth.mechanisms(accepted));
        let by_all = by_all.map(DynMechanism::name);
        let by_all: Vec<_> = by_all.filter(|name| rest.iter().all(|names| names.contains(name))).collect();
        if !by_all.is_empty() {
            return Some(by_all.into_iter().map(|name| requirement([name])).collect());
        }
        let mut together: BTreeSet<BTreeSet<&str>> =
            first.iter().map(|name| BTreeSet::from([*name])).collect();
        for names in rest {
            let with = |set: &BTreeSet<_>, name| set.iter().copied().chain([name]).collect();
            together = together.iter().flat_map(|set| names.iter().map(|name| with(set, *name))).collect();
        }
        let is_least =
            |set: &&BTreeSet<_>| !together.iter().any(|other| other.is_subset(set) && other != *set);
        Some(together.iter().filter(is_least).map(|set| requirement(set.iter().copied())).collect())
    }

    /// The statuses with which the guards deny.
    pub(super) fn denials(&self, auth: &Auth, method: &str) -> Vec<StatusCode> {
        let asks_who = !self.accepts_everybody();
        let schemes: Vec<_> = self.looks_for(auth);
        let by_browser = schemes.iter().any(|scheme| matches!(scheme, Some(Scheme::Cookie { .. })))
            && !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        let forbids = self.0.iter().any(|asks| {
            matches!(asks.caller, AskedCaller::Anonymous)
                || !asks.checks.is_empty()
                || asks.contexts.iter().any(|context| !auth.hides_unreadable() || !is_read(context))
        });
        let contexts = || self.0.iter().flat_map(|asks| asks.contexts);
        [
            (StatusCode::UNAUTHORIZED, asks_who),
            // A session is not accepted for what another site causes.
            (StatusCode::FORBIDDEN, forbids || by_browser),
            (StatusCode::NOT_FOUND, contexts().any(|context| auth.hides_unreadable() || !is_single(context))),
            (StatusCode::TOO_MANY_REQUESTS, schemes.contains(&Some(Scheme::Basic))),
            (StatusCode::SERVICE_UNAVAILABLE, asks_who),
        ]
        .into_iter()
        .filter_map(|(status, answered)| answered.then_some(status))
        .collect()
    }

    /// In words that tell nobody which roles there are.
    pub(super) fn in_words(&self) -> String {
        if self.accepts_everybody() {
            return "Open to everybody.".to_owned();
        }
        let mut words: Vec<String> = Vec::new();
        let mut say = |text: String| {
            if !words.contains(&text) {
                words.push(text);
            }
        };
        for asks in &self.0 {
            match &asks.caller {
                AskedCaller::Everybody(_) => {}
                AskedCaller::Anonymous => say("a caller who is not logged in".to_owned()),
                AskedCaller::Authenticated(accepted) if accepted.asks_for_recent() => {
                    say("a recent log-in".to_owned());
                }
                AskedCaller::Authenticated(_) => say("a log-in".to_owned()),
            }
            for check in asks.checks {
                let text = match check.kind {
                    SubjectCheckKind::RolesRequired | SubjectCheckKind::RolesAccepted => "a role",
                    SubjectCheckKind::AccountRolesRequired | SubjectCheckKind::AccountRolesAccepted => {
                        "a role of the account"
                    }
                    SubjectCheckKind::PermissionsRequired | SubjectCheckKind::PermissionsAccepted => {
                        "a permission by a role"
                    }
                };
                say(text.to_owned());
            }
            for context in asks.contexts {
                for permission in context.permissions {
                    say(match context.id {
                        Some(_) => format!("`{permission}` on `{}`", context.context),
                        None => format!("`{permission}` on what the request refers to"),
                    });
                }
            }
        }
        format!("Asks for {}.", words.join(", "))
    }

    fn accepted(&self) -> impl Iterator<Item = &Accepted> {
        self.0.iter().filter_map(|asks| match asks.caller {
            AskedCaller::Authenticated(accepted) => Some(accepted),
            AskedCaller::Everybody(_) | AskedCaller::Anonymous => None,
        })
    }

    fn accepts_everybody(&self) -> bool {
        self.0.iter().all(|asks| matches!(asks.caller, AskedCaller::Everybody(_)))
    }

    /// The schemes of the mechanisms that are asked, also for whether somebody is logged in.
    fn looks_for(&self, auth: &Auth) -> Vec<Option<Scheme>> {
        let anonymous = self.0.iter().any(|asks| matches!(asks.caller, AskedCaller::Anonymous));
        let by_default = anonymous.then_some(&BY_DEFAULT);
        let asked = self.accepted().chain(by_default).flat_map(|accepted| auth.mechanisms(accepted));
        asked.map(DynMechanism::scheme).collect()
    }
}

static BY_DEFAULT: Accepted = Accepted::any();

/// As the attributes are written, and the rules of the policies.
pub(super) fn as_written(entry: &ReportEntry) -> String {
    let code = |text: String| format!("* `{}`\n", text.replace('`', "'"));
    let lines: String = entry.guards().chain(entry.handler.policies()).map(code).collect();
    format!("Asks for:\n\n{lines}")
}

fn requirement<'a>(names: impl IntoIterator<Item = &'a str>) -> SecurityRequirement {
    let none = std::iter::empty::<String>;
    names.into_iter().fold(SecurityRequirement::default(), |all, name| all.add(name, none()))
}

/// Whether nothing is asked but to read it.
fn is_read(context: &AskedContext) -> bool {
    context.permissions.iter().all(|permission| *permission == Permission::READ)
}

/// Whether there is only one, which nothing has to name.
fn is_single(context: &AskedContext) -> bool {
    context.id == Some("()")
}

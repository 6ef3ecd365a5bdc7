//! The requirements of one route: those of the scopes around the handler and of its own guards together.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use utoipa::openapi::security::SecurityRequirement;

use super::ReportEntry;
use crate::{
    guard::{CallerRequirement, ContextRequirement, Requirements, ScopeGuard, SubjectAttribute},
    http::auth::{Auth, LogInRequirement},
    mechanism::{DynMechanism, Scheme},
    vocabulary::Permission,
};

pub(super) struct AllRequirements<'a>(Vec<Requirements<'a>>);

impl<'a> AllRequirements<'a> {
    pub(super) fn of(entry: &'a ReportEntry) -> Self {
        let scopes = entry.scopes.iter().map(ScopeGuard::requirements);
        Self(scopes.chain(entry.handler.requirements()).collect())
    }

    /// The alternatives, one of which a request has to fulfil; none where a caller need not be authenticated. `None` if a
    /// guard accepts no mechanism that is configured.
    ///
    /// All guards on the way have to accept. So a mechanism that all of them accept is enough, and where there is none, a
    /// request brings credentials for each guard.
    pub(super) fn security(&self, auth: &Auth) -> Option<Vec<SecurityRequirement>> {
        let names = |accepted| auth.mechanisms(accepted).map(DynMechanism::name).collect();
        let accepted: Vec<BTreeSet<&str>> = self.accepted().map(names).collect();
        if accepted.iter().any(BTreeSet::is_empty) {
            return None;
        }
        let Some((first, rest)) = accepted.split_first() else {
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
        let forbids = self.0.iter().any(|requirements| {
            matches!(requirements.caller, CallerRequirement::Anonymous)
                || !requirements.checks.is_empty()
                || requirements.contexts.iter().any(|context| !auth.hides_unreadable() || !is_read(context))
        });
        let contexts = || self.0.iter().flat_map(|requirements| requirements.contexts);
        [
            (StatusCode::UNAUTHORIZED, asks_who),
            // A guard accepts no session on a request that another site causes.
            (StatusCode::FORBIDDEN, forbids || by_browser),
            (StatusCode::NOT_FOUND, contexts().any(|context| auth.hides_unreadable() || !is_single(context))),
            (StatusCode::TOO_MANY_REQUESTS, schemes.contains(&Some(Scheme::Basic))),
            (StatusCode::SERVICE_UNAVAILABLE, asks_who),
        ]
        .into_iter()
        .filter_map(|(status, answered)| answered.then_some(status))
        .collect()
    }

    /// A sentence that does not reveal which roles exist.
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
        for requirements in &self.0 {
            match &requirements.caller {
                CallerRequirement::Everybody(_) => {}
                CallerRequirement::Anonymous => say("a caller who is not logged in".to_owned()),
                CallerRequirement::Authenticated(accepted) if accepted.requires_recent_log_in() => {
                    say("a recent log-in".to_owned());
                }
                CallerRequirement::Authenticated(_) => say("a log-in".to_owned()),
            }
            for check in requirements.checks {
                let text = match check.attribute {
                    SubjectAttribute::Role => "a role",
                    SubjectAttribute::AccountRole => "a role of the account",
                    SubjectAttribute::Permission => "a permission by a role",
                };
                say(text.to_owned());
            }
            for context in requirements.contexts {
                for permission in context.permissions {
                    say(match context.id {
                        Some(_) => format!("`{permission}` on `{}`", context.context),
                        None => format!("`{permission}` on what the request refers to"),
                    });
                }
            }
        }
        format!("Requires {}.", words.join(", "))
    }

    fn accepted(&self) -> impl Iterator<Item = &LogInRequirement> {
        self.0.iter().filter_map(|requirements| match requirements.caller {
            CallerRequirement::Authenticated(accepted) => Some(accepted),
            CallerRequirement::Everybody(_) | CallerRequirement::Anonymous => None,
        })
    }

    fn accepts_everybody(&self) -> bool {
        self.0.iter().all(|requirements| matches!(requirements.caller, CallerRequirement::Everybody(_)))
    }

    /// The schemes of the mechanisms that the guard accepts, also where it checks that nobody is logged in.
    fn looks_for(&self, auth: &Auth) -> Vec<Option<Scheme>> {
        let anonymous =
            self.0.iter().any(|requirements| matches!(requirements.caller, CallerRequirement::Anonymous));
        let by_default = anonymous.then_some(&BY_DEFAULT);
        let mechanisms = self.accepted().chain(by_default).flat_map(|accepted| auth.mechanisms(accepted));
        mechanisms.map(DynMechanism::scheme).collect()
    }
}

static BY_DEFAULT: LogInRequirement = LogInRequirement::any_mechanism();

/// As the attributes are written, and the rules of the policies.
pub(super) fn as_written(entry: &ReportEntry) -> String {
    let code = |text: String| format!("* `{}`\n", text.replace('`', "'"));
    let lines: String = entry.guards().chain(entry.handler.policies()).map(code).collect();
    format!("Requires:\n\n{lines}")
}

fn requirement<'a>(names: impl IntoIterator<Item = &'a str>) -> SecurityRequirement {
    let none = std::iter::empty::<String>;
    names.into_iter().fold(SecurityRequirement::default(), |all, name| all.add(name, none()))
}

/// Whether `read` is the only required permission.
fn is_read(context: &ContextRequirement) -> bool {
    context.permissions.iter().all(|permission| *permission == Permission::READ)
}

/// Whether there is only one, which needs no id.
fn is_single(context: &ContextRequirement) -> bool {
    context.id == Some("()")
}

//! The part of a guard on the thread on which a mechanism finds the subject: it checks the subject, and loads the first
//! context.

use std::{borrow::Cow, mem, sync::Arc, time::Instant};

use super::{Entry, Requirements, SubjectCheck, context_check::permissions, id_place::ReadFrom};
use crate::{
    context::{AccessQuery, LoadedOnThread, OnThread},
    http::auth::Next,
    vocabulary::{Decision, Permission, Subject},
};

/// Phase 2, and the first load of phase 3. It goes to the thread, and comes back with the decisions and the context. It moves
/// through several futures, so it is a pointer.
#[doc(hidden)]
pub struct First<T>(Box<dyn Steps<T>>);

impl<T> First<T> {
    /// The decisions of the first checks. After a denial, no check is decided.
    pub(super) fn decisions(&mut self) -> Vec<Decision> {
        self.0.decisions()
    }

    /// The context, or why it was not loaded. `None` if the load did not begin.
    pub(super) fn loaded(mut self) -> Option<LoadedOnThread<T>> {
        self.0.loaded()
    }
}

trait Steps<T>: Send {
    fn follow(&mut self, subject: &Arc<dyn Subject>);

    fn began(&self) -> Option<Instant>;

    fn decisions(&mut self) -> Vec<Decision>;

    fn loaded(&mut self) -> Option<LoadedOnThread<T>>;
}

struct StepsWith<W> {
    checks: &'static [SubjectCheck],
    permissions: Cow<'static, [Permission]>,
    is_timed: bool,
    began: Option<Instant>,
    decisions: Vec<Decision>,
    context: W,
}

/// The part for the thread, of a guard that begins.
impl Entry<'_, 'static> {
    /// `None` if the first context cannot be loaded on that thread: the subject is known already, or the guard requires a
    /// recent log-in, which the thread cannot check. Nor where [`ReadFrom::on_thread`] loads nothing, or the permissions are too
    /// many: the guard then loads it, and says why it fails.
    pub(super) fn first<L: ReadFrom<S>, S>(&self) -> Option<First<L>> {
        let Requirements { checks, contexts: [requirement, ..], .. } = self.requirements else { return None };
        if self.accepted().requires_recent_log_in() || self.is_known {
            return None;
        }
        let context = L::on_thread(requirement.places, self.request, self.auth)?;
        Some(First(Box::new(StepsWith {
            checks,
            permissions: permissions(self.auth, requirement)?,
            is_timed: self.auth.is_observed(),
            began: None,
            decisions: Vec::new(),
            context,
        })))
    }
}

impl<T: 'static> Next for First<T> {
    fn follow(&mut self, subject: &Arc<dyn Subject>) {
        self.0.follow(subject);
    }

    fn began(&self) -> Option<Instant> {
        self.0.began()
    }
}

impl<W: OnThread<T> + 'static, T: 'static> Steps<T> for StepsWith<W> {
    fn follow(&mut self, subject: &Arc<dyn Subject>) {
        self.began = self.is_timed.then(Instant::now);
        for check in self.checks {
            let decision = check.decide(&**subject);
            self.decisions.push(decision);
            if !decision.is_allowed() {
                return;
            }
        }
        let query = AccessQuery::new(Arc::clone(subject), mem::take(&mut self.permissions));
        self.context.load(query, self.is_timed);
    }

    fn began(&self) -> Option<Instant> {
        self.began
    }

    fn decisions(&mut self) -> Vec<Decision> {
        mem::take(&mut self.decisions)
    }

    fn loaded(&mut self) -> Option<LoadedOnThread<T>> {
        self.context.loaded()
    }
}

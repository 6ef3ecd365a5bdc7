//! Phases 3 and 5: contexts are loaded, and then checked.

use std::{any::type_name, borrow::Cow, pin::pin};

use super::{
    Caller, ContextRequirement,
    app_pools::AppPools,
    context_check::{ContextCheck, MAX_CONTEXTS, or_denied},
    first::First,
    id_place::{ReadFrom, RequestId},
    proves_what_is_checked,
};
use crate::{
    context::{Context as _, ContextArgument, Contexts, LoadError, Loadable, LoadedOnThread},
    error::AuthError,
    event::{Check, quoted},
    vocabulary::{Decision, DenyReason},
};

/// `index`: which of the guard's requirements the context is for.
impl Caller<'_> {
    /// Loads what the request names, and checks every permission.
    pub async fn context<A: ContextArgument<Loaded: ReadFrom<S>>, S>(
        &self,
        index: usize,
    ) -> Result<A, AuthError> {
        let requirement = self.requirement(index)?;
        let RequestId { key, text } = A::Loaded::read(requirement.places, self.request)
            .map_err(|_| self.event::<A::Loaded>("", requirement).misconfigured())?;
        self.load::<A>(key.ok_or(text), requirement).await
    }

    /// As [`context`](Self::context), unless the thread that found the subject has loaded the context.
    pub(super) async fn context_on_thread<A: ContextArgument<Loaded: ReadFrom<S>>, S>(
        &self,
        index: usize,
        first: Option<First<A::Loaded>>,
    ) -> Result<A, AuthError> {
        let Some(LoadedOnThread { loaded, query, id, took }) = first.and_then(First::loaded) else {
            // Boxed, so that no guard reserves the room where the thread has loaded the context.
            return Box::pin(self.context::<A, S>(index)).await;
        };
        let requirement = self.requirement(index)?;
        self.prove::<A>(requirement)?;
        let event = self.event::<A::Loaded>(&id, requirement);
        let event = Check { load: took, ..event }.begun_before_load();
        let mut check = ContextCheck { caller: self, requirement, query, ids: Vec::new(), event };
        let (mut context, granted) = or_denied(loaded, &check.event)?;
        pin!(check.check(&mut context, granted.as_slice())).await?;
        Ok(A::from_checked(context))
    }

    /// Loads what a key names that came with the handler's other arguments, and checks every permission.
    pub async fn context_of<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: <A::Loaded as Loadable>::Key,
        index: usize,
    ) -> Result<A, AuthError> {
        self.load::<A>(Ok(key), self.requirement(index)?).await
    }

    /// Checks what a function of the application has loaded.
    pub async fn loaded<A: ContextArgument>(
        &self,
        loaded: Result<A::Loaded, LoadError>,
        index: usize,
    ) -> Result<A, AuthError> {
        self.prove::<A>(self.requirement(index)?)?;
        self.check_loaded(loaded, index).await.map(A::from_checked)
    }

    /// As [`loaded`](Self::loaded), for a handler that does not take the contexts.
    pub async fn check_loaded<L: Contexts>(
        &self,
        loaded: Result<L, LoadError>,
        index: usize,
    ) -> Result<L, AuthError> {
        let requirement = self.requirement(index)?;
        let event = self.event::<L>("", requirement);
        let mut loaded = or_denied(loaded, &event)?;
        let mut check = ContextCheck::new(self, requirement, event)?;
        check.check(&mut loaded, &[]).await?;
        Ok(loaded)
    }

    fn requirement(&self, index: usize) -> Result<&ContextRequirement, AuthError> {
        self.contexts.get(index).ok_or_else(|| self.begin("permission_required_for_context").misconfigured())
    }

    /// Fails if the guard declares more contexts than the handler loads: no check may be skipped.
    pub(super) fn has_loaded_all(&self, count: usize) -> Result<(), AuthError> {
        if self.contexts.len() == count {
            return Ok(());
        }
        Err(self.begin("permission_required_for_context").misconfigured())
    }

    /// Loads what a key names, or denies a text that is no key.
    async fn load<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: Result<<A::Loaded as Loadable>::Key, Cow<'_, str>>,
        requirement: &ContextRequirement,
    ) -> Result<A, AuthError> {
        self.prove::<A>(requirement)?;
        let event = self.event::<A::Loaded>("", requirement);
        let text = match &key {
            _ if !event.is_observed() => String::new(),
            Ok(key) => A::Loaded::shown(key),
            Err(text) if text.is_empty() => String::new(),
            Err(text) => quoted("no id", text),
        };
        let event = event.of(&text);
        let key = or_denied(key.map_err(|_| LoadError::NotFound), &event)?;
        if A::Loaded::count(&key) > MAX_CONTEXTS {
            event.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let key = A::Loaded::distinct(key);
        let ids = if event.is_observed() { A::Loaded::ids(&key) } else { Vec::new() };
        let mut check = ContextCheck { ids, ..ContextCheck::new(self, requirement, event)? };
        let (mut contexts, granted) = if let Some(nothing) = A::Loaded::of_nothing(&key) {
            (nothing, Vec::new())
        } else {
            let since = check.event.begins_to_load();
            let loaded =
                self.auth.in_time(pin!(A::Loaded::load(key, &check.query, &AppPools(self.auth)))).await;
            check.event.has_loaded(since);
            or_denied(loaded, &check.event)?
        };
        check.check(&mut contexts, &granted).await?;
        Ok(A::from_checked(contexts))
    }

    /// The fields that the events of this requirement's check have in common.
    fn event<'a, L: Contexts>(&'a self, id: &'a str, requirement: &ContextRequirement) -> Check<'a> {
        let event = Check {
            permission: requirement.permissions.first().copied(),
            context: Some((L::Context::type_name(), "")),
            ..self.begin("permission_required_for_context")
        };
        event.of(id)
    }

    /// [`assert_proof`](super::assert_proof) asserts this at compile time; here it holds for guards that were written by hand,
    /// too.
    fn prove<A: ContextArgument>(&self, requirement: &ContextRequirement) -> Result<(), AuthError> {
        if proves_what_is_checked(A::PROVES, requirement.permissions) {
            return Ok(());
        }
        tracing::error!(
            target: "auth",
            argument = type_name::<A>(),
            "the argument of a guarded handler proves another permission than its guard checks"
        );
        Err(self.event::<A::Loaded>("", requirement).misconfigured())
    }
}

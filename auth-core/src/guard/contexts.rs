//! Phases 3 and 5: contexts are loaded and checked.

use std::{any::type_name, borrow::Cow, pin::pin, sync::Arc, time::Duration};

use super::{
    Caller, ContextRequirement, Entry, Requirements,
    id_place::{ReadFrom, RequestId},
    progress, proves_what_is_checked,
};
use crate::{
    context::{
        AccessQuery, Ahead, ConnectionSource, Context, ContextArgument, Contexts, Empty, Granted, Lender,
        Lent, LoadError, Loadable, LoadedAhead, blocking,
    },
    error::AuthError,
    event::{Check, quoted},
    http::auth::Auth,
    vocabulary::{Decision, DenyReason, Permission, Subject},
};

/// More contexts than any handler works on at once, and fewer than a database binds values in one statement.
const MAX_CONTEXTS: usize = 10_000;

impl Entry<'_, 'static> {
    /// The load of the first context, for the thread that finds the subject. Not where the subject is known already, and
    /// not where more is asked of it than can be asked on that thread.
    pub(super) fn ahead<L: ReadFrom<S>, S>(&self) -> Option<Arc<dyn Ahead<L>>> {
        let Requirements { checks, contexts: [asked, ..], .. } = self.requirements else { return None };
        if self.accepted().asks_for_recent() || self.is_known {
            return None;
        }
        let permissions = permissions(self.auth, asked)?;
        let ask = move |subject: &Arc<dyn Subject>| {
            let passes = checks.iter().all(|check| check.decide(&**subject).is_allowed());
            passes.then(|| AccessQuery { subject: Arc::clone(subject), permissions: permissions.clone() })
        };
        L::ahead(asked.places, self.request, &AppPools(self.auth), ask)
    }
}

/// Each context is one that the guard asks for, by its place among them.
impl Caller<'_> {
    /// Loads what the request names, and checks every permission.
    pub async fn context<A: ContextArgument<Loaded: ReadFrom<S>>, S>(
        &self,
        index: usize,
    ) -> Result<A, AuthError> {
        self.named(index, None).await
    }

    /// The same where it may have been loaded ahead.
    pub(super) async fn named<A: ContextArgument<Loaded: ReadFrom<S>>, S>(
        &self,
        index: usize,
        ahead: Option<&dyn Ahead<A::Loaded>>,
    ) -> Result<A, AuthError> {
        let asked = self.asked(index)?;
        if let Some(ahead) = ahead
            && let Some(LoadedAhead { loaded, question, took, id }) = ahead.take(&self.subject)
        {
            self.prove::<A>(asked)?;
            let mut check = self.check::<A::Loaded>(&id, asked).with_load(took);
            let (mut context, answer) = found(loaded, &check)?;
            let answers = Vec::from_iter(answer);
            pin!(self.check_each(&mut context, answers, &[], &question, asked, &mut check)).await?;
            return Ok(A::from_checked(context));
        }
        let RequestId { key, text } = A::Loaded::read(asked.places, self.request)
            .map_err(|_| self.check::<A::Loaded>("", asked).misconfigured())?;
        self.load::<A>(key.ok_or(text), asked).await
    }

    /// The same for a key that came with the handler's other arguments.
    pub async fn context_of<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: <A::Loaded as Loadable>::Key,
        index: usize,
    ) -> Result<A, AuthError> {
        self.load::<A>(Ok(key), self.asked(index)?).await
    }

    /// Checks what a function of the application has loaded.
    pub async fn loaded<A: ContextArgument>(
        &self,
        loaded: Result<A::Loaded, LoadError>,
        index: usize,
    ) -> Result<A, AuthError> {
        self.prove::<A>(self.asked(index)?)?;
        self.check_loaded(loaded, index).await.map(A::from_checked)
    }

    /// The same where the handler does not take it.
    pub async fn check_loaded<L: Contexts>(
        &self,
        loaded: Result<L, LoadError>,
        index: usize,
    ) -> Result<L, AuthError> {
        let asked = self.asked(index)?;
        let mut check = self.check::<L>("", asked);
        let mut loaded = found(loaded, &check)?;
        let question = self.question(asked, &check)?;
        self.check_each(&mut loaded, Vec::new(), &[], &question, asked, &mut check).await?;
        Ok(loaded)
    }

    fn asked(&self, index: usize) -> Result<&ContextRequirement, AuthError> {
        self.contexts.get(index).ok_or_else(|| self.begin("permission_required_for_context").misconfigured())
    }

    /// That there is nothing more to load: what is asked of a context is never left out.
    pub(super) fn has_asked(&self, count: usize) -> Result<(), AuthError> {
        if self.contexts.len() == count {
            return Ok(());
        }
        Err(self.begin("permission_required_for_context").misconfigured())
    }

    /// Loads what a key names, or denies what is the text of none.
    async fn load<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: Result<<A::Loaded as Loadable>::Key, Cow<'_, str>>,
        asked: &ContextRequirement,
    ) -> Result<A, AuthError> {
        self.prove::<A>(asked)?;
        let check = self.check::<A::Loaded>("", asked);
        let text = match &key {
            _ if !check.is_told() => String::new(),
            Ok(key) => A::Loaded::shown(key),
            Err(text) if text.is_empty() => String::new(),
            Err(text) => quoted("no id", text),
        };
        let mut check = check.of(&text);
        let key = found(key.map_err(|_| LoadError::NotFound), &check)?;
        if A::Loaded::count(&key) > MAX_CONTEXTS {
            check.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let key = A::Loaded::distinct(key);
        let ids = if check.is_told() { A::Loaded::ids(&key) } else { Vec::new() };
        let question = self.question(asked, &check)?;
        let loaded = if let Some(nothing) = A::Loaded::of_nothing(&key) {
            Ok((nothing, Vec::new()))
        } else {
            let since = check.begins_to_load();
            let loaded = self.auth.in_time(A::Loaded::load(key, &question, &AppPools(self.auth))).await;
            check.has_loaded(since);
            loaded
        };
        let (mut loaded, answers) = lent(loaded, &check)?;
        self.check_each(&mut loaded, answers, &ids, &question, asked, &mut check).await?;
        Ok(A::from_checked(loaded))
    }

    /// Every permission on what was loaded, of which there is something. What was decided about is what is there afterwards.
    async fn check_each<L: Contexts>(
        &self,
        contexts: &mut L,
        answers: Vec<Granted>,
        ids: &[String],
        question: &AccessQuery,
        asked: &ContextRequirement,
        check: &mut Check<'_>,
    ) -> Result<(), AuthError> {
        self.refuse_nothing(contexts, asked, check)?;
        let answers = if !L::Context::IN_DATABASE || answers.len() == contexts.each().count() {
            answers
        } else {
            pin!(self.answered(contexts, question, check)).await?
        };
        self.decide_each(contexts, &answers, ids, question, asked, check)?;
        progress::passes(self.request);
        Ok(())
    }

    fn question(&self, asked: &ContextRequirement, check: &Check<'_>) -> Result<AccessQuery, AuthError> {
        let Some(permissions) = permissions(self.auth, asked) else {
            tracing::error!(
                target: "auth",
                most = Granted::MOST,
                "a guard asks for too many permissions on one context, so it answers 500"
            );
            return Err(check.misconfigured());
        };
        Ok(AccessQuery { subject: Arc::clone(&self.subject), permissions })
    }

    fn check<'a, L: Contexts>(&'a self, text: &'a str, asked: &ContextRequirement) -> Check<'a> {
        let check = Check {
            permission: asked.permissions.first().copied(),
            context: Some((type_name::<L::Context>(), "")),
            ..self.begin("permission_required_for_context")
        };
        check.of(text)
    }

    /// [`proved`](super::proved) asserts this at compile time; here it holds for whoever calls the guard otherwise.
    fn prove<A: ContextArgument>(&self, asked: &ContextRequirement) -> Result<(), AuthError> {
        if proves_what_is_checked(A::PROVES, asked.permissions) {
            return Ok(());
        }
        tracing::error!(
            target: "auth",
            argument = type_name::<A>(),
            "the argument of a guarded handler proves another permission than its guard checks"
        );
        Err(self.check::<A::Loaded>("", asked).misconfigured())
    }

    /// Nothing to check denies, unless the attribute allows it.
    fn refuse_nothing<L: Contexts>(
        &self,
        contexts: &L,
        asked: &ContextRequirement,
        check: &Check<'_>,
    ) -> Result<(), AuthError> {
        let label = match contexts.empty() {
            _ if asked.allows_empty => return Ok(()),
            Empty::Nowhere => return Ok(()),
            Empty::Everywhere => None,
            Empty::Group(label) => Some(label),
        };
        let hidden = self.auth.hides_unreadable();
        let shown = group(label, check);
        let check = shown.as_deref().map_or(*check, |shown| check.of(shown));
        Check { hidden, ..check }.decided(Decision::Deny(DenyReason::Empty));
        // A loader may leave out what does not exist: what is hidden looks the same.
        Err(if hidden { AuthError::NotFound } else { forbidden(label) })
    }

    /// What the database says of the contexts: asked now, where loading them has not. Then each context becomes the row
    /// that the answer is about.
    async fn answered<L: Contexts>(
        &self,
        contexts: &mut L,
        question: &AccessQuery,
        check: &mut Check<'_>,
    ) -> Result<Vec<Granted>, AuthError> {
        let all: Vec<_> = contexts.each().map(|(_, context)| context).collect();
        if all.len() > MAX_CONTEXTS {
            check.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let since = check.begins_to_load();
        let answers = self.auth.in_time(L::Context::ask(&all, question, &AppPools(self.auth))).await;
        check.has_loaded(since);
        let (rows, answers): (Vec<_>, Vec<_>) = lent(answers, check)?.into_iter().unzip();
        for (place, row) in contexts.places().zip(rows) {
            *place = row;
        }
        Ok(answers)
    }

    /// Every permission for every context; the first that is missing denies.
    fn decide_each<L: Contexts>(
        &self,
        contexts: &L,
        answers: &[Granted],
        ids: &[String],
        question: &AccessQuery,
        asked: &ContextRequirement,
        check: &Check<'_>,
    ) -> Result<(), AuthError> {
        let mut denied = None;
        // All were loaded at once, so one event tells of it.
        let mut load = check.load;
        for (index, (label, context)) in contexts.each().enumerate() {
            let decide = |permission| match answers.get(index) {
                Some(answer) => question.decide(*answer, permission),
                None => context.decide(&*self.subject, permission).unwrap_or(NOT_ASKED),
            };
            let shown = group(label, check);
            let text = ids.get(index).or(shown.as_ref());
            let of_context = text.map(|text| check.of(text));
            let check = of_context.as_ref().unwrap_or(check);
            for permission in asked.permissions {
                match self.check_permission(decide, *permission, load.take(), check) {
                    Ok(()) => {}
                    // Of what is hidden, a list says no more than of what is missing, whatever else is in it.
                    Err(Refused::Hidden) => return Err(AuthError::NotFound),
                    Err(Refused::Openly) if self.auth.hides_unreadable() => denied = denied.or(Some(label)),
                    Err(Refused::Openly) => return Err(forbidden(label)),
                }
            }
        }
        denied.map_or(Ok(()), |label| Err(forbidden(label)))
    }

    /// The decision about one permission on a loaded context. Every guard that has a context takes it here,
    /// so that none tells a context that exists from one that does not where that is hidden.
    fn check_permission(
        &self,
        decide: impl Fn(Permission) -> Decision,
        permission: Permission,
        load: Option<Duration>,
        check: &Check<'_>,
    ) -> Result<(), Refused> {
        let decision = decide(permission);
        let reads = || decide(Permission::READ).is_allowed();
        let hidden = !decision.is_allowed()
            && self.auth.hides_unreadable()
            && (permission == Permission::READ || !reads());
        if check.is_heard() {
            Check { permission: Some(permission), hidden, load, ..*check }.decided(decision);
        }
        match decision {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(_) if hidden => Err(Refused::Hidden),
            Decision::Deny(_) => Err(Refused::Openly),
        }
    }
}

/// A group as the log tells it: its label may be a text of the client's. Empty if nothing listens.
fn group(label: Option<&str>, check: &Check<'_>) -> Option<String> {
    label.filter(|_| check.is_told()).map(|label| quoted("group", label))
}

/// What is asked of contexts: the permissions, and where it matters how a denial is told, whether the subject may read
/// them. Nothing if there are too many.
fn permissions(auth: &Auth, asked: &ContextRequirement) -> Option<Cow<'static, [Permission]>> {
    let mut permissions = Cow::Borrowed(asked.permissions);
    if auth.hides_unreadable() && !permissions.contains(&Permission::READ) {
        permissions.to_mut().push(Permission::READ);
    }
    (permissions.len() <= Granted::MOST).then_some(permissions)
}

/// The decision on a context that does not decide by itself, where no database was asked.
const NOT_ASKED: Decision = Decision::Deny(DenyReason::Misconfigured);

/// Why a guard has no contexts to check.
enum NotLoaded {
    Failed(LoadError),
    /// Nobody lends such connections.
    Misconfigured,
}

impl From<LoadError> for NotLoaded {
    fn from(error: LoadError) -> Self {
        Self::Failed(error)
    }
}

/// Lends what the application has registered.
struct AppPools<'a>(&'a Auth);

impl Lender for AppPools<'_> {
    type Error = NotLoaded;

    async fn blocking<C: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> Result<R, LoadError> + Send + 'static,
    ) -> Result<R, NotLoaded> {
        let source = self.0.source::<C>().map_err(|_| NotLoaded::Misconfigured)?;
        Ok(blocking::run(source, work).await?)
    }

    async fn acquire<C: 'static>(&self) -> Result<Lent<'_, C>, NotLoaded> {
        let source = self.0.async_source::<C>().map_err(|_| NotLoaded::Misconfigured)?;
        source.acquire_lent().await.map_err(|error| LoadError::Unavailable(error).into())
    }

    fn source<C: 'static>(&self) -> Option<Arc<dyn ConnectionSource<Connection = C>>> {
        self.0.find_source().cloned()
    }

    fn is_timed(&self) -> bool {
        self.0.is_observed()
    }
}

/// How a subject is told that it may not.
enum Refused {
    Openly,
    /// As if there were no such context.
    Hidden,
}

/// What a client may know of a denial: the label of the group, if there is one.
fn forbidden(label: Option<&str>) -> AuthError {
    match label {
        Some(label) => AuthError::ForbiddenGroup { label: label.to_owned() },
        None => AuthError::Forbidden,
    }
}

fn lent<T>(loaded: Result<T, NotLoaded>, check: &Check<'_>) -> Result<T, AuthError> {
    match loaded {
        Ok(loaded) => Ok(loaded),
        Err(NotLoaded::Failed(error)) => found(Err(error), check),
        Err(NotLoaded::Misconfigured) => Err(check.misconfigured()),
    }
}

fn found<T>(loaded: Result<T, LoadError>, check: &Check<'_>) -> Result<T, AuthError> {
    loaded.map_err(|error| match error {
        LoadError::NotFound => {
            check.decided(Decision::Deny(DenyReason::NotFound));
            AuthError::NotFound
        }
        error @ LoadError::Unavailable(_) => {
            check.failed(&error);
            AuthError::Unavailable
        }
    })
}

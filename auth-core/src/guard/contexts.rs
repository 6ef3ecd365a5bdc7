//! Phases 3 and 5: contexts are loaded and checked.

use std::{any::type_name, sync::Arc};

use super::{Caller, proves_what_is_checked, source::NamedBy};
use crate::{
    auth::Auth,
    blocking,
    context::{
        Answer, Context, ContextArgument, Contexts, Empty, Lender, Lent, LoadError, Loadable, Question,
    },
    decision::{Decision, DenyReason},
    error::AuthError,
    event::Check,
    permission::Permission,
};

/// More contexts than any handler works on at once, and fewer than a database binds values in one statement.
const MAX_CONTEXTS: usize = 10_000;

impl Caller<'_> {
    /// The same, for whom a list without contexts is no denial.
    #[must_use]
    pub fn allow_empty(&self) -> Self {
        Self { allows_empty: true, ..self.clone() }
    }

    /// Loads what the request names there, and checks every permission.
    pub async fn context<A: ContextArgument<Loaded: NamedBy<S>>, S>(
        &self,
        source: &S,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        let named = A::Loaded::read(source, self.request)
            .map_err(|_| self.check::<A::Loaded>("", permissions).misconfigured())?;
        self.load::<A>(named.key, &named.text, permissions).await
    }

    /// The same for a key that came with the handler's other arguments.
    pub async fn context_of<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: <A::Loaded as Loadable>::Key,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        let text = match A::Loaded::count(&key) {
            1 => format!("{key:?}"),
            several => format!("{several} ids"),
        };
        self.load::<A>(Some(key), &text, permissions).await
    }

    /// Checks what a function of the application has loaded.
    pub async fn loaded<A: ContextArgument>(
        &self,
        loaded: Result<A::Loaded, LoadError>,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        self.prove::<A>(permissions)?;
        self.check_loaded(loaded, permissions).await.map(A::from_checked)
    }

    /// The same where the handler does not take it.
    pub async fn check_loaded<L: Contexts>(
        &self,
        loaded: Result<L, LoadError>,
        permissions: &[Permission],
    ) -> Result<L, AuthError> {
        let check = self.check::<L>("", permissions);
        let loaded = found(loaded, &check)?;
        let question = self.question(permissions, &check)?;
        self.decide_each(&loaded, Vec::new(), &[], &question, permissions, check).await?;
        Ok(loaded)
    }

    async fn load<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: Option<<A::Loaded as Loadable>::Key>,
        text: &str,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        self.prove::<A>(permissions)?;
        let mut check = self.check::<A::Loaded>(text, permissions);
        let key = found(key.ok_or(LoadError::NotFound), &check)?;
        if A::Loaded::count(&key) > MAX_CONTEXTS {
            check.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let key = A::Loaded::distinct(key);
        let ids = A::Loaded::ids(&key);
        let question = self.question(permissions, &check)?;
        let loaded = if let Some(nothing) = A::Loaded::of_nothing(&key) {
            Ok((nothing, Vec::new()))
        } else {
            let since = check.begins_to_load();
            let loaded = A::Loaded::load(key, &question, &Registered(self.auth)).await;
            check.has_loaded(since);
            loaded
        };
        let (loaded, answers) = lent(loaded, &check)?;
        self.decide_each(&loaded, answers, &ids, &question, permissions, check).await?;
        Ok(A::from_checked(loaded))
    }

    /// What is asked of contexts: the permissions, and where it matters how a denial is told, whether the subject
    /// may read them.
    fn question(&self, permissions: &[Permission], check: &Check<'_>) -> Result<Question, AuthError> {
        let mut permissions = permissions.to_vec();
        if self.auth.hides_unreadable() && !permissions.contains(&Permission::READ) {
            permissions.push(Permission::READ);
        }
        if permissions.len() > Answer::MOST {
            tracing::error!(
                target: "auth",
                most = Answer::MOST,
                "a guard asks for too many permissions on one context, so it answers 500"
            );
            return Err(check.misconfigured());
        }
        Ok(Question { subject: Arc::clone(&self.subject), permissions })
    }

    fn check<'a, L: Contexts>(&'a self, text: &'a str, permissions: &[Permission]) -> Check<'a> {
        let check = Check {
            permission: permissions.first().copied(),
            context: Some((type_name::<L::Context>(), "")),
            ..self.begin("permission_required_for_context")
        };
        check.of(text)
    }

    /// The expansion asserts this at compile time; here it holds for whoever calls the guard otherwise.
    fn prove<A: ContextArgument>(&self, permissions: &[Permission]) -> Result<(), AuthError> {
        if proves_what_is_checked(A::PROVES, permissions) {
            return Ok(());
        }
        tracing::error!(
            target: "auth",
            argument = type_name::<A>(),
            "the argument of a guarded handler proves another permission than its guard checks"
        );
        Err(self.check::<A::Loaded>("", permissions).misconfigured())
    }

    /// Every permission for every context; the first that is missing denies. Nothing to check denies, too,
    /// unless the attribute allows it.
    async fn decide_each<L: Contexts>(
        &self,
        contexts: &L,
        mut answers: Vec<Answer>,
        ids: &[String],
        question: &Question,
        permissions: &[Permission],
        mut check: Check<'_>,
    ) -> Result<(), AuthError> {
        let label = match contexts.empty() {
            Empty::Everywhere => Some(None),
            Empty::Group(label) => Some(Some(label)),
            Empty::Nowhere => None,
        };
        if let Some(label) = label.filter(|_| !self.allows_empty) {
            let hidden = self.auth.hides_unreadable();
            let check = label.map_or(check, |label| check.of(label));
            Check { hidden, ..check }.decided(Decision::Deny(DenyReason::Empty));
            // A loader may leave out what does not exist: what is hidden looks the same.
            return Err(if hidden { AuthError::NotFound } else { forbidden(label) });
        }
        if L::Context::IN_DATABASE && answers.len() != contexts.each().count() {
            let all: Vec<_> = contexts.each().map(|(_, context)| context).collect();
            if all.len() > MAX_CONTEXTS {
                check.decided(Decision::Deny(DenyReason::TooMany));
                return Err(AuthError::NotFound);
            }
            let since = check.begins_to_load();
            let asked = L::Context::ask(&all, question, &Registered(self.auth)).await;
            check.has_loaded(since);
            answers = lent(asked, &check)?;
        }
        let mut denied = None;
        // All were loaded at once, so one event tells of it.
        let mut load = check.load;
        for (index, (label, context)) in contexts.each().enumerate() {
            let decide = |permission| match answers.get(index) {
                Some(answer) => question.decide(*answer, permission),
                None => context.decide(&*self.subject, permission).unwrap_or(NOT_ASKED),
            };
            let of_context = match ids.get(index).map(String::as_str).or(label) {
                Some(text) => check.of(text),
                None => check,
            };
            for permission in permissions {
                let check = Check { load: load.take(), ..of_context };
                match self.check_permission(decide, *permission, &check) {
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
        check: &Check<'_>,
    ) -> Result<(), Refused> {
        let decision = decide(permission);
        let reads = || decide(Permission::READ).is_allowed();
        let hidden = !decision.is_allowed()
            && self.auth.hides_unreadable()
            && (permission == Permission::READ || !reads());
        Check { permission: Some(permission), hidden, ..*check }.decided(decision);
        match decision {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(_) if hidden => Err(Refused::Hidden),
            Decision::Deny(_) => Err(Refused::Openly),
        }
    }
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
struct Registered<'a>(&'a Auth);

impl Lender for Registered<'_> {
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

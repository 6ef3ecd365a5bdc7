//! Phases 3 and 5: contexts are loaded and checked.

use std::any::type_name;

use super::{Caller, proves_what_is_checked, source::NamedBy};
use crate::{
    acl::AuthModel,
    blocking,
    context::{ContextArgument, Contexts, Empty, LoadError, Loadable},
    decision::{Decision, DenyReason, check_access},
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
        let named = A::Loaded::read(source, self.request)?;
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
    pub fn loaded<A: ContextArgument>(
        &self,
        loaded: Result<A::Loaded, LoadError>,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        prove::<A>(permissions)?;
        self.check_loaded(loaded, permissions).map(A::from_checked)
    }

    /// The same where the handler does not take it.
    pub fn check_loaded<L: Contexts>(
        &self,
        loaded: Result<L, LoadError>,
        permissions: &[Permission],
    ) -> Result<L, AuthError> {
        let check = self.check::<L>("", permissions);
        let loaded = found(loaded, &check)?;
        self.decide_each(&loaded, &[], permissions, &check)?;
        Ok(loaded)
    }

    async fn load<A: ContextArgument<Loaded: Loadable>>(
        &self,
        key: Option<<A::Loaded as Loadable>::Key>,
        text: &str,
        permissions: &[Permission],
    ) -> Result<A, AuthError> {
        prove::<A>(permissions)?;
        let check = self.check::<A::Loaded>(text, permissions);
        let key = found(key.ok_or(LoadError::NotFound), &check)?;
        if A::Loaded::count(&key) > MAX_CONTEXTS {
            check.decided(Decision::Deny(DenyReason::TooMany));
            return Err(AuthError::NotFound);
        }
        let key = A::Loaded::distinct(key);
        let ids = A::Loaded::ids(&key);
        let loaded = if let Some(nothing) = A::Loaded::of_nothing(&key) {
            Ok(nothing)
        } else {
            let source = self.auth.source::<<A::Loaded as Loadable>::Connection>()?;
            blocking::run(source, move |connection| A::Loaded::load(key, connection)).await
        };
        let loaded = found(loaded, &check)?;
        self.decide_each(&loaded, &ids, permissions, &check)?;
        Ok(A::from_checked(loaded))
    }

    fn check<'a, L: Contexts>(&'a self, text: &'a str, permissions: &[Permission]) -> Check<'a> {
        let check = Check {
            permission: permissions.first().copied(),
            context: Some((type_name::<L::Context>(), "")),
            ..Check::new("permission_required_for_context", Some(&*self.subject))
        };
        check.of(text)
    }

    /// Every permission for every context; the first that is missing denies. Nothing to check denies, too,
    /// unless the attribute allows it.
    fn decide_each<L: Contexts>(
        &self,
        contexts: &L,
        ids: &[String],
        permissions: &[Permission],
        check: &Check<'_>,
    ) -> Result<(), AuthError> {
        let label = match contexts.empty() {
            Empty::Everywhere => Some(None),
            Empty::Group(label) => Some(Some(label)),
            Empty::Nowhere => None,
        };
        if let Some(label) = label.filter(|_| !self.allows_empty) {
            let hidden = self.auth.hides_unreadable();
            let check = label.map_or(*check, |label| check.of(label));
            Check { hidden, ..check }.decided(Decision::Deny(DenyReason::Empty));
            // A loader may leave out what does not exist: what is hidden looks the same.
            return Err(if hidden { AuthError::NotFound } else { forbidden(label) });
        }
        let mut denied = None;
        for (index, (label, context)) in contexts.each().enumerate() {
            let check = match ids.get(index).map(String::as_str).or(label) {
                Some(text) => check.of(text),
                None => *check,
            };
            for permission in permissions {
                match self.check_permission(context, *permission, &check) {
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
    fn check_permission<C: AuthModel>(
        &self,
        context: &C,
        permission: Permission,
        check: &Check<'_>,
    ) -> Result<(), Refused> {
        let decision = check_access(&*self.subject, context, permission);
        let reads = || check_access(&*self.subject, context, Permission::READ).is_allowed();
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

/// The expansion asserts this at compile time; here it holds for whoever calls the guard otherwise.
fn prove<A: ContextArgument>(permissions: &[Permission]) -> Result<(), AuthError> {
    if proves_what_is_checked(A::PROVES, permissions) {
        return Ok(());
    }
    tracing::error!(
        target: "auth",
        argument = type_name::<A>(),
        "the argument of a guarded handler proves another permission than its guard checks"
    );
    Err(AuthError::Misconfigured)
}

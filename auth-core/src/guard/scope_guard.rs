//! The guard of a whole scope.

use std::time::Duration;

use crate::{
    guard::{CallerRequirement, Requirements, SubjectCheck},
    http::auth::LogInRequirement,
};

/// The requirements of a whole scope, in addition to those of each handler:
/// [`ProtectedScope::guarded_by`](crate::protected::ProtectedScope::guarded_by).
///
/// It authenticates the caller, and checks the caller's roles and permissions. It decides before the guard of any
/// handler in the scope, and for paths that no handler serves as well. A `#[public]` handler is open to all callers that
/// the scope lets in, and to no others. The caller is authenticated once, however many guards need it.
///
/// The methods have the names and the meanings of the attributes. Each may be called again, and then both hold. A list
/// has at least one name:
///
/// ```
/// use auth_core::protected::ScopeGuard;
///
/// let guard = ScopeGuard::auth_required().roles_accepted(&["support", "operations"]);
/// ```
///
/// ```compile_fail
/// # use auth_core::protected::ScopeGuard;
/// let guard = ScopeGuard::auth_required().roles_accepted(&[]);
/// ```
#[derive(Debug, Clone)]
#[must_use = "give it to `ProtectedScope::guarded_by`"]
pub struct ScopeGuard {
    accepted: LogInRequirement,
    checks: Vec<SubjectCheck>,
}

/// A method for each kind of check.
macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident)+) => {
        $(
            $(#[$doc])*
            pub fn $name<const N: usize>(mut self, names: &'static [&'static str; N]) -> Self {
                const { assert!(N > 0, "a guard names at least one role or permission") };
                self.checks.push(SubjectCheck::$name(names));
                self
            }
        )+
    };
}

impl ScopeGuard {
    /// Requires a caller who is authenticated by any mechanism that is accepted by default.
    pub fn auth_required() -> Self {
        Self { accepted: LogInRequirement::any_mechanism(), checks: Vec::new() }
    }

    /// Requires a caller who is authenticated by one of these mechanisms: `"token"`, `"session"`, `"basic"`, or those of
    /// the application.
    pub fn auth_required_by<const N: usize>(mechanisms: &'static [&'static str; N]) -> Self {
        const { assert!(N > 0, "a guard accepts at least one mechanism") };
        Self { accepted: LogInRequirement::mechanisms(mechanisms), checks: Vec::new() }
    }

    /// Requires that the caller has logged in within this time, in whole seconds.
    pub fn within(mut self, time: Duration) -> Self {
        self.accepted = self.accepted.within(time.as_secs());
        self
    }

    checks! {
        /// Requires all of these roles. Admins pass.
        roles_required
        /// Requires at least one of these roles. Admins pass.
        roles_accepted
        /// Requires all of these roles of the caller's account. Admins pass.
        account_roles_required
        /// Requires at least one of these roles of the caller's account. Admins pass.
        account_roles_accepted
        /// Requires roles that carry all of these permissions.
        permissions_required
        /// Requires roles that carry at least one of these permissions.
        permissions_accepted
    }

    pub(crate) fn requirements(&self) -> Requirements<'_> {
        Requirements {
            caller: CallerRequirement::Authenticated(&self.accepted),
            checks: &self.checks,
            contexts: &[],
        }
    }
}

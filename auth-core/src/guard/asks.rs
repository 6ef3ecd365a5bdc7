//! What a guard asks, as data: the guard checks by it, and the report shows it.

use serde::Serialize;

#[cfg(feature = "diesel")]
use crate::policy::Policy;
use crate::{auth::Accepted, permission::Permission};

/// Without declared policies no context has one.
#[cfg(not(feature = "diesel"))]
pub(crate) type Policy = std::convert::Infallible;

/// Everything that the attributes on one handler ask for, or a scope for all of its handlers.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Asks<'a> {
    pub(crate) caller: AskedCaller,
    pub(crate) checks: &'a [SubjectCheck],
    pub(crate) contexts: &'a [AskedContext],
}

/// Who may call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AskedCaller {
    /// Whoever sends a request, for this reason.
    Everybody(Option<&'static str>),
    /// Who is not logged in.
    Anonymous,
    Authenticated(Accepted),
}

impl<'a> Asks<'a> {
    pub const fn nothing(reason: Option<&'static str>) -> Self {
        Self { caller: AskedCaller::Everybody(reason), checks: &[], contexts: &[] }
    }

    pub const fn anonymous() -> Self {
        Self { caller: AskedCaller::Anonymous, checks: &[], contexts: &[] }
    }

    pub const fn authenticated(accepted: Accepted) -> Self {
        Self { caller: AskedCaller::Authenticated(accepted), checks: &[], contexts: &[] }
    }

    pub const fn checks(mut self, checks: &'a [SubjectCheck]) -> Self {
        self.checks = checks;
        self
    }

    pub const fn contexts(mut self, contexts: &'a [AskedContext]) -> Self {
        self.contexts = contexts;
        self
    }
}

/// A check that needs only the subject: one attribute, with the names that it asks for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct SubjectCheck {
    pub(crate) kind: SubjectCheckKind,
    pub(crate) names: &'static [&'static str],
}

/// Which attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubjectCheckKind {
    RolesRequired,
    RolesAccepted,
    AccountRolesRequired,
    AccountRolesAccepted,
    PermissionsRequired,
    PermissionsAccepted,
}

impl SubjectCheckKind {
    /// The name of the attribute.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::RolesRequired => "roles_required",
            Self::RolesAccepted => "roles_accepted",
            Self::AccountRolesRequired => "account_roles_required",
            Self::AccountRolesAccepted => "account_roles_accepted",
            Self::PermissionsRequired => "permissions_required",
            Self::PermissionsAccepted => "permissions_accepted",
        }
    }
}

/// Named as the attributes are.
impl SubjectCheck {
    #[must_use]
    pub const fn roles_required(roles: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::RolesRequired, names: roles }
    }

    #[must_use]
    pub const fn roles_accepted(roles: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::RolesAccepted, names: roles }
    }

    #[must_use]
    pub const fn account_roles_required(roles: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::AccountRolesRequired, names: roles }
    }

    #[must_use]
    pub const fn account_roles_accepted(roles: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::AccountRolesAccepted, names: roles }
    }

    #[must_use]
    pub const fn permissions_required(permissions: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::PermissionsRequired, names: permissions }
    }

    #[must_use]
    pub const fn permissions_accepted(permissions: &'static [&'static str]) -> Self {
        Self { kind: SubjectCheckKind::PermissionsAccepted, names: permissions }
    }
}

/// A context, or several, and every permission that is asked of it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AskedContext {
    /// The type, as it is written; or the function that makes the context.
    pub(crate) context: &'static str,
    /// Where its id comes from, as it is written; nothing for what a function makes.
    pub(crate) id: Option<&'static str>,
    pub(crate) permissions: &'static [Permission],
    pub(crate) allows_empty: bool,
    #[cfg_attr(not(feature = "diesel"), expect(dead_code, reason = "without diesel no policy is declared"))]
    pub(crate) policy: Option<&'static Policy>,
}

impl AskedContext {
    #[must_use]
    pub const fn new(
        context: &'static str,
        permissions: &'static [Permission],
        policy: Option<&'static Policy>,
    ) -> Self {
        Self { context, id: None, permissions, allows_empty: false, policy }
    }

    #[must_use]
    pub const fn id(mut self, id: &'static str) -> Self {
        self.id = Some(id);
        self
    }

    #[must_use]
    pub const fn allow_empty(mut self) -> Self {
        self.allows_empty = true;
        self
    }
}

/// The policy that a context declares: `DeclaredBy::<A>::POLICY`, for what an argument of type `A` holds.
///
/// An inherent constant where there is one, and else that of [`DeclaresNothing`]: it asks nothing of `A`, whose
/// policy may as well be written by hand.
#[doc(hidden)]
pub struct DeclaredBy<A: ?Sized>(std::marker::PhantomData<A>);

#[doc(hidden)]
pub trait DeclaresNothing {
    const POLICY: Option<&'static Policy> = None;
}

impl<A: ?Sized> DeclaresNothing for DeclaredBy<A> {}

#[cfg(feature = "diesel")]
mod declared {
    use super::{DeclaredBy, Policy};
    use crate::{context::Authorized, permission::PermissionMarker, scope::Scoped};

    impl<M: Scoped> DeclaredBy<M> {
        pub const POLICY: Option<&'static Policy> = Some(M::POLICY);
    }

    impl<M: Scoped> DeclaredBy<Vec<M>> {
        pub const POLICY: Option<&'static Policy> = Some(M::POLICY);
    }

    impl<M: Scoped, P: PermissionMarker> DeclaredBy<Authorized<M, P>> {
        pub const POLICY: Option<&'static Policy> = Some(M::POLICY);
    }

    impl<M: Scoped, P: PermissionMarker> DeclaredBy<Authorized<Vec<M>, P>> {
        pub const POLICY: Option<&'static Policy> = Some(M::POLICY);
    }
}

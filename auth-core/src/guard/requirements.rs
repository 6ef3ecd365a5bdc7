//! The requirements of a guard, as data: the guard checks them, and the report shows them.

use std::marker::PhantomData;

#[cfg(feature = "diesel")]
use crate::policy::Policy;
use crate::{
    context::Authorized,
    guard::IdPlace,
    http::auth::LogInRequirement,
    vocabulary::{AllowReason, Decision, DenyReason, Permission, PermissionMarker, Subject, is_admin},
};

/// Without declared policies no context has one.
#[cfg(not(feature = "diesel"))]
#[doc(hidden)]
#[expect(unreachable_pub, reason = "a field of what the attributes write has it")]
pub type Policy = std::convert::Infallible;

/// All requirements of the attributes on one handler, or of a scope for all of its handlers.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Requirements<'a> {
    pub caller: CallerRequirement<'a>,
    pub checks: &'a [SubjectCheck],
    pub contexts: &'a [ContextRequirement],
}

/// The callers that a guard lets in.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum CallerRequirement<'a> {
    /// All callers, for this reason.
    Everybody(Option<&'static str>),
    /// Callers who are not logged in.
    Anonymous,
    /// By reference, as it is large, and the compiler looks into every field of what a static holds.
    Authenticated(&'a LogInRequirement),
}

impl CallerRequirement<'static> {
    /// Callers who are authenticated by any mechanism that the application accepts by default.
    pub const BY_DEFAULT: Self = Self::Authenticated(&LogInRequirement::any_mechanism());
}

impl Requirements<'_> {
    pub(crate) const fn nothing(reason: Option<&'static str>) -> Self {
        Self { caller: CallerRequirement::Everybody(reason), checks: &[], contexts: &[] }
    }
}

/// A check that needs only the subject: one attribute, with the names that it requires.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct SubjectCheck {
    pub attribute: SubjectAttribute,
    pub quantifier: Quantifier,
    pub names: &'static [&'static str],
}

/// The attribute that a subject must have.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectAttribute {
    Role,
    AccountRole,
    /// A permission that a role carries.
    Permission,
}

/// How many of the names the subject must have.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    All,
    Any,
}

/// A constructor for each attribute, under its name.
macro_rules! attributes {
    ($($name:ident: $attribute:ident $quantifier:ident)+) => {
        impl SubjectCheck {
            $(
                #[must_use]
                pub const fn $name(names: &'static [&'static str]) -> Self {
                    let (attribute, quantifier) = (SubjectAttribute::$attribute, Quantifier::$quantifier);
                    Self { attribute, quantifier, names }
                }
            )+

            /// The attribute's name.
            pub(crate) const fn name(&self) -> &'static str {
                match (self.attribute, self.quantifier) {
                    $((SubjectAttribute::$attribute, Quantifier::$quantifier) => stringify!($name),)+
                }
            }
        }
    };
}
attributes! {
    roles_required: Role All
    roles_accepted: Role Any
    account_roles_required: AccountRole All
    account_roles_accepted: AccountRole Any
    permissions_required: Permission All
    permissions_accepted: Permission Any
}

impl SubjectCheck {
    /// No name at all denies, and no subject has an empty name. Admins pass checks of roles. They do not pass checks of
    /// permissions, because their roles carry permissions as all others do.
    pub(super) fn decide(&self, subject: &dyn Subject) -> Decision {
        if self.attribute != SubjectAttribute::Permission && is_admin(subject) {
            return Decision::Allow(AllowReason::Admin);
        }
        let has = |name: &&str| {
            !name.is_empty()
                && match self.attribute {
                    SubjectAttribute::Role => subject.has_named_role(name),
                    SubjectAttribute::AccountRole => subject.account_has_named_role(name),
                    SubjectAttribute::Permission => subject.has_named_permission(name),
                }
        };
        let matches = match self.quantifier {
            Quantifier::All => !self.names.is_empty() && self.names.iter().all(has),
            Quantifier::Any => self.names.iter().any(has),
        };
        if matches { Decision::Allow(AllowReason::Match) } else { Decision::Deny(DenyReason::NoMatch) }
    }
}

/// A context, or several, and the permissions that it must allow.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ContextRequirement {
    /// The type, as it is written; or the function that makes the context.
    pub context: &'static str,
    /// Where its id comes from, as it is written; nothing for what a function makes.
    pub id: Option<&'static str>,
    /// Where the request has the parts of its id; nothing for what is made of the handler's arguments.
    pub places: &'static [IdPlace],
    pub permissions: &'static [Permission],
    /// Whether a list without contexts is no denial.
    pub allows_empty: bool,
    /// The one that the context declares, if it does.
    pub policy: &'static [&'static Policy],
}

/// Asserts that an argument proves a permission which its guard checks.
///
/// # Panics
///
/// If it proves another one: an error at compile time.
#[doc(hidden)]
pub const fn assert_proof(proves: &[Permission], permissions: &[Permission]) {
    let proves = if let [proves, ..] = proves { Some(*proves) } else { None };
    assert!(
        proves_what_is_checked(proves, permissions),
        "the `Authorized<_, P>` argument proves another permission than its guard checks"
    );
}

/// False for no permission at all: a guard that checks nothing proves nothing.
pub(super) const fn proves_what_is_checked(proved: Option<Permission>, checked: &[Permission]) -> bool {
    let mut rest = checked;
    while let [permission, others @ ..] = rest {
        match proved {
            Some(proved) if !permission.is(proved) => rest = others,
            _ => return true,
        }
    }
    false
}

/// An argument of type `A`: `Argument::<A>::PROVES` and `Argument::<A>::POLICY`, none or one; and an assertion for each
/// permission that it proves no other one.
///
/// Each is an inherent constant where there is one, also for an `Authorized` under another name, and else that of
/// [`PlainArgument`]. They require nothing of `A`, so that a missing trait is reported once, where the context is loaded.
#[doc(hidden)]
pub struct Argument<A: ?Sized>(PhantomData<A>);

#[doc(hidden)]
pub trait PlainArgument {
    const PROVES: &'static [Permission] = &[];
    const PROVES_CREATE_CHILDREN: () = ();
    const PROVES_READ: () = ();
    const PROVES_UPDATE: () = ();
    const PROVES_DELETE: () = ();
    const POLICY: &'static [&'static Policy] = &[];
}

impl<A: ?Sized> PlainArgument for Argument<A> {}

impl<T, P: PermissionMarker> Argument<Authorized<T, P>> {
    pub const PROVES: &'static [Permission] = &[P::PERMISSION];
    pub const PROVES_CREATE_CHILDREN: () = assert_proof(Self::PROVES, &[Permission::CREATE_CHILDREN]);
    pub const PROVES_READ: () = assert_proof(Self::PROVES, &[Permission::READ]);
    pub const PROVES_UPDATE: () = assert_proof(Self::PROVES, &[Permission::UPDATE]);
    pub const PROVES_DELETE: () = assert_proof(Self::PROVES, &[Permission::DELETE]);
}

#[cfg(feature = "diesel")]
mod declared {
    use super::{Argument, Policy};
    use crate::{
        context::Authorized,
        policy::{Visible, sql::Scoped},
        vocabulary::PermissionMarker,
    };

    /// A type that holds rows of a model. One trait for all: the compiler looks through the implementations of `Argument` for
    /// each guard.
    #[doc(hidden)]
    pub trait HoldsRows {
        const MODEL: &'static Policy;
    }

    impl<A: HoldsRows> Argument<A> {
        pub const POLICY: &'static [&'static Policy] = &[A::MODEL];
    }

    impl<R: HoldsRows> HoldsRows for Vec<R> {
        const MODEL: &'static Policy = R::MODEL;
    }

    impl<R: HoldsRows, C> HoldsRows for Visible<R, C> {
        const MODEL: &'static Policy = R::MODEL;
    }

    impl<M: Scoped> HoldsRows for M {
        const MODEL: &'static Policy = M::POLICY;
    }

    impl<R: HoldsRows, P: PermissionMarker> HoldsRows for Authorized<R, P> {
        const MODEL: &'static Policy = R::MODEL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::User;

    /// The macros and `ScopeGuard` refuse both at compile time, so no request reaches these checks.
    #[test]
    fn a_check_without_a_name_denies() {
        let user =
            User::new(1).with_roles([""]).with_account(2).with_account_roles([""]).with_permissions([""]);
        let checks = [
            SubjectCheck::roles_required,
            SubjectCheck::roles_accepted,
            SubjectCheck::account_roles_required,
            SubjectCheck::account_roles_accepted,
            SubjectCheck::permissions_required,
            SubjectCheck::permissions_accepted,
        ];
        for check in checks {
            for names in [&[][..], &[""]] {
                let check = check(names);
                assert_eq!(check.decide(&user), Decision::Deny(DenyReason::NoMatch), "{check:?}");
            }
        }
    }
}

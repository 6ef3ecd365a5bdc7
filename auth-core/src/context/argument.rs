//! The types of arguments that receive contexts.

use std::{marker::PhantomData, ops::Deref};

use super::Contexts;
use crate::vocabulary::{Permission, PermissionMarker};

/// Loaded contexts, together with the proof that `P` was checked for this request's subject.
///
/// `T` is a context, a `Vec` of contexts or labelled groups of them. Only a guard makes one, and its content cannot be
/// exchanged, so a function that takes an
/// `Authorized<Sensor, Update>` cannot be called without the check.
///
/// ```
/// # struct Sensor { name: String }
/// use auth_core::{Authorized, permission::Update};
///
/// fn rename(sensor: Authorized<Sensor, Update>, name: String) -> Sensor {
///     Sensor { name, ..sensor.into_inner() }
/// }
/// ```
#[derive(Debug)]
pub struct Authorized<T, P: PermissionMarker> {
    context: T,
    permission: PhantomData<fn() -> P>,
}

impl<T, P: PermissionMarker> Authorized<T, P> {
    pub(crate) fn new(context: T) -> Self {
        Self { context, permission: PhantomData }
    }

    /// The context; the proof ends here.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.context
    }
}

// No `DerefMut`: with `std::mem::replace` it would put another row under the same proof.
impl<T, P: PermissionMarker> Deref for Authorized<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.context
    }
}

/// The type of an argument that receives contexts: the contexts themselves, or with the proof that they were checked.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a context",
    note = "a context implements `LoadContext` (how it is found by its id) and `AuthModel` (who may do what with it)",
    note = "a handler takes one, a `Vec` of them, or an `Authorized`"
)]
pub trait ContextArgument: Sized {
    type Loaded: Contexts;

    /// The permission that the argument proves.
    const PROVES: Option<Permission>;

    fn from_checked(loaded: Self::Loaded) -> Self;
}

impl<L: Contexts> ContextArgument for L {
    type Loaded = L;

    const PROVES: Option<Permission> = None;

    fn from_checked(loaded: L) -> Self {
        loaded
    }
}

#[diagnostic::do_not_recommend]
impl<L: Contexts, P: PermissionMarker> ContextArgument for Authorized<L, P> {
    type Loaded = L;

    const PROVES: Option<Permission> = Some(P::PERMISSION);

    fn from_checked(loaded: L) -> Self {
        Self::new(loaded)
    }
}

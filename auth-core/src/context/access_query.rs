//! Which code decides about a context: its own access-control list, which needs nothing else, or the database that knows
//! its parents.

use std::{any::type_name, borrow::Cow, future::Future, sync::Arc};

use super::Lender;
use crate::{
    acl::{AuthModel, check_access},
    vocabulary::{Decision, Permission, Subject, decide},
};

/// A type of contexts that guards can check.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access-control list",
    label = "who may do what with it?",
    note = "for a row of a table, derive `auth_core::AuthModel` with a policy: `#[acl(read = account(account_id))]`; else \
            implement it for `{Self}`: `fn acl(&self) -> impl Acl`"
)]
pub trait Context: Sized {
    /// Whether the database decides.
    const IN_DATABASE: bool;

    /// The name of the type in events.
    #[must_use]
    fn type_name() -> &'static str {
        type_name::<Self>()
    }

    /// The context's own decision, where it needs no database.
    fn decide(&self, subject: &dyn Subject, permission: Permission) -> Option<Decision>;

    /// Reads contexts anew that were loaded without the database's decision: returns each row as it is now, in their order, with
    /// the decision of the statement that read it. A row may have changed since it was loaded, so a guard hands over these.
    fn reload<L: Lender>(
        contexts: &[&Self],
        query: &AccessQuery,
        lender: &L,
    ) -> impl Future<Output = Result<Vec<(Self, Granted)>, L::Error>>;
}

impl<C: AuthModel> Context for C {
    const IN_DATABASE: bool = false;

    fn decide(&self, subject: &dyn Subject, permission: Permission) -> Option<Decision> {
        Some(check_access(subject, self, permission))
    }

    async fn reload<L: Lender>(
        _: &[&Self],
        _: &AccessQuery,
        _: &L,
    ) -> Result<Vec<(Self, Granted)>, L::Error> {
        Ok(Vec::new())
    }
}

/// A query of a database about contexts: does the subject have these permissions?
#[doc(hidden)]
#[derive(Clone)]
pub struct AccessQuery {
    pub(crate) subject: Arc<dyn Subject>,
    pub(crate) permissions: Cow<'static, [Permission]>,
    /// Whether the columns that the subject may read are queried as well.
    #[cfg(feature = "diesel")]
    pub(crate) masks: bool,
}

impl AccessQuery {
    pub(crate) fn new(subject: Arc<dyn Subject>, permissions: Cow<'static, [Permission]>) -> Self {
        Self {
            subject,
            permissions,
            #[cfg(feature = "diesel")]
            masks: false,
        }
    }

    /// This query, of more permissions, and of the columns that the subject may read.
    #[cfg(feature = "diesel")]
    pub(crate) fn with_masks(&self, permissions: &[Permission]) -> Self {
        let permissions = [&*self.permissions, permissions].concat().into();
        Self { subject: Arc::clone(&self.subject), permissions, masks: true }
    }

    /// The decision about a permission. A permission that the query does not name is denied.
    pub(crate) fn decide(&self, granted: Granted, permission: Permission) -> Decision {
        let index = self.permissions.iter().position(|queried| *queried == permission);
        decide(&*self.subject, permission, || index.is_some_and(|index| granted.holds(index)))
    }
}

/// A context, and the bits that the database grants on it, if it decides.
#[doc(hidden)]
pub type Loaded<C> = (C, Option<Granted>);

/// Several contexts, with their ids.
#[doc(hidden)]
pub type AllLoaded<Id, C> = Vec<(Id, Loaded<C>)>;

/// The permissions that a statement grants on a row: a bit for each one of its query.
///
/// [`Scoped::granted`](crate::Scoped::granted) selects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted(pub(crate) i32);

impl Granted {
    /// The most permissions of one query: as many bits as an `INTEGER` has that is not negative.
    pub(crate) const MOST: usize = 31;

    pub(crate) fn bit(index: usize) -> i32 {
        if index < Self::MOST { 1 << index } else { 0 }
    }

    /// Whether the permission at this place of the query is granted, counted from 0.
    #[must_use]
    pub fn holds(self, index: usize) -> bool {
        self.0 & Self::bit(index) != 0
    }

    /// Of the permissions of the query, in its order, those that are granted.
    pub fn of(self, permissions: &[Permission]) -> impl Iterator<Item = Permission> {
        let places = permissions.iter().enumerate();
        places.filter(move |(index, _)| self.holds(*index)).map(|(_, permission)| *permission)
    }

    /// The permissions that are granted behind the first ones of the query.
    #[cfg(feature = "diesel")]
    pub(crate) fn behind(self, count: usize) -> Self {
        Self(if count < Self::MOST { self.0 >> count } else { 0 })
    }
}

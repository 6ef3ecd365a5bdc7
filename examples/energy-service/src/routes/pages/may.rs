//! The permissions of a user on a row, for the buttons of its page.

use auth_core::{Granted, GrantedBits, Permission, Scoped};

use crate::auth::LoggedIn;

/// The answers of a row's policy at the moment. The guard behind a button decides anew.
#[derive(Clone, Copy)]
pub(super) struct May {
    pub(super) create_children: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

impl May {
    /// The column to select of a row: all in one statement.
    pub(super) fn asked<M: Scoped>(user: &LoggedIn) -> GrantedBits<M> {
        M::granted(user, &[Permission::CREATE_CHILDREN, Permission::UPDATE, Permission::DELETE])
    }

    pub(super) fn of(granted: Granted) -> Self {
        Self { create_children: granted.holds(0), update: granted.holds(1), delete: granted.holds(2) }
    }
}

//! The permissions of a user on a row, for the buttons of its page.

use auth_core::{IsTrue, Permission, Scoped};

use crate::auth::LoggedIn;

/// The answers of a row's policy at the moment. The guard behind a button decides anew.
#[derive(Clone, Copy)]
pub(super) struct May {
    pub(super) create_children: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

impl May {
    /// The columns to select of a row: all in one statement.
    pub(super) fn asked<M: Scoped>(user: &LoggedIn) -> (IsTrue<M>, IsTrue<M>, IsTrue<M>) {
        (
            M::scope(user, Permission::CREATE_CHILDREN).is_true(),
            M::scope(user, Permission::UPDATE).is_true(),
            M::scope(user, Permission::DELETE).is_true(),
        )
    }

    pub(super) fn of((create_children, update, delete): (bool, bool, bool)) -> Self {
        Self { create_children, update, delete }
    }
}

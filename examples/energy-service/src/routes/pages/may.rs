//! What somebody may do with a row, for the buttons of its page.

use auth_core::{Permission, Scope, Scoped};

use crate::auth::LoggedIn;

/// The answers of a row's policy, as they are at the moment. Whoever presses a button is asked again.
#[derive(Clone, Copy)]
pub(super) struct May {
    pub(super) create_children: bool,
    pub(super) update: bool,
    pub(super) delete: bool,
}

/// True, false, or null, which counts as false.
type Answer = Option<bool>;

impl May {
    /// What to select of a row: all in one statement.
    pub(super) fn asked<M: Scoped>(user: &LoggedIn) -> (Scope<M>, Scope<M>, Scope<M>) {
        (
            M::scope(user, Permission::CREATE_CHILDREN),
            M::scope(user, Permission::UPDATE),
            M::scope(user, Permission::DELETE),
        )
    }

    pub(super) fn of((create_children, update, delete): (Answer, Answer, Answer)) -> Self {
        Self {
            create_children: create_children.unwrap_or_default(),
            update: update.unwrap_or_default(),
            delete: delete.unwrap_or_default(),
        }
    }
}

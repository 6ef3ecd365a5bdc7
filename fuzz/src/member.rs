//! The user who may be logged in.

use auth_core::{AdminRoles, IdRef, Subject};

/// Has this id, and no account and no roles.
pub(crate) struct Member(pub(crate) String);

impl Subject for Member {
    fn id(&self) -> IdRef<'_> {
        (&self.0).into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        None
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

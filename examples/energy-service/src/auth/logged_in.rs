//! The subject: the user who asks, found by the token that the request carries.

use auth_core::{
    AdminRoles, IdRef, LoadError, Subject,
    mechanism::{FindByToken, TokenHash},
};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl};

use crate::{
    database::Connection,
    schema::{account_roles, accounts_account_roles, auth_tokens, roles, users, users_roles},
};

/// The user who is logged in, with all that a guard may ask about.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The user.
    pub id: i32,
    /// The account that the user belongs to.
    pub account_id: i32,
    /// The names of the user's roles.
    pub roles: Vec<String>,
    /// The names of the account's roles.
    pub account_roles: Vec<String>,
}

impl Subject for LoggedIn {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        Some(self.account_id.into())
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }

    fn account_has_role(&self, role: &str) -> bool {
        self.account_roles.iter().any(|held| held == role)
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::flexmeasures()
    }
}

/// One statement for each request, and so one moment: nobody is found with the roles of before and the account of
/// after a change.
impl FindByToken for LoggedIn {
    type Connection = Connection;

    fn find_by_token(token: &TokenHash, connection: &mut Connection) -> Result<Self, LoadError> {
        let of_user = users_roles::table.inner_join(roles::table);
        let of_account = accounts_account_roles::table.inner_join(account_roles::table);
        // Each role of the user with each of the account: those are few.
        let held: Vec<(i32, i32, Option<String>, Option<String>)> = auth_tokens::table
            .inner_join(users::table)
            .left_join(of_user.on(users_roles::user_id.eq(users::id)))
            .left_join(of_account.on(accounts_account_roles::account_id.eq(users::account_id)))
            .filter(auth_tokens::token_hash.eq(token.as_bytes().as_slice()))
            // A user who was deactivated is logged out at once, whatever tokens there are.
            .filter(users::active)
            .select((users::id, users::account_id, roles::name.nullable(), account_roles::name.nullable()))
            .load(connection)?;

        let &(id, account_id, ..) = held.first().ok_or(LoadError::NotFound)?;
        let mut subject = Self { id, account_id, roles: Vec::new(), account_roles: Vec::new() };
        for (_, _, role, account_role) in held {
            for (name, names) in [(role, &mut subject.roles), (account_role, &mut subject.account_roles)] {
                names.extend(name.filter(|name| !names.contains(name)));
            }
        }
        Ok(subject)
    }
}

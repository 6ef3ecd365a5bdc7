//! The subject: the user who asks, found by the token that the request carries.

use auth_core::{
    AdminRoles, IdRef, LoadError, Subject,
    mechanism::{FindByToken, TokenHash},
};
use diesel::{
    CombineDsl, ExpressionMethods, IntoSql, QueryDsl, RunQueryDsl, SqliteConnection, sql_types::Bool,
};

use crate::schema::{account_roles, accounts_account_roles, auth_tokens, roles, users, users_roles};

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

/// Two statements for each request, however many roles there are.
impl FindByToken for LoggedIn {
    type Connection = SqliteConnection;

    fn find_by_token(token: &TokenHash, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let (id, account_id) = auth_tokens::table
            .inner_join(users::table)
            .filter(auth_tokens::token_hash.eq(token.as_bytes().as_slice()))
            // A user who was deactivated is logged out at once, whatever tokens there are.
            .filter(users::active)
            .select((users::id, users::account_id))
            .first(connection)?;

        let of_user = users_roles::table
            .inner_join(roles::table)
            .filter(users_roles::user_id.eq(id))
            .select((false.into_sql::<Bool>(), roles::name));
        let of_account = accounts_account_roles::table
            .inner_join(account_roles::table)
            .filter(accounts_account_roles::account_id.eq(account_id))
            .select((true.into_sql::<Bool>(), account_roles::name));
        let held: Vec<(bool, String)> = of_user.union_all(of_account).load(connection)?;

        let mut subject = Self { id, account_id, roles: Vec::new(), account_roles: Vec::new() };
        for (by_account, name) in held {
            if by_account { &mut subject.account_roles } else { &mut subject.roles }.push(name);
        }
        Ok(subject)
    }
}

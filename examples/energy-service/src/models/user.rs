//! Users, as those see them who may; the one who asks is [`LoggedIn`](crate::auth::LoggedIn).

use auth_core::{Acl, AuthModel, LoadContext, LoadError, Permission, account, allow, role, user};
use diesel::{
    ExpressionMethods, Identifiable, QueryDsl, Queryable, RunQueryDsl, Selectable, SelectableHelper,
};
use serde::Serialize;

use super::consultant_of;
use crate::{
    auth::ACCOUNT_ADMIN,
    database::{Backend, Connection},
    schema::{accounts, users},
};

/// What is shown of a user.
#[derive(Clone, Debug, Identifiable, Queryable, Selectable, Serialize)]
#[diesel(table_name = users, check_for_backend(Backend))]
pub struct UserRow {
    /// The key.
    pub id: i32,
    /// The account that the user belongs to.
    pub account_id: i32,
    /// What the user logs in with.
    pub email: String,
    /// What people call the user.
    pub username: String,
    /// Whether the user may log in.
    pub active: bool,
}

/// A user, with what the access-control list needs of the account.
#[derive(Clone, Debug)]
pub struct User {
    /// The row.
    pub row: UserRow,
    /// The consultancy of the user's account.
    pub consultancy_account_id: Option<i32>,
}

impl LoadContext for User {
    type Id = i32;
    type Connection = Connection;

    fn load(id: i32, connection: &mut Connection) -> Result<Self, LoadError> {
        let (row, consultancy_account_id) = users::table
            .inner_join(accounts::table)
            .filter(users::id.eq(id))
            .select((UserRow::as_select(), accounts::consultancy_account_id))
            .first(connection)?;
        Ok(Self { row, consultancy_account_id })
    }
}

/// Colleagues see each other; what is in a user's profile is changed by the user or who runs the account.
impl AuthModel for User {
    fn acl(&self) -> impl Acl {
        let consultants = || consultant_of(self.consultancy_account_id);
        allow(Permission::READ, user(self.row.id) | account(self.row.account_id) | consultants()).allow(
            Permission::UPDATE,
            user(self.row.id) | account(self.row.account_id) & role(ACCOUNT_ADMIN) | consultants(),
        )
    }
}

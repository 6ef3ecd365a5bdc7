//! Users, as those see them who may; the one who asks is [`LoggedIn`](crate::auth::LoggedIn).

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::{
    auth::{ACCOUNT_ADMIN, CONSULT},
    database::{Backend, Connection},
    schema::users,
};

/// What is shown of a user.
///
/// Colleagues see each other; what is in a user's profile is changed by the user or who runs the account.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = users, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(account: Account, account_id))]
#[acl(
    read = user(id) | account(account_id) | account.CONSULT,
    update = user(id) | account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT,
)]
pub struct User {
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

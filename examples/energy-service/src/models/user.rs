//! Users, as other users may see them; the caller is a [`LoggedIn`](crate::auth::LoggedIn).

use auth_core::{AuthModel, LoadContext};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::{
    auth::{ACCOUNT_ADMIN, ACTIVATE, CONSULT},
    database::{Backend, Connection},
    schema::users,
};

/// The visible part of a user.
///
/// Colleagues see each other; the user, the account's admins and its consultants change the user's profile, and the latter two say
/// whether the user is active.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = users, check_for_backend(Backend))]
#[auth(connection = Connection, belongs_to(account: Account, account_id))]
#[acl(
    read = user(id) | account(account_id) | account.CONSULT,
    update = user(id) | account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT,
    ACTIVATE = account(account_id) & role(ACCOUNT_ADMIN) | account.CONSULT,
    update(active) = ACTIVATE,
)]
pub struct User {
    /// The key.
    pub id: i32,
    /// The account that the user belongs to.
    pub account_id: i32,
    /// The email address for the log-in.
    pub email: String,
    /// The name for people.
    pub username: String,
    /// Whether the user may log in.
    pub active: bool,
}

//! Accounts, the tenants of the service: companies, households, consultancies.

use auth_core::{Acl, AuthModel, LoadContext, Permission, account, allow, nobody, role};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;

use super::consultant_of;
use crate::{
    auth::ACCOUNT_ADMIN,
    database::{Backend, Connection},
    schema::accounts,
};

/// An account. Its row is all that its list needs, so its loader is derived.
#[derive(Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize)]
#[diesel(table_name = accounts, check_for_backend(Backend))]
#[auth(connection = Connection)]
pub struct Account {
    /// The key.
    pub id: i32,
    /// What people call it.
    pub name: String,
    /// The account whose consultants look after this one.
    pub consultancy_account_id: Option<i32>,
}

/// What is created in an account is a user or an asset; only admins delete accounts.
impl AuthModel for Account {
    fn acl(&self) -> impl Acl {
        let consultants = || consultant_of(self.consultancy_account_id);
        allow(Permission::READ, account(self.id) | consultants())
            .allow(Permission::UPDATE, account(self.id) | consultants())
            .allow(Permission::CREATE_CHILDREN, account(self.id) & role(ACCOUNT_ADMIN) | consultants())
    }
}

/// What belongs to no account, such as public assets. It has no row; handlers check it by
/// [`check_access`](auth_core::check_access).
#[derive(Clone, Copy, Debug)]
pub struct Platform;

/// Only admins, whom no list needs to name.
impl AuthModel for Platform {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, nobody())
    }
}

//! Accounts, the tenants of the service: companies, households, consultancies.

use auth_core::{
    Acl, AuthModel, LoadContext, LoadError, NoConnection, Permission, account_role, allow, nobody, role,
};
use diesel::{Identifiable, Queryable, Selectable};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{ACCOUNT_ADMIN, ASSIGN_CONSULTANTS, CONSULT, CONSULTANCY, CONSULTANT},
    database::{Backend, Connection},
    schema::{accounts, assigned_consultants},
};

/// An account. Its children are users and assets; only admins delete it.
///
/// A consultancy is not passed on: the consultancy of an account's consultancy has nothing to do with the account. All
/// consultants of the consultancy look after the account, unless it is for those alone who are assigned to it. Only admins change
/// the consultancy, and an account stays, or begins, with those who may change it.
#[derive(AuthModel, Clone, Debug, Identifiable, LoadContext, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = accounts, check_for_backend(Backend))]
#[auth(connection = Connection, has_many(consultants: AssignedConsultant, account_id))]
#[acl(
    read = account(id) | CONSULT,
    update = account(id) | CONSULT,
    create_children = account(id) & role(ACCOUNT_ADMIN) | CONSULT,
    CONSULT = account(consultancy_account_id)
        & role(CONSULTANT)
        & (is(assigned_consultants_only, false) | any(consultants: user(user_id))),
    ASSIGN_CONSULTANTS = account(consultancy_account_id) & role(ACCOUNT_ADMIN),
    update(consultancy_account_id) = nobody,
    becomes = update,
)]
pub struct Account {
    /// The key.
    pub id: i32,
    /// The name for people.
    pub name: String,
    /// The account whose consultants look after this one.
    pub consultancy_account_id: Option<i32>,
}

/// A user who is assigned to an account as its consultant. This gives access as long as the user is a consultant of the
/// account's consultancy.
#[derive(AuthModel, Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = assigned_consultants, primary_key(account_id, user_id), check_for_backend(Backend))]
#[auth(connection = Connection)]
#[acl()]
pub struct AssignedConsultant {
    /// The account.
    pub account_id: i32,
    /// The consultant.
    pub user_id: i32,
}

/// The service as a whole, whose children are the accounts. It has no row.
#[derive(Clone, Copy, Debug)]
pub struct Platform;

/// There is one platform, so no request names it.
impl LoadContext for Platform {
    type Id = ();
    type Connection = NoConnection;

    fn load((): (), _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

/// Consultants of consultancies create accounts, which become clients of their own account. Admins need no
/// list to name them.
impl AuthModel for Platform {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, role(CONSULTANT) & account_role(CONSULTANCY))
    }
}

/// The assets that belong to no account. Handlers check them by [`check_access`](auth_core::check_access).
#[derive(Clone, Copy, Debug)]
pub struct PublicAssets;

/// Only admins, which no list needs to name.
impl AuthModel for PublicAssets {
    fn acl(&self) -> impl Acl {
        allow(Permission::CREATE_CHILDREN, nobody())
    }
}

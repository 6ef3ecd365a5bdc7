#![allow(unused)]

use auth_core::{
    account_roles_accepted, account_roles_required, permissions_accepted, permissions_required, roles_accepted,
    roles_required,
};

#[roles_required]
async fn all_roles() {}

#[roles_required()]
async fn all_of_an_empty_list() {}

#[roles_required("chef", "")]
async fn all_with_an_empty_one() {}

#[roles_accepted]
async fn one_role() {}

#[roles_accepted()]
async fn one_of_an_empty_list() {}

#[roles_accepted("chef", "")]
async fn one_with_an_empty_one() {}

#[account_roles_required]
async fn all_account_roles() {}

#[account_roles_required()]
async fn all_of_an_empty_account_list() {}

#[account_roles_required("chef", "")]
async fn all_with_an_empty_account_role() {}

#[account_roles_accepted]
async fn one_account_role() {}

#[account_roles_accepted()]
async fn one_of_an_empty_account_list() {}

#[account_roles_accepted("chef", "")]
async fn one_with_an_empty_account_role() {}

#[permissions_required]
async fn all_permissions() {}

#[permissions_required("")]
async fn all_with_an_empty_permission() {}

#[permissions_accepted]
async fn one_permission() {}

#[permissions_accepted("")]
async fn one_with_an_empty_permission() {}

fn main() {}

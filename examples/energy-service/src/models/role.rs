//! The roles of accounts and users, by name.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::{
    database::Connection,
    schema::{account_roles, accounts_account_roles, roles, users_roles},
};

/// Adds the roles of accounts that are missing.
pub(crate) fn add_account_roles(names: &[&str], connection: &mut Connection) -> QueryResult<()> {
    let known: Vec<String> = account_roles::table.select(account_roles::name).load(connection)?;
    for name in names.iter().filter(|name| known.iter().all(|known| known != *name)) {
        diesel::insert_into(account_roles::table).values(account_roles::name.eq(name)).execute(connection)?;
    }
    Ok(())
}

/// Gives an account a role that exists.
pub(crate) fn give_account_role(account: i32, name: &str, connection: &mut Connection) -> QueryResult<()> {
    let role: i32 = account_roles::table
        .filter(account_roles::name.eq(name))
        .select(account_roles::id)
        .first(connection)?;
    diesel::insert_into(accounts_account_roles::table)
        .values((
            accounts_account_roles::account_id.eq(account),
            accounts_account_roles::account_role_id.eq(role),
        ))
        .execute(connection)?;
    Ok(())
}

/// Adds the roles of users that are missing.
pub(crate) fn add_roles(names: &[&str], connection: &mut Connection) -> QueryResult<()> {
    let known: Vec<String> = roles::table.select(roles::name).load(connection)?;
    for name in names.iter().filter(|name| known.iter().all(|known| known != *name)) {
        diesel::insert_into(roles::table).values(roles::name.eq(name)).execute(connection)?;
    }
    Ok(())
}

/// Gives a user a role that exists.
pub(crate) fn give_role(user: i32, name: &str, connection: &mut Connection) -> QueryResult<()> {
    let role: i32 = roles::table.filter(roles::name.eq(name)).select(roles::id).first(connection)?;
    diesel::insert_into(users_roles::table)
        .values((users_roles::user_id.eq(user), users_roles::role_id.eq(role)))
        .execute(connection)?;
    Ok(())
}

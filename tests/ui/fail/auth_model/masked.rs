use auth_core::{AuthChangeset, AuthModel, Permission, Scoped, Stored, User};
use auth_ui::{accounts, users};
use diesel::{prelude::*, sqlite::Sqlite};

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(read = account(id), read(name) = user(owner_id))]
struct Account {
    id: i32,
    owner_id: i32,
    name: String,
}

fn list(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Account>> {
    let rows = Account::accessible_by(user, Permission::READ);
    rows.filter(accounts::name.eq("mill")).load(connection)
}

fn sorted(user: &User, connection: &mut SqliteConnection) -> QueryResult<Vec<Account>> {
    let rows = Account::accessible_by(user, Permission::READ);
    rows.order(accounts::name.asc()).load(connection)
}

struct ByHand;

#[derive(AuthChangeset)]
#[diesel(table_name = users)]
struct OfUsers {
    account_id: i32,
}

fn change(user: &User, connection: &mut SqliteConnection) {
    let _ = Account::change(connection, user, 1, &ByHand);
    let _ = Account::change(connection, user, 1, &OfUsers { account_id: 3 });
}

fn main() {}

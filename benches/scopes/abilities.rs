//! What a page costs more that says what its reader may do with each row, and a change under the condition of a policy beside
//! the same statement by hand.

use std::hint::black_box;

use auth_benches::Error;
use auth_core::{AuthChangeset, AuthModel, Granted, Permission, Scoped, Stored, User};
use diesel::prelude::*;

use super::{
    Connection, Database,
    lists::{accounts, assets},
    measured::{in_turn, row},
};

const CONSULT: Permission = Permission::new("consult");

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(CONSULT = account(consultancy_account_id) & role("consultant"))]
struct Account {
    id: i32,
    consultancy_account_id: Option<i32>,
}

#[expect(dead_code, reason = "only the database asks")]
#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = assets, check_for_backend(Database))]
#[auth(connection = Connection, row_lock = Transaction, belongs_to(account: Account, account_id))]
#[acl(
    create_children = account(account_id) | account.CONSULT,
    read = account(account_id) | is_null(account_id) | account.CONSULT,
    update = account(account_id) | account.CONSULT,
    delete = account(account_id) & role("account-admin") | account.CONSULT,
    update(account_id) = account(account_id) & role("account-admin"),
    becomes = account(account_id) | account.CONSULT,
)]
struct Asset {
    id: i32,
    account_id: Option<i32>,
}

#[derive(AuthChangeset)]
#[diesel(table_name = assets)]
struct Moved {
    account_id: Option<i32>,
}

const PAGE: i64 = 50;

const ASKED: [Permission; 4] =
    [Permission::CREATE_CHILDREN, Permission::READ, Permission::UPDATE, Permission::DELETE];

/// In the tables of the lists, of this many assets.
pub(crate) fn measure(database: &str, all: i32, connection: &mut Connection) -> Result<(), Error> {
    for (who, subject) in [
        ("member", User::new(1).with_account(17)),
        ("account-admin", User::new(1).with_account(17).with_roles(["account-admin"])),
        ("consultant", User::new(1).with_account(20).with_roles(["consultant"])),
    ] {
        let page = || Asset::accessible_by(&subject, Permission::READ).order(assets::id).limit(PAGE);
        let [ours, theirs] = in_turn(
            connection,
            all,
            |connection, _| {
                let can = Asset::granted(&subject, &ASKED);
                let rows = page().select((Asset::as_select(), can)).load::<(Asset, Granted)>(connection);
                assert_eq!(black_box(rows).map(|rows| rows.len()), Ok(50));
            },
            |connection, _| {
                let rows = page().load::<Asset>(connection);
                assert_eq!(black_box(rows).map(|rows| rows.len()), Ok(50));
            },
        );
        row(
            &format!("{database} | {all} | permissions of 50 rows, beside the plain page | {who}"),
            ours,
            theirs,
        );
    }
    let admin = User::new(1).with_account(17).with_roles(["account-admin"]);
    let own: Vec<i32> =
        assets::table.filter(assets::account_id.eq(17)).select(assets::id).load(connection)?;
    let id_of = |id: i32| own.get(usize::try_from(id).unwrap_or_default() % own.len()).copied().unwrap_or(1);
    let [ours, theirs] = in_turn(
        connection,
        all,
        |connection, id| {
            let changes = Moved { account_id: Some(17) };
            assert!(Asset::change(connection, &admin, id_of(id), &changes).is_ok());
        },
        |connection, id| {
            // With the same four conditions, of which one is about the new value.
            let own = assets::table.find(id_of(id)).filter(assets::account_id.eq(17));
            let hit = diesel::update(own).set(assets::account_id.eq(17)).execute(connection);
            assert_eq!(hit, Ok(1));
        },
    );
    row(
        &format!("{database} | {all} | a change of a column with a rule, with `becomes` | account-admin"),
        ours,
        theirs,
    );
    Ok(())
}

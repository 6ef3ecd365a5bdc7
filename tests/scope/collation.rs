//! A foreign key that takes texts for equal which the key does not: lists and single rows follow the key, as `SQLite`'s own
//! constraint does.

use auth_core::{AuthModel, Permission, Scoped, Stored, User};
use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};

diesel::table! {
    accounts (id) {
        id -> Text,
    }
}

diesel::table! {
    notes (id) {
        id -> Integer,
        account_id -> Text,
    }
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = accounts, check_for_backend(Sqlite))]
#[acl(read = account(id))]
struct Account {
    id: String,
}

#[derive(Debug, PartialEq, Queryable, Selectable, AuthModel)]
#[diesel(table_name = notes, check_for_backend(Sqlite))]
#[auth(belongs_to(account: Account, account_id))]
#[acl(read = account.read)]
struct Note {
    id: i32,
    account_id: String,
}

#[test]
fn lists_and_rows_follow_the_key() {
    let connection = &mut SqliteConnection::establish(":memory:").unwrap();
    connection
        .batch_execute(
            "CREATE TABLE accounts (id TEXT PRIMARY KEY NOT NULL);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, account_id TEXT NOT NULL COLLATE NOCASE);
             INSERT INTO accounts VALUES ('acme'), ('ACME');
             INSERT INTO notes VALUES (1, 'acme'), (2, 'ACME');",
        )
        .unwrap();
    let member = User::new(1).with_account("acme");
    let listed: Vec<Note> = Note::accessible_by(&member, Permission::READ).load(connection).unwrap();
    assert_eq!(listed, [Note { id: 1, account_id: "acme".to_owned() }]);
    for (id, allowed) in [(1, true), (2, false)] {
        let decision = Note::check_access(connection, &member, id, Permission::READ).unwrap();
        assert_eq!(decision.is_allowed(), allowed, "{id}");
    }
}

//! Texts that a database compares in its own way: a guard, a list, a condition, a decision and an explanation agree about
//! them.

use std::{collections::BTreeSet, fmt::Write as _};

use actix_web::rt::System;
use auth_core::{LoadContext, LoadError, Permission, Scoped as _, Stored as _};
use diesel::{connection::SimpleConnection as _, prelude::*};

use super::{
    Connection, DIALECT, SERVER,
    guarded::{Lent, Note, Text, guard, notes, texts},
};
use crate::{
    database,
    held::{KEYS, Literal, TEXT_SUBJECTS, text_types, user},
};

#[test]
fn texts_are_decided_about_alike_in_columns_of_every_type() {
    let mut allowed = 0;
    for (sql_type, affinity, owners) in text_types(DIALECT) {
        // One each: a statement that a connection has prepared knows the types of the tables that were there.
        let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
        let connection = Lent::of(connection);
        let (key_type, reference_type) = match sql_type {
            "INTEGER" | "" => ("TEXT", "TEXT"),
            sql_type => (sql_type, sql_type),
        };
        let mut created = format!(
            "CREATE TABLE texts (id {key_type} NOT NULL PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0, owner {sql_type});
             CREATE TABLE notes (id INTEGER PRIMARY KEY, text_id {reference_type} NOT NULL);"
        );
        for ((key, owner), id) in KEYS.iter().zip(owners).zip(1..) {
            write!(
                created,
                "INSERT INTO texts (id, owner) VALUES ('{key}', {});
                 INSERT INTO notes VALUES ({id}, '{key}');",
                owner.written(DIALECT)
            )
            .unwrap();
        }
        connection.with(|connection| connection.batch_execute(&created)).unwrap();
        for subject in TEXT_SUBJECTS {
            for (number, permission) in [Permission::READ, Permission::UPDATE].into_iter().enumerate() {
                let granted = |key: &str, owner: Literal| match number {
                    0 => affinity.text(owner) == Some(subject),
                    _ => key == subject,
                };
                let rows = || KEYS.iter().zip(owners);
                let expected: BTreeSet<&str> =
                    rows().filter(|(key, owner)| granted(key, **owner)).map(|(key, _)| *key).collect();
                allowed += expected.len();
                let about = format!("{permission} for {subject:?} with `{sql_type}`");
                let user = user(subject);
                let (listed, selected, children) = connection.with(|connection| {
                    let listed = Text::accessible_by(&user, permission).select(texts::id);
                    let listed: Vec<String> = listed.load(connection).unwrap();
                    let selected = texts::table.filter(Text::scope(&user, permission)).select(texts::id);
                    let selected: Vec<String> = selected.load(connection).unwrap();
                    let children = Note::accessible_by(&user, Permission::READ).select(notes::id);
                    let children: Vec<i32> = children.load(connection).unwrap();
                    (listed, selected, children)
                });
                let trimmed = |found: &[String]| -> BTreeSet<String> {
                    found.iter().map(|key| key.trim_end().to_owned()).collect()
                };
                let expected_keys: BTreeSet<String> = expected.iter().map(|key| (*key).to_owned()).collect();
                assert_eq!(trimmed(&listed), expected_keys, "list, {about}");
                assert_eq!(trimmed(&selected), expected_keys, "condition, {about}");
                let mut paths: Vec<String> =
                    rows().map(|(key, _)| format!("/texts/{number}/{key}")).collect();
                // As the database writes the key, which is padded with blanks in some columns.
                let padded: Vec<String> = connection.with(|connection| {
                    texts::table.select(texts::id).order(texts::id).load(connection).unwrap()
                });
                paths.extend(
                    padded.iter().map(|key| format!("/texts/{number}?id={}", key.replace(' ', "%20"))),
                );
                paths.extend((1..=rows().len()).map(|id| format!("/notes/{id}")));
                let answers = System::new().block_on(guard(&connection, subject, &paths));
                let status = |granted| if granted { 200 } else { 403 };
                for (index, (key, owner)) in rows().enumerate() {
                    let is_granted = granted(key, *owner);
                    let about = format!("{about}: {owner:?} of {key}");
                    assert_eq!(answers[index].0, status(is_granted), "guard, {about}");
                    // The key of a list's row is the requested id, to the letter: never so where it is filled up with
                    // blanks, which do not count where it is compared.
                    let in_list = if padded[index] == *key { status(is_granted) } else { 404 };
                    assert_eq!(answers[index + rows().len()].0, in_list, "guard of a list, {about}");
                    let decided = connection.with(|connection| {
                        let decision =
                            Text::check_access(connection, &user, (*key).to_owned(), permission).unwrap();
                        let explained =
                            Text::explain(connection, &user, (*key).to_owned(), permission).unwrap();
                        assert_eq!(explained.decision(), decision, "{about}: {explained}");
                        decision
                    });
                    assert_eq!(decided.is_allowed(), is_granted, "decision, {about}");
                    if number == 0 {
                        let id = i32::try_from(index + 1).unwrap();
                        assert_eq!(children.contains(&id), is_granted, "list of children, {about}");
                        let of_child = answers[index + 2 * rows().len()].0;
                        assert_eq!(of_child, status(is_granted), "guard of a child, {about}");
                    }
                }
            }
        }
    }
    assert!(allowed > 0);
}

/// Where `ABC` finds the row `abc`, the guard decides about that row and hands it over.
#[test]
fn the_row_that_a_text_finds_is_the_row_that_is_decided_about() {
    let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let sql_type = match DIALECT {
        database::Dialect::Sqlite => "TEXT COLLATE NOCASE",
        #[cfg(feature = "postgres")]
        database::Dialect::Postgres => "CHAR(20)",
        #[cfg(feature = "mysql")]
        database::Dialect::Mysql => "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    };
    let connection = Lent::of(connection);
    let created = format!(
        "CREATE TABLE texts (id {sql_type} NOT NULL PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0, owner TEXT);
         INSERT INTO texts (id, owner) VALUES ('abc', 'mia'), ('xyz', 'ben');"
    );
    connection.with(|connection| connection.batch_execute(&created)).unwrap();
    let paths = ["abc", "ABC", "XYZ", "abc%20", "nothing"].map(|id| format!("/texts/0/{id}"));
    let found = System::new().block_on(guard(&connection, "mia", &paths));
    let found: Vec<(u16, &str)> = found
        .iter()
        .map(|(status, body)| (*status, if *status == 200 { body.trim_end() } else { "" }))
        .collect();
    let expected = match DIALECT {
        database::Dialect::Sqlite => [(200, "abc"), (200, "abc"), (403, ""), (404, ""), (404, "")],
        #[cfg(feature = "postgres")]
        database::Dialect::Postgres => [(200, "abc"), (404, ""), (404, ""), (404, ""), (404, "")],
        #[cfg(feature = "mysql")]
        database::Dialect::Mysql => [(200, "abc"), (200, "abc"), (403, ""), (200, "abc"), (404, "")],
    };
    assert_eq!(found, expected);
    // A list finds its rows by their keys to the letter.
    let paths = ["id=abc", "id=ABC", "id=abc&id=ABC"].map(|ids| format!("/texts/0?{ids}"));
    let found = System::new().block_on(guard(&connection, "mia", &paths));
    let found: Vec<u16> = found.into_iter().map(|(status, _)| status).collect();
    let padded = DIALECT != database::Dialect::Sqlite && sql_type == "CHAR(20)";
    assert_eq!(found, if padded { [404, 404, 404] } else { [200, 404, 404] });
}

/// `PostgreSQL` stores no text with a NUL, and fails where one is compared.
#[test]
fn a_key_with_a_nul_names_nothing_before_a_database_is_asked() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    // There is no table, which a statement would notice.
    let nul = || "a\0b".to_owned();
    assert!(matches!(<Text as LoadContext>::load(nul(), &mut connection), Err(LoadError::NotFound)));
    assert!(matches!(
        Text::check_access(&mut connection, &user("mia"), nul(), Permission::READ),
        Err(LoadError::NotFound)
    ));
    connection
        .batch_execute(
            "CREATE TABLE texts (id VARCHAR(20) NOT NULL PRIMARY KEY, touched INTEGER, owner VARCHAR(20));
        INSERT INTO texts VALUES ('a', 1, 'mia')",
        )
        .unwrap();
    let connection = Lent::of(connection);
    let paths = ["/texts/0/a", "/texts/0/a%00b", "/texts/0/%00", "/texts/0?id=a%00b", "/texts/0?id=a&id=%00"];
    let answers = System::new().block_on(guard(&connection, "mia", &paths.map(str::to_owned)));
    assert_eq!(answers.into_iter().map(|(status, _)| status).collect::<Vec<_>>(), [200, 404, 404, 404, 404]);
    let found = connection.with(|connection| {
        auth_core::LoadContexts::load_all(&["a".to_owned(), nul()], connection)
            .map(|found: Vec<(String, Text)>| found.len())
    });
    assert_eq!(found.unwrap(), 1);
}

//! Stored values that a field cannot hold, and texts that a database compares in its own way: a guard, a list, a condition,
//! a decision, an explanation and a change agree about them.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    error::Error,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    App, Responder, get,
    rt::System,
    test::{TestRequest, call_service, init_service, read_body},
};
use auth_core::{
    AccessError, Acl, Auth, AuthModel, ConnectionSource, LoadContext, LoadError, Permission, Scoped as _,
    Stored as _, allow, permission_required_for_context, test::AlwaysAs, user as user_is,
};
use diesel::{connection::SimpleConnection as _, prelude::*};
use proptest::{
    prelude::{TestCaseError, prop_assert_eq},
    test_runner::{Config, TestRunner},
};

use super::{Connection, DIALECT, SERVER, in_transaction};
use crate::{
    database,
    held::{
        Affinity, KEYS, Literal, Numbers, SUBJECTS, Subject, TEXT_SUBJECTS, grants, loads, numbers,
        numbers_created, numbers_inserted, text_types, user,
    },
};

diesel::table! {
    numbers (id) {
        id -> Integer,
        touched -> Integer,
        small -> Nullable<SmallInt>,
        owner -> Integer,
        account -> Nullable<BigInt>,
        open -> Bool,
        shared -> Nullable<Bool>,
    }
}

diesel::table! {
    texts (id) {
        id -> Text,
        touched -> Integer,
        owner -> Nullable<Text>,
    }
}

diesel::table! {
    notes (id) {
        id -> Integer,
        text_id -> Text,
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = numbers)]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(
    read = user(owner),
    update = account(small) | user(account),
    delete = open,
    create_children = shared & (user(owner) | account(account)),
)]
pub(super) struct Number {
    id: i32,
    small: Option<i16>,
    owner: i32,
    account: Option<i64>,
    open: bool,
    shared: Option<bool>,
}

/// The list by hand.
#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = numbers)]
#[auth(connection = Connection)]
struct ByHand {
    id: i32,
    owner: i32,
    open: bool,
}

impl AuthModel for ByHand {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, self.open.then(|| user_is(self.owner)) | user_is(self.owner))
    }
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = texts)]
#[auth(connection = Connection, row_lock = Transaction)]
#[acl(read = user(owner), update = account(id))]
struct Text {
    id: String,
    owner: Option<String>,
}

#[derive(Queryable, Selectable, LoadContext, AuthModel)]
#[diesel(table_name = notes)]
#[auth(connection = Connection, row_lock = Transaction, belongs_to(text: Text, text_id))]
#[acl(read = text.read | account(text_id) & role("never"))]
#[expect(dead_code, reason = "policies ask the database about it")]
struct Note {
    id: i32,
    text_id: String,
}

macro_rules! guarded {
    ($($permission:literal $model:ident $one:ident $path:literal $several:ident $paths:literal;)*) => {$(
        #[permission_required_for_context($permission, ctx_arg = "row", id = "id")]
        #[get($path)]
        async fn $one(row: $model) -> impl Responder {
            row.id.to_string()
        }

        #[permission_required_for_context($permission, ctx_arg = "rows", id = query("id"))]
        #[get($paths)]
        async fn $several(rows: Vec<$model>) -> impl Responder {
            rows.len().to_string()
        }
    )*};
}

guarded! {
    "read" Number read_one "/0/{id}" read_all "/0";
    "update" Number update_one "/1/{id}" update_all "/1";
    "delete" Number delete_one "/2/{id}" delete_all "/2";
    "create-children" Number create_one "/3/{id}" create_all "/3";
    "read" ByHand read_by_hand "/by-hand/{id}" read_all_by_hand "/by-hand";
    "read" Text read_text "/texts/0/{id}" read_texts "/texts/0";
    "update" Text update_text "/texts/1/{id}" update_texts "/texts/1";
    "read" Note read_note "/notes/{id}" read_notes "/notes";
}

const PERMISSIONS: [Permission; 4] =
    [Permission::READ, Permission::UPDATE, Permission::DELETE, Permission::CREATE_CHILDREN];

/// One connection for guards and for the decisions with which they are compared.
#[derive(Clone)]
pub(super) struct Lent(Arc<Mutex<Connection>>);

impl Lent {
    pub(super) fn of(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Connection) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConnectionSource for Lent {
    type Connection = Connection;

    fn lend(&self, work: &mut dyn FnMut(&mut Connection)) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.with(work);
        Ok(())
    }
}

/// The status and the body of each request.
pub(super) async fn guard(connection: &Lent, subject: Subject, paths: &[String]) -> Vec<(u16, String)> {
    let auth =
        Auth::builder().mechanism(AlwaysAs(user(subject))).connections(connection.clone()).build().unwrap();
    let app = App::new().app_data(auth).service(read_one).service(read_all).service(update_one);
    let app = app.service(update_all).service(delete_one).service(delete_all).service(create_one);
    let app = app.service(create_all).service(read_by_hand).service(read_all_by_hand).service(read_text);
    let app = app.service(read_texts).service(update_text).service(update_texts).service(read_note);
    let app = init_service(app.service(read_notes)).await;
    let mut found = Vec::new();
    for path in paths {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        let status = response.status().as_u16();
        found.push((status, String::from_utf8(read_body(response).await.to_vec()).unwrap()));
    }
    found
}

#[test]
fn a_value_that_a_field_cannot_hold_is_decided_alike_everywhere() {
    let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let connection = Lent::of(connection);
    let counts = RefCell::new((0, 0));
    let config = Config { failure_persistence: None, ..Config::default() };
    let config = Config { cases: config.cases.div_ceil(4), ..config };
    let subjects = proptest::sample::subsequence(&SUBJECTS[..], 2);
    let result =
        TestRunner::new(config).run(&(numbers(DIALECT), subjects), |((affinity, rows), subjects)| {
            let created = numbers_created(DIALECT, affinity) + &numbers_inserted(DIALECT, &rows);
            connection.with(|connection| connection.batch_execute(&created)).map_err(failed)?;
            for subject in subjects {
                compare(&connection, affinity, &rows, subject, &mut counts.borrow_mut())?;
            }
            Ok(())
        });
    let (allowed, denied) = counts.into_inner();
    println!("{DIALECT:?}, values: {allowed} allowed, {denied} denied");
    result.unwrap();
    assert!(allowed > 0 && denied > 0, "{allowed} allowed, {denied} denied");
}

fn compare(
    connection: &Lent,
    affinity: Affinity,
    rows: &[Numbers],
    subject: Subject,
    counts: &mut (usize, usize),
) -> Result<(), TestCaseError> {
    let user = user(subject);
    for (number, permission) in PERMISSIONS.into_iter().enumerate() {
        let about = || format!("{permission} for {subject:?} with {affinity:?}");
        let granted = |row: &Numbers| grants(affinity, row, subject, number);
        let expected: BTreeSet<i32> =
            (1..).zip(rows).filter(|(_, row)| granted(row)).map(|(id, _)| id).collect();
        counts.0 += expected.len();
        counts.1 += rows.len() - expected.len();
        let (listed, selected, updated) = connection.with(|connection| {
            let listed = Number::accessible_by(&user, permission).select(numbers::id).load(connection);
            let selected = numbers::table.filter(Number::scope(&user, permission));
            let selected = selected.select(numbers::id).load(connection);
            let updated = diesel::update(numbers::table)
                .filter(Number::scope(&user, permission))
                .set(numbers::touched.eq(numbers::touched + 1))
                .execute(connection);
            (listed, selected, updated)
        });
        let ids = |found: QueryResult<Vec<i32>>| -> Result<BTreeSet<i32>, TestCaseError> {
            Ok(found.map_err(failed)?.into_iter().collect())
        };
        prop_assert_eq!(&ids(listed)?, &expected, "list, {}", about());
        prop_assert_eq!(&ids(selected)?, &expected, "condition, {}", about());
        prop_assert_eq!(updated.map_err(failed)?, expected.len(), "change, {}", about());

        let one = |(id, _): (i32, &Numbers)| format!("/{number}/{id}");
        let mut paths: Vec<String> = (1..).zip(rows).map(one).collect();
        paths.extend((1..=rows.len()).map(|id| format!("/{number}?id={id}")));
        let all: Vec<String> = (1..=rows.len()).map(|id| format!("id={id}")).collect();
        paths.push(format!("/{number}?{}", all.join("&")));
        let answers = System::new().block_on(guard(connection, subject, &paths));
        for (index, (id, row)) in (1..).zip(rows).enumerate() {
            let granted = expected.contains(&id);
            // As a field that is not null, a null cannot be loaded.
            let status = match (loads(row), granted) {
                (false, _) => 503,
                (true, true) => 200,
                (true, false) => 403,
            };
            prop_assert_eq!(answers[index].0, status, "guard of {:?}, {}", row, about());
            prop_assert_eq!(answers[index + rows.len()].0, status, "guard of a list, {:?}, {}", row, about());
            let (decided, explained, authorized) = connection.with(|connection| {
                let decided = Number::check_access(connection, &user, id, permission);
                let explained = Number::explain(connection, &user, id, permission);
                let mut authorized = None;
                in_transaction(connection, |connection| {
                    authorized = Some(Number::authorize_for_update(connection, &user, id, permission));
                });
                (decided, explained, authorized.unwrap())
            });
            if !loads(row) {
                prop_assert_eq!(decided.is_err() && explained.is_err() && authorized.is_err(), true);
                continue;
            }
            prop_assert_eq!(
                decided.map_err(failed)?.is_allowed(),
                granted,
                "decision, {:?}, {}",
                row,
                about()
            );
            let explained = explained.map_err(failed)?;
            prop_assert_eq!(explained.decision().is_allowed(), granted, "{}, {:?}", explained, row);
            match authorized {
                Ok(_) => prop_assert_eq!(true, granted, "for a change, {:?}, {}", row, about()),
                Err(AccessError::Denied(_)) => prop_assert_eq!(false, granted, "{:?}, {}", row, about()),
                Err(error) => return Err(failed(error)),
            }
            // Code that has the row alone never decides about a value that is not there.
            if let Ok(row) = connection.with(|connection| <Number as LoadContext>::load(id, connection)) {
                let decision = auth_core::check_access(&user, &row, permission);
                prop_assert_eq!(decision.is_allowed(), granted, "in memory, {}", about());
            }
        }
        let all = if !rows.iter().all(loads) {
            503
        } else if expected.len() == rows.len() {
            200
        } else {
            403
        };
        prop_assert_eq!(answers[2 * rows.len()].0, all, "guard of all, {}", about());
    }
    Ok(())
}

/// Here code of the application decides, which sees no more than the row.
#[test]
fn a_row_for_a_list_by_hand_is_refused_where_it_is_not_what_is_stored() {
    let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let connection = Lent::of(connection);
    let plain = Literal::Integer(2);
    let closed =
        if DIALECT == database::Dialect::Sqlite { Literal::Integer(0) } else { Literal::Bool(false) };
    let mut rows = vec![([plain, plain, plain, closed, closed], 200)];
    // A column holds a number below zero like any other: these rows are loaded, and belong to another user.
    for value in [-1, -2, i64::from(i32::MIN)] {
        rows.push(([plain, Literal::Integer(value), plain, closed, closed], 403));
    }
    if DIALECT == database::Dialect::Sqlite {
        for value in [
            Literal::Integer(4_294_967_298),
            Literal::Integer(-4_294_967_294),
            Literal::Text("-2abc"),
            Literal::Real(-2.9),
            Literal::Text("2abc"),
            Literal::Real(2.9),
            Literal::Blob("2"),
            Literal::Null,
        ] {
            rows.push(([plain, value, plain, closed, closed], 503));
        }
        for value in [Literal::Integer(4_294_967_297), Literal::Real(1.5), Literal::Text("1abc")] {
            rows.push(([plain, plain, plain, value, closed], 503));
        }
        // Of another column than those of the row.
        rows.push(([Literal::Text("2abc"), plain, plain, closed, closed], 200));
    }
    let stored: Vec<Numbers> = rows.iter().map(|(row, _)| *row).collect();
    let created = numbers_created(DIALECT, Affinity::Number) + &numbers_inserted(DIALECT, &stored);
    connection.with(|connection| connection.batch_execute(&created)).unwrap();
    let ids = 1..=rows.len();
    let paths: Vec<String> = ids
        .clone()
        .map(|id| format!("/by-hand/{id}"))
        .chain(ids.map(|id| format!("/by-hand?id={id}")))
        .collect();
    let answers = System::new().block_on(guard(&connection, "2", &paths));
    for (index, (row, status)) in rows.iter().enumerate() {
        assert_eq!(answers[index].0, *status, "{row:?}");
        assert_eq!(answers[index + rows.len()].0, *status, "in a list, {row:?}");
    }
    if DIALECT == database::Dialect::Sqlite {
        let refused = connection.with(|connection| ByHand::load(5, connection));
        let Err(LoadError::Unavailable(error)) = refused else { panic!("it is loaded") };
        assert!(error.to_string().contains("the column `owner` of a row of "), "{error}");
    }
}

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

fn failed(error: impl std::fmt::Debug) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}

//! Values that diesel truncates: fractions in a column of another type than the schema says, as hand-written schemas
//! have, and numbers of which a field of the application's own type is made.

use actix_web::rt::System;
use auth_core::{Acl, AuthModel, LoadContext, LoadError, Permission, Scoped as _, allow, user as user_is};
use diesel::{connection::SimpleConnection as _, prelude::*};

use super::{
    Connection, DIALECT, SERVER,
    guarded::{Lent, Number, guard, numbers},
};
use crate::{database, held::user};

#[test]
fn a_fraction_is_not_taken_for_what_it_is_cut_off_to() {
    let sql_types: &[&str] = match DIALECT {
        database::Dialect::Sqlite => &["REAL", "NUMERIC"],
        #[cfg(feature = "postgres")]
        database::Dialect::Postgres => &["NUMERIC(20, 2)", "DOUBLE PRECISION"],
        #[cfg(feature = "mysql")]
        database::Dialect::Mysql => &["DOUBLE", "FLOAT", "DECIMAL(20, 2)"],
    };
    for sql_type in sql_types {
        let Some((connection, _database)) = database::open::<Connection>(SERVER) else { return };
        let connection = Lent::of(connection);
        let created = format!(
            "CREATE TABLE numbers (id INTEGER PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0, small {sql_type},
                 owner {sql_type}, account {sql_type}, open BOOLEAN NOT NULL, shared BOOLEAN);
             INSERT INTO numbers VALUES (1, 0, 2.9, 2.9, 7, FALSE, NULL), (2, 0, 7, 2.1, 2.1, FALSE, NULL),
                 (3, 0, 2, 2, 2, FALSE, NULL), (4, 0, -2.9, -2.9, 7, FALSE, NULL), (5, 0, 7, -2.1, -2.1, FALSE, NULL);"
        );
        connection.with(|connection| connection.batch_execute(&created)).unwrap();
        for (subject, granted) in [("2", Some(3)), ("-2", None)] {
            for (number, permission) in [Permission::READ, Permission::UPDATE].into_iter().enumerate() {
                let listed = connection.with(|connection| {
                    let listed = Number::accessible_by(&user(subject), permission).select(numbers::id);
                    listed.load::<i32>(connection).unwrap()
                });
                assert_eq!(listed, Vec::from_iter(granted), "{permission} with {sql_type}");
                let paths: Vec<String> = (1..=5).map(|id| format!("/{number}/{id}")).collect();
                let answers = System::new().block_on(guard(&connection, subject, &paths));
                for (id, (status, _)) in (1..).zip(answers) {
                    let expected = match (is_loaded(), granted == Some(id)) {
                        (false, _) => 503,
                        (true, true) => 200,
                        (true, false) => 403,
                    };
                    assert_eq!(status, expected, "{permission} on {id} with {sql_type}");
                }
            }
            let paths: Vec<String> = (1..=5).map(|id| format!("/by-hand/{id}")).collect();
            let answers = System::new().block_on(guard(&connection, subject, &paths));
            for (id, (status, _)) in (1..).zip(answers) {
                let expected = match (is_loaded() && id == 3, granted == Some(id)) {
                    (false, _) => 503,
                    (true, true) => 200,
                    (true, false) => 403,
                };
                assert_eq!(status, expected, "by hand, {id} with {sql_type}");
            }
        }
    }
}

/// Whether an integer is loaded from a column of other numbers.
fn is_loaded() -> bool {
    match DIALECT {
        #[cfg(feature = "postgres")]
        database::Dialect::Postgres => false,
        _ => true,
    }
}

/// A type of the application's own.
struct Owner(i32);

impl From<i32> for Owner {
    fn from(id: i32) -> Self {
        Self(id)
    }
}

#[derive(Queryable, Selectable, LoadContext)]
#[diesel(table_name = numbers)]
#[auth(connection = Connection)]
struct Owned {
    id: i32,
    #[diesel(deserialize_as = i32)]
    owner: Owner,
}

impl AuthModel for Owned {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, user_is(self.owner.0))
    }
}

#[test]
fn a_field_of_another_type_is_not_made_of_what_its_number_is_cut_off_to() {
    let Some((mut connection, _database)) = database::open::<Connection>(SERVER) else { return };
    let mut rows = vec![("2", true)];
    if DIALECT == database::Dialect::Sqlite {
        rows.extend([("4294967298", false), ("2.9", false), ("'2abc'", false)]);
    }
    connection.batch_execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, owner INTEGER)").unwrap();
    for ((owner, _), id) in rows.iter().zip(1..) {
        connection.batch_execute(&format!("INSERT INTO numbers VALUES ({id}, {owner})")).unwrap();
    }
    for ((owner, is_held), id) in rows.into_iter().zip(1..) {
        match Owned::load(id, &mut connection) {
            Ok(row) => {
                assert!(is_held, "{owner}");
                let decision = auth_core::check_access(&user("2"), &row, Permission::READ);
                assert!(decision.is_allowed(), "{owner}");
            }
            Err(LoadError::Unavailable(error)) => {
                assert!(!is_held && error.to_string().contains("the column `owner`"), "{owner}: {error}");
            }
            Err(error) => panic!("{owner}: {error}"),
        }
    }
}

//! The keys under which statements that load rows are cached, and the values that they bind.

use std::any::TypeId;

use diesel::{Queryable, debug_query, sqlite::Sqlite};

use super::*;
use crate::policy::{
    self, Rule,
    sql::{GrantedColumn, Misfit},
};

diesel::table! { notes (id) { id -> Integer, text -> Text } }

/// Declares a row of `notes`.
macro_rules! row {
    ($name:ident { $($field:ident: $type:ty),* }) => {
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = notes)]
        #[allow(dead_code, reason = "nothing is loaded")]
        struct $name { $($field: $type),* }

        impl KeyedRow for $name {
            type Database = Sqlite;
            type Key = i32;
            type Columns = (notes::id,);

            const TABLE: &'static dyn QueryFragment<Sqlite> = &notes::table;
            const COMPARED: &'static [policy::Column] = &[];
            const ROWS: Option<&'static Rule> = None;

            fn key_of(row: &Self) -> i32 {
                row.id
            }
        }
    };
}

row!(Note { id: i32, text: String });
row!(Same { id: i32, text: String });
row!(Title { id: i32 });

fn query_id<M>() -> Option<TypeId>
where
    M: KeyedRow + Selectable<M::Database, SelectExpression: QueryId>,
{
    // The number and the key carry the model as well, and are left out here.
    Rows::<M, M::SelectExpression, (), ()>::query_id()
}

#[test]
fn no_model_shares_a_prepared_statement() {
    let [note, same, title] = [query_id::<Note>(), query_id::<Same>(), query_id::<Title>()];
    assert!(note.is_some());
    assert!(note != same && same != title && title != note);
}

#[test]
fn a_statement_that_may_lock_is_written_each_time() {
    type MayLock =
        Rows<Note, <Note as Selectable<Sqlite>>::SelectExpression, GrantedColumn<Note>, HasKey<Note>>;

    assert_eq!(<MayLock as QueryId>::query_id(), None);
}

#[test]
fn a_key_is_bound() {
    let rows = Rows::<Title, _, _, _>::new(Misfit::new(), HasKey::<Title>::new(7).unwrap());
    assert_eq!(
        debug_query::<Sqlite, _>(&rows).to_string(),
        "SELECT `notes`.`id`, 0 FROM `notes` WHERE (`notes`.`id` = ?) -- binds: [7]"
    );
}

diesel::table! {
    shares (note_id, user_id, place, part) { note_id -> Integer, user_id -> BigInt, place -> Text, part -> SmallInt }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = shares)]
struct Share {
    note_id: i32,
    user_id: i64,
    place: String,
    part: i16,
}

impl KeyedRow for Share {
    type Database = Sqlite;
    type Key = (i32, i64, String, i16);
    type Columns = (shares::note_id, shares::user_id, shares::place, shares::part);

    const TABLE: &'static dyn QueryFragment<Sqlite> = &shares::table;
    const COMPARED: &'static [policy::Column] = &[];
    const ROWS: Option<&'static Rule> = None;

    fn key_of(row: &Self) -> Self::Key {
        (row.note_id, row.user_id, row.place.clone(), row.part)
    }
}

#[test]
fn each_part_of_a_key_is_bound() {
    let key = Share::key_of(&Share { note_id: 7, user_id: 8, place: "inbox".to_owned(), part: 9 });
    let rows = Rows::<Share, _, _, _>::new(Misfit::new(), HasKey::<Share>::new(key).unwrap());
    let statement = debug_query::<Sqlite, _>(&rows).to_string();
    assert!(
        statement.ends_with(
            "WHERE ((`shares`.`note_id` = ?) AND (`shares`.`user_id` = ?) AND (`shares`.`place` = ?) \
             AND (`shares`.`part` = ?)) -- binds: [7, 8, \"inbox\", 9]"
        ),
        "{statement}"
    );
    assert!(HasKey::<Share>::new((7, 8, "in\0box".to_owned(), 9)).is_err(), "no row has such a key");
}

//! Random rows of the tables.

use std::fmt::{self, Write as _};

use proptest::{collection::vec, prelude::any, strategy::Strategy};

use crate::{
    database::{Dialect, text},
    moments::Time,
    tables::{Column, Kind, Leads, Relation, TABLES, Table},
};

/// The content of a column.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(&'static str),
    Bytes(Vec<u8>),
    Bool(bool),
    Time(Time),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Integer(integer) => integer.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => f.write_str(&uuid_text(bytes).unwrap_or_else(|| format!("{bytes:?}"))),
            Self::Bool(flag) => flag.fmt(f),
            Self::Time(time) => time.written.fmt(f),
        }
    }
}

/// The form of a UUID that is an id, of 16 bytes.
pub(crate) fn uuid_text(bytes: &[u8]) -> Option<String> {
    if bytes.len() != 16 {
        return None;
    }
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        write!(text, "{byte:02x}").unwrap();
    }
    Some(text)
}

/// The rows of each table; a row is called by its index.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) tables: [Vec<Vec<Value>>; 4],
}

const MOST_ROWS: usize = 6;

const MOST_COLUMNS: usize = 11;

/// The first is that of `UUIDS[0]`, of which there are several spellings.
const LAST_BYTES: [u8; 8] = [0xab, 1, 2, 3, 4, 5, 6, 7];

fn uuid(number: usize) -> Vec<u8> {
    let mut bytes = vec![0x67, 0xe5, 0x50, 0x44, 0x10, 0xb1, 0x42, 0x6f, 0x92, 0x47, 0, 0, 0, 0, 0, 0];
    bytes[15] = LAST_BYTES[number % LAST_BYTES.len()];
    bytes
}

/// Texts of which databases take some for equal, by case, accents, blanks behind them, or as numbers.
const TEXTS: [&str; 20] = [
    "a",
    "A",
    "a ",
    "ä",
    "Ä",
    "",
    " ",
    "1",
    "01",
    "1 ",
    "+1",
    "mia",
    "MIA",
    " mia",
    "s0",
    "ß",
    "ss",
    "67e55044-10b1-426f-9247-0000000000ab",
    "67E55044-10B1-426F-9247-0000000000AB",
    "o'neill",
];

pub(crate) fn texts() -> impl Iterator<Item = Value> {
    TEXTS.into_iter().map(Value::Text)
}

/// As keys these are not equal to each other in any collation.
const KEYS: [&str; 8] = ["s0", "1", "mia", "a", "s4", "s5", "s6", "s7"];

/// The key of the row with this number.
fn key(kind: Kind, number: usize) -> Value {
    match kind {
        Kind::Integer => Value::Integer(i64::try_from(number).unwrap() + 1),
        Kind::Text => Value::Text(KEYS[number % KEYS.len()]),
        Kind::Uuid => Value::Bytes(uuid(number)),
        kind => unreachable!("no table has a key of the kind {kind:?}"),
    }
}

/// A value of a column that refers to nothing.
fn value(dialect: Dialect, kind: Kind, pick: usize) -> Value {
    match kind {
        Kind::Time | Kind::Zoned => Value::Time(Time::of(dialect, pick)),
        kind if kind.is_compared() => compared(kind, pick),
        _ if pick % 7 == 6 && kind == Kind::Binary => Value::Bytes(b"1".to_vec()),
        _ => Value::Bytes(uuid(pick % 3)),
    }
}

/// A value that a policy can name.
pub(crate) fn compared(kind: Kind, pick: usize) -> Value {
    fn of<T: Copy>(values: &[T], pick: usize) -> T {
        values[pick % values.len()]
    }
    match kind {
        Kind::SmallInt => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 32767, -32768], pick)),
        Kind::Integer => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 65537, 2_147_483_647, -2_147_483_648], pick)),
        Kind::BigInt => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 4_294_967_297, i64::MAX, i64::MIN], pick)),
        Kind::Text | Kind::NoCase => Value::Text(of(&TEXTS, pick)),
        Kind::Bool => Value::Bool(pick.is_multiple_of(2)),
        kind => unreachable!("no policy names a value of the kind {kind:?}"),
    }
}

pub(crate) fn world(dialect: Dialect) -> impl Strategy<Value = World> {
    // A third of the tables is empty or nearly so.
    let rows = || vec(vec(any::<u8>(), MOST_COLUMNS), 0..=MOST_ROWS);
    [rows(), rows(), rows(), rows()].prop_map(move |drawn| {
        let mut number = 0;
        World {
            tables: drawn.map(|rows| {
                let table = &TABLES[number];
                number += 1;
                rows.iter().enumerate().map(|(index, picks)| row(dialect, table, index, picks)).collect()
            }),
        }
    })
}

/// Every value that a column may have, and null, in each column.
pub(crate) fn every_value(dialect: Dialect) -> World {
    let rows = |table: &Table| {
        let cell = |number: usize, column: &Column| match number {
            0 if column.nullable => Value::Null,
            _ => value(dialect, column.kind, number),
        };
        let row = |number| table.columns.iter().map(|column| cell(number, column)).collect();
        (0..=TEXTS.len()).map(row).collect()
    };
    World { tables: TABLES.each_ref().map(rows) }
}

fn row(dialect: Dialect, table: &Table, number: usize, picks: &[u8]) -> Vec<Value> {
    (0..table.columns.len()).map(|index| cell(dialect, table, number, index, picks[index])).collect()
}

/// The content of a column of the row with this number.
pub(crate) fn cell(dialect: Dialect, table: &Table, number: usize, index: usize, pick: u8) -> Value {
    let (column, pick) = (&table.columns[index], usize::from(pick));
    if index == 0 {
        return key(column.kind, number);
    }
    if column.nullable && pick.is_multiple_of(4) {
        return Value::Null;
    }
    let pick = pick / 4;
    let is_foreign_key = |relation: &&Relation| relation.leads != Leads::ToMany && relation.own == index;
    let Some(relation) = table.relations.iter().find(is_foreign_key) else {
        return value(dialect, column.kind, pick);
    };
    let parent = match pick % 4 {
        // One more than there may be rows: a foreign key that leads nowhere.
        0 | 1 => pick / 4 % (MOST_ROWS + 1),
        // Trees are deep, down from a row that is its own parent.
        _ if TABLES[relation.table].name == table.name => number.saturating_sub(1),
        // Some rows have many children.
        _ => pick / 4 % 2,
    };
    key(column.kind, parent)
}

impl World {
    /// The statements that put this world into the tables, instead of another one.
    pub(crate) fn inserted(&self, dialect: Dialect) -> String {
        let mut statements = String::new();
        for (table, rows) in TABLES.iter().zip(&self.tables) {
            let emptied = match dialect {
                // Rows that are deleted, or whose transaction is rolled back, would stay in the file, and each statement
                // would read them.
                #[cfg(feature = "postgres")]
                Dialect::Postgres => "TRUNCATE",
                _ => "DELETE FROM",
            };
            write!(statements, "{emptied} {};", table.name).unwrap();
            if rows.is_empty() {
                continue;
            }
            let names: Vec<String> = table.columns.iter().map(|column| dialect.quoted(column.name)).collect();
            let rows: Vec<String> = rows
                .iter()
                .enumerate()
                .map(|(n, row)| {
                    let cells: Vec<String> = row
                        .iter()
                        .zip(table.columns)
                        .map(|(value, column)| literal(dialect, column.kind, value))
                        .collect();
                    format!("({n}, {})", cells.join(", "))
                })
                .collect();
            write!(
                statements,
                "INSERT INTO {} (n, {}) VALUES {};",
                table.name,
                names.join(", "),
                rows.join(", ")
            )
            .unwrap();
        }
        statements
    }

    /// The rows to which a relation leads, by their numbers.
    pub(crate) fn related<'a>(
        &'a self,
        row: &'a [Value],
        relation: &Relation,
    ) -> impl Iterator<Item = usize> + 'a {
        let Relation { own, related, table, .. } = *relation;
        let is_related = move |other: &Vec<Value>| row[own] != Value::Null && other[related] == row[own];
        self.tables[table].iter().enumerate().filter(move |(_, other)| is_related(other)).map(|(n, _)| n)
    }
}

pub(crate) fn literal(dialect: Dialect, kind: Kind, value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Text(value) => text(value),
        Value::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        #[cfg(feature = "postgres")]
        Value::Time(time) if kind == Kind::Zoned && dialect == Dialect::Postgres => {
            text(&format!("{}+00", time.written))
        }
        Value::Time(time) => text(time.written),
        #[cfg(feature = "postgres")]
        Value::Bytes(bytes) if kind == Kind::Uuid && dialect == Dialect::Postgres => {
            text(&uuid_text(bytes).unwrap())
        }
        Value::Bytes(bytes) => {
            let _ = kind;
            dialect.bytes(bytes)
        }
    }
}

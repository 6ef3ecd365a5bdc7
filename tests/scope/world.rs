//! Tables that hold ids of every kind, and random rows of them.
//!
//! There are no constraints: a foreign key may lead nowhere, as in a table from which a row has just been removed.

use std::fmt::{self, Write as _};

use proptest::{collection::vec, prelude::any, strategy::Strategy};

use crate::database::{Dialect, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SmallInt,
    Integer,
    BigInt,
    Text,
    /// A text whose column takes `a` and `A` for equal, where the database has a short word for that.
    NoCase,
    Binary,
    /// The type of its own that `PostgreSQL` has, and 16 bytes elsewhere.
    Uuid,
    Bool,
}

pub(crate) struct Column {
    /// As a rule writes it.
    pub(crate) written: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// The key of a table is its first column.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) relations: &'static [Relation],
}

pub(crate) struct Relation {
    pub(crate) name: &'static str,
    /// The index of a column.
    pub(crate) foreign_key: usize,
    /// The index of a table.
    pub(crate) parent: usize,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { written: name, name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { written: name, name, kind, nullable: true }
}

const fn belongs_to(name: &'static str, foreign_key: usize, parent: usize) -> Relation {
    Relation { name, foreign_key, parent }
}

/// With a key of each kind, columns of one name in several tables, names that SQL reserves, and tables that refer to
/// themselves and to each other. `models!` declares the same relations.
pub(crate) const TABLES: [Table; 4] = [
    Table {
        name: "readings",
        columns: &[
            column("id", Kind::Integer),
            nullable("asset_id", Kind::Integer),
            nullable("site", Kind::Text),
            nullable("device", Kind::Uuid),
            nullable("owner", Kind::NoCase),
            nullable("account", Kind::SmallInt),
            column("open", Kind::Bool),
            nullable("shared", Kind::Bool),
            Column { written: "order_by", name: "order", kind: Kind::BigInt, nullable: true },
        ],
        relations: &[belongs_to("asset", 1, 1), belongs_to("site", 2, 2), belongs_to("device", 3, 3)],
    },
    Table {
        name: "assets",
        columns: &[
            column("id", Kind::Integer),
            nullable("parent_id", Kind::Integer),
            nullable("site", Kind::Text),
            nullable("owner", Kind::NoCase),
            column("account", Kind::BigInt),
            nullable("open", Kind::Bool),
        ],
        relations: &[belongs_to("site", 2, 2), belongs_to("parent", 1, 1)],
    },
    Table {
        name: "sites",
        columns: &[
            column("id", Kind::Text),
            nullable("device", Kind::Uuid),
            nullable("asset_id", Kind::Integer),
            column("owner", Kind::Text),
            nullable("account", Kind::Integer),
            column("shared", Kind::Bool),
        ],
        relations: &[belongs_to("device", 1, 3), belongs_to("asset", 2, 1)],
    },
    Table {
        name: "devices",
        columns: &[
            column("id", Kind::Uuid),
            nullable("part_of", Kind::Uuid),
            nullable("owner", Kind::Binary),
            nullable("account", Kind::Text),
            nullable("open", Kind::Bool),
        ],
        relations: &[belongs_to("whole", 1, 3)],
    },
];

/// The content of a column.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(&'static str),
    Bytes(Vec<u8>),
    Bool(bool),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Integer(integer) => integer.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => f.write_str(&uuid_text(bytes).unwrap_or_else(|| format!("{bytes:?}"))),
            Self::Bool(flag) => flag.fmt(f),
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
fn value(kind: Kind, pick: usize) -> Value {
    fn of<T: Copy>(values: &[T], pick: usize) -> T {
        values[pick % values.len()]
    }
    match kind {
        Kind::SmallInt => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 32767, -32768], pick)),
        Kind::Integer => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 65537, 2_147_483_647, -2_147_483_648], pick)),
        Kind::BigInt => Value::Integer(of(&[1, 2, 1, 2, 3, -1, 4_294_967_297, i64::MAX, i64::MIN], pick)),
        Kind::Text | Kind::NoCase => Value::Text(of(&TEXTS, pick)),
        Kind::Binary if pick % 7 == 6 => Value::Bytes(b"1".to_vec()),
        Kind::Binary | Kind::Uuid => Value::Bytes(uuid(pick % 3)),
        Kind::Bool => Value::Bool(pick.is_multiple_of(2)),
    }
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    // A third of the tables is empty or nearly so.
    let rows = || vec(vec(any::<u8>(), 9), 0..=MOST_ROWS);
    [rows(), rows(), rows(), rows()].prop_map(|drawn| {
        let mut number = 0;
        World {
            tables: drawn.map(|rows| {
                let table = &TABLES[number];
                number += 1;
                rows.iter().enumerate().map(|(index, picks)| row(table, index, picks)).collect()
            }),
        }
    })
}

/// Every value that a column may have, and null, in each column.
pub(crate) fn every_value() -> World {
    let rows = |table: &Table| {
        let cell = |number: usize, column: &Column| match number {
            0 if column.nullable => Value::Null,
            _ => value(column.kind, number),
        };
        let row = |number| table.columns.iter().map(|column| cell(number, column)).collect();
        (0..=TEXTS.len()).map(row).collect()
    };
    World { tables: TABLES.each_ref().map(rows) }
}

fn row(table: &Table, number: usize, picks: &[u8]) -> Vec<Value> {
    let cell = |index: usize, column: &Column| {
        let pick = usize::from(picks[index]);
        if index == 0 {
            return key(column.kind, number);
        }
        if column.nullable && pick.is_multiple_of(4) {
            return Value::Null;
        }
        let pick = pick / 4;
        let refers = table.relations.iter().any(|relation| relation.foreign_key == index);
        // One more than there may be rows: a foreign key that leads nowhere.
        if refers { key(column.kind, pick % (MOST_ROWS + 1)) } else { value(column.kind, pick) }
    };
    table.columns.iter().enumerate().map(|(index, column)| cell(index, column)).collect()
}

/// The statements that make the tables.
pub(crate) fn created(dialect: Dialect) -> String {
    let mut statements = String::new();
    for table in &TABLES {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{} {}", dialect.quoted(column.name), sql_type(dialect, column.kind)))
            .collect();
        let options = match dialect {
            // Takes `a`, `A`, `ä` and `a ` for equal.
            #[cfg(feature = "mysql")]
            Dialect::Mysql => " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
            _ => "",
        };
        write!(
            statements,
            "CREATE TABLE {} (n INTEGER NOT NULL, touched INTEGER NOT NULL DEFAULT 0, {}){options};",
            table.name,
            columns.join(", ")
        )
        .unwrap();
    }
    statements
}

fn sql_type(dialect: Dialect, kind: Kind) -> &'static str {
    match (kind, dialect) {
        (Kind::SmallInt, _) => "SMALLINT",
        (Kind::Integer, _) => "INTEGER",
        (Kind::BigInt, _) => "BIGINT",
        (Kind::Bool, _) => "BOOLEAN",
        (Kind::NoCase, Dialect::Sqlite) => "TEXT COLLATE NOCASE",
        #[cfg(feature = "mysql")]
        (Kind::Text | Kind::NoCase, Dialect::Mysql) => "VARCHAR(60)",
        #[cfg(feature = "postgres")]
        (Kind::NoCase, Dialect::Postgres) => "TEXT",
        (Kind::Text, _) => "TEXT",
        (Kind::Binary | Kind::Uuid, Dialect::Sqlite) => "BLOB",
        #[cfg(feature = "mysql")]
        (Kind::Binary | Kind::Uuid, Dialect::Mysql) => "VARBINARY(16)",
        #[cfg(feature = "postgres")]
        (Kind::Binary, Dialect::Postgres) => "BYTEA",
        #[cfg(feature = "postgres")]
        (Kind::Uuid, Dialect::Postgres) => "UUID",
    }
}

impl World {
    /// The statements that put this world into the tables, instead of another one.
    pub(crate) fn inserted(&self, dialect: Dialect) -> String {
        let mut statements = String::new();
        for (table, rows) in TABLES.iter().zip(&self.tables) {
            write!(statements, "DELETE FROM {};", table.name).unwrap();
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

    /// The row that a relation leads to.
    pub(crate) fn parent(&self, table: usize, row: &[Value], relation: usize) -> Option<&[Value]> {
        let Relation { foreign_key, parent, .. } = TABLES[table].relations[relation];
        let key = &row[foreign_key];
        if *key == Value::Null {
            return None;
        }
        self.tables[parent].iter().find(|row| row[0] == *key).map(Vec::as_slice)
    }
}

fn literal(dialect: Dialect, kind: Kind, value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Text(value) => text(value),
        Value::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
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

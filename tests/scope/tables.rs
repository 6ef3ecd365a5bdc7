//! Tables that hold values of every kind that policies compare, and the relations between their rows.
//!
//! There are no constraints: a foreign key may lead nowhere, as in a table from which a row has just been removed.

use std::fmt::Write as _;

use crate::database::Dialect;

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
    Time,
    /// With the time zone that `PostgreSQL` has.
    Zoned,
}

impl Kind {
    pub(crate) const fn is_id(self) -> bool {
        !matches!(self, Self::Bool | Self::Time | Self::Zoned)
    }

    pub(crate) const fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::Zoned)
    }

    /// Whether a policy can name values of it.
    pub(crate) const fn is_compared(self) -> bool {
        !matches!(self, Self::Binary | Self::Uuid | Self::Time | Self::Zoned)
    }
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
    pub(crate) leads: Leads,
    /// The index of the row's own column.
    pub(crate) own: usize,
    /// The index of the column of the other table that equals it.
    pub(crate) related: usize,
    /// The index of the other table.
    pub(crate) table: usize,
}

/// Where relations lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    ToParent,
    /// To the parent, and a permission may go on up.
    Up,
    ToMany,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { written: name, name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { written: name, name, kind, nullable: true }
}

const fn belongs_to(name: &'static str, own: usize, table: usize) -> Relation {
    Relation { name, leads: Leads::ToParent, own, related: 0, table }
}

const fn recursive(name: &'static str, own: usize, table: usize) -> Relation {
    Relation { name, leads: Leads::Up, own, related: 0, table }
}

const fn has_many(name: &'static str, table: usize, related: usize) -> Relation {
    Relation { name, leads: Leads::ToMany, own: 0, related, table }
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
            nullable("ends", Kind::Time),
            nullable("starts", Kind::Zoned),
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
            nullable("ends", Kind::Zoned),
            nullable("level", Kind::SmallInt),
        ],
        relations: &[
            belongs_to("site", 2, 2),
            belongs_to("parent", 1, 1),
            recursive("above", 1, 1),
            has_many("readings", 0, 1),
            has_many("parts", 1, 1),
            has_many("sites", 2, 2),
        ],
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
            nullable("within", Kind::Text),
            column("starts", Kind::Time),
        ],
        relations: &[
            belongs_to("device", 1, 3),
            belongs_to("asset", 2, 1),
            recursive("around", 6, 2),
            has_many("assets", 1, 2),
            has_many("readings", 0, 2),
            has_many("inner", 2, 6),
        ],
    },
    Table {
        name: "devices",
        columns: &[
            column("id", Kind::Uuid),
            nullable("part_of", Kind::Uuid),
            nullable("owner", Kind::Binary),
            nullable("account", Kind::Text),
            nullable("open", Kind::Bool),
            nullable("ends", Kind::Time),
        ],
        relations: &[
            belongs_to("whole", 1, 3),
            recursive("above", 1, 3),
            has_many("readings", 0, 3),
            has_many("sites", 2, 1),
            has_many("parts", 3, 1),
        ],
    },
];

/// The statements that make the tables.
pub(crate) fn created(dialect: Dialect) -> String {
    let mut statements = match dialect {
        // It takes these tables for large ones, whose rows are not counted yet, and would compile each statement.
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "SET jit = off;".to_owned(),
        _ => String::new(),
    };
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
        (Kind::Time, Dialect::Sqlite) => "TIMESTAMP",
        (Kind::Zoned, Dialect::Sqlite) => "TEXT",
        #[cfg(feature = "mysql")]
        (Kind::Time, Dialect::Mysql) => "DATETIME(3)",
        // Otherwise the server writes the time of each change into it.
        #[cfg(feature = "mysql")]
        (Kind::Zoned, Dialect::Mysql) => "TIMESTAMP(3) NULL",
        #[cfg(feature = "postgres")]
        (Kind::Time, Dialect::Postgres) => "TIMESTAMP(3)",
        #[cfg(feature = "postgres")]
        (Kind::Zoned, Dialect::Postgres) => "TIMESTAMPTZ(3)",
    }
}

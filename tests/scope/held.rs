//! Values of columns that a field of a row cannot hold: numbers beyond it, texts where there are numbers, other types of
//! text.

use auth_core::{Id, User};
use proptest::{collection::vec, prelude::any, sample::select, strategy::Strategy};

use crate::database::{Dialect, text};

/// A value as a statement writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'static str),
    Blob(&'static str),
    Bool(bool),
}

impl Literal {
    pub(crate) fn written(self, dialect: Dialect) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Integer(integer) => integer.to_string(),
            Self::Real(real) => format!("{real:e}"),
            Self::Text(value) => text(value),
            Self::Blob(bytes) => dialect.bytes(bytes.as_bytes()),
            Self::Bool(flag) => flag.to_string(),
        }
    }
}

/// The conversions of `SQLite` before it stores values, by the type of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Number,
    Text,
    None,
}

impl Affinity {
    /// <https://www.sqlite.org/datatype3.html>, for the literals of this file.
    fn stores(self, literal: Literal) -> Literal {
        let number = |text: &str| -> Option<Literal> {
            let text = text.trim_matches(' ');
            let integer = text.parse().map(Literal::Integer).ok();
            integer.or_else(|| text.parse().ok().map(|real| Self::Number.stores(Literal::Real(real))))
        };
        match (self, literal) {
            (Self::Number, Literal::Text(text)) => number(text).unwrap_or(literal),
            #[expect(clippy::cast_possible_truncation, reason = "it is no fraction, and small")]
            (Self::Number, Literal::Real(real)) if real.fract() == 0.0 && real.abs() < 1e15 => {
                Literal::Integer(real as i64)
            }
            (Self::Text, Literal::Integer(integer)) => Literal::Text(leaked(integer.to_string())),
            (Self::Text, Literal::Real(real)) => Literal::Text(leaked(format!("{real:?}"))),
            _ => literal,
        }
    }

    /// The number that a comparison sees in a column of numbers.
    pub(crate) fn number(self, literal: Literal) -> Option<i64> {
        match self.stores(literal) {
            Literal::Integer(integer) => Some(integer),
            #[expect(clippy::cast_possible_truncation, reason = "it is no fraction, and small")]
            Literal::Real(real) if real.fract() == 0.0 && real.abs() < 1e15 => Some(real as i64),
            // Compared with a number, a column of texts compares the text of the number.
            Literal::Text(text) if self == Self::Text => {
                text.parse().ok().filter(|number: &i64| number.to_string() == text)
            }
            Literal::Bool(flag) => Some(flag.into()),
            _ => None,
        }
    }

    /// The text in a column of texts.
    pub(crate) fn text(self, literal: Literal) -> Option<&'static str> {
        match self.stores(literal) {
            // Compared with a text, a number has none.
            Literal::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A row of `numbers`, behind its key: `small`, `owner`, `account`, `open` and `shared`.
pub(crate) type Numbers = [Literal; 5];

/// The first is not null where the field takes none.
pub(crate) fn loads(row: &Numbers) -> bool {
    row[1] != Literal::Null && row[3] != Literal::Null
}

/// Whether the row grants it to the subject.
pub(crate) fn grants(affinity: Affinity, row: &Numbers, subject: Subject, permission: usize) -> bool {
    const BITS: [u32; 3] = [15, 31, 63];
    let is = |column: usize| {
        let stored = affinity.number(row[column]);
        let fits =
            |number: &i64| (-(1_i128 << BITS[column])..1 << BITS[column]).contains(&i128::from(*number));
        stored.is_some_and(|number| number.to_string() == subject && fits(&number))
    };
    let is_set = |column: usize| affinity.number(row[column]) == Some(1);
    match permission {
        0 => is(1),
        1 => is(0) || is(2),
        2 => is_set(3),
        3 => is_set(4) && (is(1) || is(2)),
        _ => false,
    }
}

/// The id of a subject and of its account.
pub(crate) type Subject = &'static str;

pub(crate) fn user(subject: Subject) -> User {
    User::new(Id::from(subject)).with_account(Id::from(subject))
}

/// The value to which it is truncated, or which it is.
pub(crate) const SUBJECTS: [Subject; 9] =
    ["2", "0", "1", "-2", "65538", "4294967298", "9223372036854775807", "2abc", "2\0"];

/// Rows of `numbers`, and the type of its columns.
pub(crate) fn numbers(dialect: Dialect) -> impl Strategy<Value = (Affinity, Vec<Numbers>)> {
    let anything = [
        Literal::Null,
        Literal::Integer(2),
        Literal::Integer(1),
        Literal::Integer(0),
        Literal::Integer(-2),
        Literal::Integer(65_538),
        Literal::Integer(4_294_967_296),
        Literal::Integer(4_294_967_297),
        Literal::Integer(4_294_967_298),
        Literal::Integer(-4_294_967_294),
        Literal::Integer(i64::MAX),
        Literal::Integer(i64::MIN),
        Literal::Real(2.0),
        Literal::Real(2.9),
        Literal::Real(0.5),
        Literal::Real(1.0),
        Literal::Real(4_294_967_298.0),
        Literal::Real(1e300),
        Literal::Text("2"),
        Literal::Text(" 2"),
        Literal::Text("02"),
        Literal::Text("2abc"),
        Literal::Text("1abc"),
        Literal::Text("2.0"),
        Literal::Text("2.9"),
        Literal::Text("true"),
        Literal::Text(""),
        Literal::Blob("2"),
        Literal::Blob("1"),
    ];
    // The values that a column of each type takes.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    let integers = move |column: usize| -> Vec<Literal> {
        let most = [1 << 15, 1 << 31, 1_i128 << 63][column];
        let fits = move |literal: &Literal| match literal {
            Literal::Null => true,
            Literal::Integer(integer) => (-most..most).contains(&i128::from(*integer)),
            _ => false,
        };
        anything.into_iter().filter(fits).collect()
    };
    let columns: [Vec<Literal>; 5] = match dialect {
        Dialect::Sqlite => std::array::from_fn(|_| anything.to_vec()),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            let flags = vec![Literal::Null, Literal::Bool(true), Literal::Bool(false)];
            [integers(0), integers(1), integers(2), flags.clone(), flags]
        }
        #[cfg(feature = "mysql")]
        Dialect::Mysql => {
            let flags =
                [Literal::Null, Literal::Bool(true), Literal::Bool(false), Literal::Integer(2)].to_vec();
            [integers(0), integers(1), integers(2), flags.clone(), flags]
        }
    };
    let affinities = match dialect {
        Dialect::Sqlite => vec![Affinity::Number, Affinity::Text, Affinity::None],
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        _ => vec![Affinity::Number],
    };
    let row = columns.map(|literals| {
        // Every field can hold half of the drawn values.
        let plain = literals.contains(&Literal::Integer(2)).then_some(Literal::Integer(2));
        (any::<bool>(), select(literals))
            .prop_map(move |(is_plain, literal)| plain.filter(|_| is_plain).unwrap_or(literal))
    });
    (select(affinities), vec(row, 1..4))
}

pub(crate) fn numbers_created(dialect: Dialect, affinity: Affinity) -> String {
    let types = match (dialect, affinity) {
        (Dialect::Sqlite, Affinity::Text) => ["TEXT"; 5],
        (Dialect::Sqlite, Affinity::None) => [""; 5],
        _ => ["SMALLINT", "INTEGER", "BIGINT", "BOOLEAN", "BOOLEAN"],
    };
    let [small, owner, account, open, shared] = types;
    format!(
        "DROP TABLE IF EXISTS numbers;
         CREATE TABLE numbers (id INTEGER PRIMARY KEY, touched INTEGER NOT NULL DEFAULT 0, small {small}, owner {owner},
                               account {account}, open {open}, shared {shared});"
    )
}

pub(crate) fn numbers_inserted(dialect: Dialect, rows: &[Numbers]) -> String {
    let rows = (1..).zip(rows).map(|(id, row)| {
        let cells = row.map(|literal| literal.written(dialect)).join(", ");
        format!("INSERT INTO numbers (id, small, owner, account, open, shared) VALUES ({id}, {cells});")
    });
    rows.collect()
}

/// Types of columns of text, and the texts that they store.
pub(crate) fn text_types(dialect: Dialect) -> Vec<(&'static str, Affinity, &'static [Literal])> {
    const TEXTS: [Literal; 12] = [
        Literal::Null,
        Literal::Text("a"),
        Literal::Text("A"),
        Literal::Text("a "),
        Literal::Text("ä"),
        Literal::Text("Ä"),
        Literal::Text("1"),
        Literal::Text("01"),
        Literal::Text("mia"),
        Literal::Text("MIA"),
        Literal::Text("ß"),
        Literal::Text("ss"),
    ];
    // Those without a blank at the end, which such a column does not tell from those with one.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    const TRIMMED: [Literal; 6] = [
        Literal::Text("a"),
        Literal::Text("A"),
        Literal::Text("ä"),
        Literal::Text("1"),
        Literal::Text("mia"),
        Literal::Null,
    ];
    const ANYTHING: [Literal; 7] = [
        Literal::Text("a"),
        Literal::Text("1"),
        Literal::Integer(1),
        Literal::Integer(2),
        Literal::Real(1.0),
        Literal::Blob("a"),
        Literal::Blob("1"),
    ];
    match dialect {
        Dialect::Sqlite => vec![
            ("TEXT", Affinity::Text, &TEXTS),
            ("TEXT COLLATE NOCASE", Affinity::Text, &TEXTS),
            ("TEXT", Affinity::Text, &ANYTHING),
            ("", Affinity::None, &ANYTHING),
            ("INTEGER", Affinity::Number, &ANYTHING),
        ],
        #[cfg(feature = "postgres")]
        Dialect::Postgres => vec![
            ("TEXT", Affinity::Text, &TEXTS),
            ("VARCHAR(20)", Affinity::Text, &TEXTS),
            ("CHAR(20)", Affinity::Text, &TRIMMED),
        ],
        #[cfg(feature = "mysql")]
        Dialect::Mysql => vec![
            ("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", Affinity::Text, &TEXTS),
            ("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Affinity::Text, &TEXTS),
            ("VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci", Affinity::Text, &TEXTS),
            ("VARCHAR(20) CHARACTER SET utf8mb3", Affinity::Text, &TEXTS),
            ("CHAR(20) CHARACTER SET latin1", Affinity::Text, &TRIMMED),
            ("VARCHAR(20) CHARACTER SET ucs2", Affinity::Text, &TEXTS),
        ],
    }
}

pub(crate) const TEXT_SUBJECTS: [Subject; 15] =
    ["a", "A", "a ", "ä", "Ä", "1", "01", "1.0", "2", "mia", "MIA", "ß", "ss", "a\0", "k1"];

pub(crate) const KEYS: [&str; 12] = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "ka", "kb", "kc"];

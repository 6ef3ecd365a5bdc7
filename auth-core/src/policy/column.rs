//! The columns of rules: their names, and the values that they can be compared with.

use std::marker::PhantomData;

use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Nullable, SmallInt, SqlType, Text, Timestamp,
    is_nullable::{IsNullable, NotNull},
};

#[cfg(feature = "mysql")]
use diesel::mysql::sql_types::Datetime;
#[cfg(feature = "sqlite")]
use diesel::sqlite::sql_types::Timestamptz as TimestamptzSqlite;
#[cfg(feature = "postgres")]
use diesel::{pg::sql_types::Timestamptz, sql_types::Uuid};

use super::assertion::{assert_that, fail, same};
use crate::acl::Literal;

/// A column of a rule.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name in Rust, as a rule writes it.
    pub written: &'static str,
    /// The name in the database.
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
}

impl Column {
    /// As a rule writes it, behind the relation that leads to it.
    pub(super) fn through(&self, relation: Option<&str>) -> String {
        relation.map_or_else(|| self.written.to_owned(), |relation| format!("{relation}.{}", self.written))
    }
}

/// The type of a column's values, as far as rules compare them.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SmallInt,
    Integer,
    BigInt,
    Text,
    /// A UUID as 16 bytes.
    Binary,
    /// The type of its own that `PostgreSQL` has.
    Uuid,
    Bool,
    Timestamp,
    /// With a time zone, as `PostgreSQL` has it.
    Timestamptz,
    /// A type that no rule compares.
    Other,
}

impl Kind {
    /// Whether it can be an id.
    pub(super) const fn is_id(self) -> bool {
        !matches!(self, Self::Bool | Self::Timestamp | Self::Timestamptz | Self::Other)
    }

    const fn is_time(self) -> bool {
        matches!(self, Self::Timestamp | Self::Timestamptz)
    }

    /// Whether a column of this kind can have the value.
    const fn has(self, literal: Literal) -> bool {
        match (self, literal) {
            (Self::Bool, Literal::Bool(_)) | (Self::BigInt, Literal::Integer(_)) => true,
            (Self::SmallInt, Literal::Integer(value)) => fits(value, i16::MIN as i64, i16::MAX as i64),
            (Self::Integer, Literal::Integer(value)) => fits(value, i32::MIN as i64, i32::MAX as i64),
            (Self::Text, Literal::Text(text)) => is_stored(text),
            _ => false,
        }
    }
}

const fn fits(value: i64, least: i64, most: i64) -> bool {
    least <= value && value <= most
}

/// Whether every database can hold the text.
const fn is_stored(text: &str) -> bool {
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        if *byte == 0 {
            return false;
        }
        bytes = rest;
    }
    true
}

/// A SQL type whose values are ids.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` does not hold ids",
    label = "this is compared with the id of a user or an account",
    note = "an id is a `SmallInt`, `Integer`, `BigInt`, `Text`, a UUID as `Binary`, or, with the feature \
            `postgres` of auth-core, a `Uuid`; any of them `Nullable`"
)]
pub trait IdType: SqlType<IsNull: Nullability> {
    const KIND: Kind;
}

/// A SQL type whose values are true or false.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` is not a rule",
    label = "only a column that is true or false is one by itself",
    note = "compare it: `user(column)`, `account(column)` or `is_null(column)`"
)]
pub trait FlagType: SqlType<IsNull: Nullability> {
    const KIND: Kind;
}

/// A SQL type whose values a policy can name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` is not compared with values",
    label = "a policy names values of booleans, integers and texts alone",
    note = "a column that is compared is a `Bool`, a `SmallInt`, `Integer` or `BigInt`, or a `Text`; any of them \
            `Nullable`"
)]
pub trait ComparedType: SqlType<IsNull: Nullability> {
    const KIND: Kind;
}

/// A SQL type whose values are moments.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` does not hold a time",
    label = "this is compared with the time of the decision",
    note = "a time is a `Timestamp`; with features of auth-core also a `Timestamptz` (`postgres`), a `Datetime` (`mysql`) or a \
            `TimestamptzSqlite` (`sqlite`); `Nullable` or not"
)]
pub trait TimeType: SqlType<IsNull: Nullability> {
    const KIND: Kind;
}

/// That a SQL type has nulls.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the column is never null",
    label = "nobody would match",
    note = "the schema declares it without `Nullable`"
)]
pub trait MayBeNull {}

impl MayBeNull for IsNullable {}

/// The kind of a SQL type, as `SqlKind::<T>::KIND`: an inherent constant for the types of a rule, and for all others the
/// constant of [`UnknownSqlKind`].
#[doc(hidden)]
pub struct SqlKind<T>(PhantomData<T>);

#[doc(hidden)]
pub trait UnknownSqlKind {
    const KIND: Kind = Kind::Other;
}

impl<T> UnknownSqlKind for SqlKind<T> {}

/// Implements the traits of the types of rules, for types that have the names of their kinds.
macro_rules! kinds {
    ($($trait:ident: $($kind:ident)*;)*) => {$($(
        kinds!(@ $trait: $kind $kind);
    )*)*};
    (@ $trait:ident: $type:ident $kind:ident) => {
        impl $trait for $type {
            const KIND: Kind = Kind::$kind;
        }

        impl $trait for Nullable<$type> {
            const KIND: Kind = Kind::$kind;
        }
    };
}

kinds! {
    IdType: SmallInt Integer BigInt Text Binary;
    FlagType: Bool;
    ComparedType: Bool SmallInt Integer BigInt Text;
    TimeType: Timestamp;
}

#[cfg(feature = "postgres")]
kinds! {
    IdType: Uuid;
    TimeType: Timestamptz;
}

// Compared as other times are: all that differs is how diesel reads them.
#[cfg(feature = "mysql")]
kinds!(@ TimeType: Datetime Timestamp);
#[cfg(feature = "sqlite")]
kinds!(@ TimeType: TimestamptzSqlite Timestamp);

macro_rules! sql_kinds {
    ($($kind:ident)*) => {$(
        sql_kinds!(@ $kind $kind);
    )*};
    (@ $type:ident $kind:ident) => {
        impl SqlKind<$type> {
            pub const KIND: Kind = Kind::$kind;
        }

        impl SqlKind<Nullable<$type>> {
            pub const KIND: Kind = Kind::$kind;
        }
    };
}

sql_kinds!(SmallInt Integer BigInt Text Binary Bool Timestamp);

#[cfg(feature = "postgres")]
sql_kinds!(Uuid Timestamptz);

#[cfg(feature = "mysql")]
sql_kinds!(@ Datetime Timestamp);
#[cfg(feature = "sqlite")]
sql_kinds!(@ TimestamptzSqlite Timestamp);

/// Whether a SQL type has nulls.
#[doc(hidden)]
pub trait Nullability {
    const NULLABLE: bool;
}

impl Nullability for IsNullable {
    const NULLABLE: bool = true;
}

impl Nullability for NotNull {
    const NULLABLE: bool = false;
}

/// A column of a table, as the schema declares it.
#[doc(hidden)]
pub struct Declared<C>(PhantomData<C>);

impl<C: diesel::Column<SqlType: SqlType<IsNull: Nullability>>> Declared<C> {
    #[must_use]
    pub const fn column(written: &'static str, kind: Kind) -> Column {
        Column {
            written,
            name: C::NAME,
            kind,
            nullable: <<C::SqlType as SqlType>::IsNull as Nullability>::NULLABLE,
        }
    }
}

/// A column that holds ids.
#[doc(hidden)]
#[must_use]
pub const fn id_column<C: diesel::Column<SqlType: IdType>>(written: &'static str) -> Column {
    Declared::<C>::column(written, <C::SqlType as IdType>::KIND)
}

/// A column that is true or false.
#[doc(hidden)]
#[must_use]
pub const fn flag_column<C: diesel::Column<SqlType: FlagType>>(written: &'static str) -> Column {
    Declared::<C>::column(written, <C::SqlType as FlagType>::KIND)
}

/// A column that is compared with values.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn compared_column<C: diesel::Column<SqlType: ComparedType>>(
    written: &'static str,
    values: &[Literal],
    mistyped: &str,
) -> Column {
    let column = Declared::<C>::column(written, <C::SqlType as ComparedType>::KIND);
    assert_values(column, values, mistyped);
    column
}

#[track_caller]
const fn assert_values(column: Column, mut values: &[Literal], mistyped: &str) {
    while let [value, rest @ ..] = values {
        assert_that(column.kind.has(*value), mistyped);
        values = rest;
    }
}

/// A column that holds a time.
#[doc(hidden)]
#[must_use]
pub const fn time_column<C: diesel::Column<SqlType: TimeType>>(written: &'static str) -> Column {
    Declared::<C>::column(written, <C::SqlType as TimeType>::KIND)
}

/// A column that may be null. No rule compares its other values.
#[doc(hidden)]
#[must_use]
pub const fn null_column<C: diesel::Column<SqlType: SqlType<IsNull: MayBeNull>>>(
    written: &'static str,
) -> Column {
    Column { written, name: C::NAME, kind: Kind::Other, nullable: true }
}

/// The column of related rows that holds ids.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn id_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.kind.is_id(), mistyped);
    column
}

/// The column of related rows that is true or false.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn flag_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(matches!(column.kind, Kind::Bool), mistyped);
    column
}

/// The column of related rows that is compared with values.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn compared_column_of(
    columns: &[Column],
    written: &str,
    values: &[Literal],
    unknown: &str,
    mistyped: &str,
) -> Column {
    let column = column_of(columns, written, unknown);
    assert_values(column, values, mistyped);
    column
}

/// The column of related rows that holds a time.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn time_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.kind.is_time(), mistyped);
    column
}

/// The foreign key of rows that refer to another.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn foreign_key_of(columns: &[Column], written: &str, unknown: &str) -> Column {
    column_of(columns, written, unknown)
}

/// The column of related rows that may be null.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn null_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.nullable, mistyped);
    column
}

/// That a word, which is no column here, is none of the related rows.
#[doc(hidden)]
#[track_caller]
pub const fn assert_no_column(mut columns: &[Column], word: &str, message: &str) {
    while let [column, rest @ ..] = columns {
        assert_that(!same(column.written, word), message);
        columns = rest;
    }
}

#[track_caller]
const fn column_of(mut columns: &[Column], written: &str, unknown: &str) -> Column {
    while let [column, rest @ ..] = columns {
        if same(column.written, written) {
            return *column;
        }
        columns = rest;
    }
    fail(unknown)
}

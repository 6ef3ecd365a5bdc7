//! The columns of rules: their names, and the values that they can be compared with.

use std::marker::PhantomData;

use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Nullable, SmallInt, SqlType, Text,
    is_nullable::{IsNullable, NotNull},
};

#[cfg(feature = "postgres")]
use diesel::sql_types::Uuid;

use super::assertion::{assert_that, fail, same};

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
    /// A type that no rule compares.
    Other,
}

impl Kind {
    /// Whether it can be an id.
    pub(super) const fn is_id(self) -> bool {
        !matches!(self, Self::Bool | Self::Other)
    }
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

macro_rules! kinds {
    ($($trait:ident: $($kind:ident)*;)*) => {$($(
        impl $trait for $kind {
            const KIND: Kind = Kind::$kind;
        }

        impl $trait for Nullable<$kind> {
            const KIND: Kind = Kind::$kind;
        }

        impl SqlKind<$kind> {
            pub const KIND: Kind = Kind::$kind;
        }

        impl SqlKind<Nullable<$kind>> {
            pub const KIND: Kind = Kind::$kind;
        }
    )*)*};
}

kinds! {
    IdType: SmallInt Integer BigInt Text Binary;
    FlagType: Bool;
}

#[cfg(feature = "postgres")]
kinds!(IdType: Uuid;);

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

/// A column that may be null. No rule compares its other values.
#[doc(hidden)]
#[must_use]
pub const fn null_column<C: diesel::Column<SqlType: SqlType<IsNull: MayBeNull>>>(
    written: &'static str,
) -> Column {
    Column { written, name: C::NAME, kind: Kind::Other, nullable: true }
}

/// The column of a parent that holds ids.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn id_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.kind.is_id(), mistyped);
    column
}

/// The column of a parent that is true or false.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn flag_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(matches!(column.kind, Kind::Bool), mistyped);
    column
}

/// The column of a parent that may be null.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn null_column_of(columns: &[Column], written: &str, unknown: &str, mistyped: &str) -> Column {
    let column = column_of(columns, written, unknown);
    assert_that(column.nullable, mistyped);
    column
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

//! The table of a policy's rows: its name and its key, as the schema has them.

use diesel::{
    Column, Table,
    internal::table_macro::{Identifier, InfixNode, StaticQueryFragment},
};

/// The table of a policy's rows.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct TableOfRows {
    pub(super) name: fn() -> TableName,
    /// The columns of its primary key, in their order.
    pub(super) key: &'static [&'static str],
}

impl TableOfRows {
    /// The table that `table!` declares.
    #[must_use]
    pub const fn of<T, Arity>() -> Self
    where
        T: Table<PrimaryKey: KeyNames<Arity>> + StaticQueryFragment<Component: Named>,
    {
        Self { name: || T::STATIC_COMPONENT.name(), key: <T::PrimaryKey as KeyNames<Arity>>::NAMES }
    }
}

/// The name of a table, and its schema where `table!` says it.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl TableName {
    /// Whether both can be one table: where a schema is not said, it may be the other's.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let schemas = self.schema.as_ref().zip(other.schema.as_ref());
        self.name == other.name && schemas.is_none_or(|(one, other)| one == other)
    }
}

/// The type that `table!` makes of a table's name.
#[doc(hidden)]
pub trait Named {
    fn name(&self) -> TableName;
}

impl Named for Identifier<'static> {
    fn name(&self) -> TableName {
        TableName { schema: None, name: self.0.to_owned() }
    }
}

/// diesel shows the two names of it to databases alone, and in its debug text.
impl Named for InfixNode<Identifier<'static>, Identifier<'static>, &'static str> {
    fn name(&self) -> TableName {
        let text = format!("{self:?}");
        let mut names = text.split("Identifier(\"").skip(1).filter_map(|rest| rest.split("\")").next());
        let (schema, name) = (names.next(), names.next());
        TableName { schema: schema.map(str::to_owned), name: name.unwrap_or_default().to_owned() }
    }
}

/// The columns of a key. `Arity` tells a column from a tuple of them.
#[doc(hidden)]
pub trait KeyNames<Arity> {
    const NAMES: &'static [&'static str];
}

#[doc(hidden)]
pub struct One;

impl<C: Column> KeyNames<One> for C {
    const NAMES: &'static [&'static str] = &[C::NAME];
}

#[doc(hidden)]
pub struct Several;

macro_rules! key_names {
    ($($($column:ident)+;)*) => {$(
        impl<$($column: Column),+> KeyNames<Several> for ($($column,)+) {
            const NAMES: &'static [&'static str] = &[$($column::NAME),+];
        }
    )*};
}

key_names! {
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

#[cfg(test)]
mod tests {
    use super::{TableName, TableOfRows};

    diesel::table! { plain (id) { id -> Integer } }
    diesel::table! { audit.entries (place, id) { id -> Integer, #[sql_name = "at"] place -> Integer } }

    #[test]
    fn a_table_without_a_schema_may_be_that_of_any() {
        let name = |schema: Option<&str>, name: &str| TableName {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        };
        for (one, other, may_be) in [
            (name(None, "a"), name(None, "a"), true),
            (name(Some("s"), "a"), name(None, "a"), true),
            (name(Some("s"), "a"), name(Some("s"), "a"), true),
            (name(Some("s"), "a"), name(Some("t"), "a"), false),
            (name(None, "a"), name(None, "b"), false),
        ] {
            assert_eq!(one.may_be(&other), may_be, "{one:?} {other:?}");
            assert_eq!(other.may_be(&one), may_be, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_table_has_the_names_that_the_schema_says() {
        let of = |table: TableOfRows| ((table.name)(), table.key);
        let name = |schema: Option<&str>, name: &str| TableName {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!(of(TableOfRows::of::<plain::table, _>()), (name(None, "plain"), &["id"][..]));
        assert_eq!(
            of(TableOfRows::of::<entries::table, _>()),
            (name(Some("audit"), "entries"), &["at", "id"][..])
        );
    }
}

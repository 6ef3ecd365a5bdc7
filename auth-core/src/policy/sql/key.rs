//! The primary key of a model's rows, as a condition of a statement.

use std::any::Any;

use diesel::{
    Column,
    backend::Backend,
    dsl::EqAny,
    expression::{AsExpression, TypedExpressionType},
    expression_methods::ExpressionMethods,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
    serialize::ToSql,
    sql_types::{HasSqlType, SingleValue, SqlType},
};

use crate::{policy, vocabulary::id::is_stored};

/// How the rows of a model are found: its table and key, as a derive knows them.
#[doc(hidden)]
pub trait KeyedRow: Sized + 'static {
    /// The kind of database.
    type Database: Backend;

    /// The primary key: a value, or a tuple of several.
    type Key: Send + 'static;

    /// The columns of the key, as a tuple.
    type Columns: KeyColumns<Self::Database, Self::Key>;

    const TABLE: &'static dyn QueryFragment<Self::Database>;

    /// The columns, besides the key, of which a field has to hold what is stored.
    const COMPARED: &'static [policy::Column];

    /// Which rows are there at all, if not all of the table.
    const ROWS: Option<&'static policy::Rule>;

    fn key_of(row: &Self) -> Self::Key;
}

/// Columns that a key is compared with.
#[doc(hidden)]
pub trait KeyColumns<DB: Backend, Key>: 'static {
    /// The condition that a row has one of several keys.
    type AnyOf: QueryFragment<DB> + QueryId + Send + 'static;

    /// Whether a row can have the key: `PostgreSQL` fails where a text has a NUL.
    fn is_stored(key: &Key) -> bool;

    /// That a row has one of the keys, of those that a row can have. `None` where the key has several columns: diesel has no
    /// expression for a list of such keys.
    fn any_of(keys: &[Key]) -> Option<Self::AnyOf>;

    /// Writes that a row has this key.
    fn write_equal<'b>(
        table: &'b dyn QueryFragment<DB>,
        key: &'b Key,
        out: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>;
}

impl<DB, C, I> KeyColumns<DB, I> for (C,)
where
    DB: Backend + HasSqlType<C::SqlType>,
    C: Column<SqlType: SqlType + SingleValue + TypedExpressionType> + ExpressionMethods + Default + 'static,
    I: AsExpression<C::SqlType> + ToSql<C::SqlType, DB> + Clone + 'static,
    EqAny<C, Vec<I>>: QueryFragment<DB> + QueryId + Send + 'static,
{
    type AnyOf = EqAny<C, Vec<I>>;

    fn is_stored(key: &I) -> bool {
        is_stored_part(key)
    }

    fn any_of(keys: &[I]) -> Option<Self::AnyOf> {
        let stored: Vec<I> = keys.iter().filter(|key| is_stored_part(*key)).cloned().collect();
        Some(C::default().eq_any(stored))
    }

    fn write_equal<'b>(
        table: &'b dyn QueryFragment<DB>,
        key: &'b I,
        mut out: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        write_part::<DB, C, I>(table, key, &mut out)
    }
}

/// The list of keys of several columns, which does not exist.
#[doc(hidden)]
#[derive(QueryId)]
pub enum NoList {}

impl<DB: Backend> QueryFragment<DB> for NoList {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match *self {}
    }
}

/// Implements keys of several columns.
macro_rules! composite {
    ($($column:ident $part:ident $index:tt)+) => {
        impl<DB, $($column, $part),+> KeyColumns<DB, ($($part,)+)> for ($($column,)+)
        where
            DB: Backend $(+ HasSqlType<$column::SqlType>)+,
            $($column: Column + 'static, $part: ToSql<$column::SqlType, DB> + 'static,)+
        {
            type AnyOf = NoList;

            fn is_stored(key: &($($part,)+)) -> bool {
                true $(&& is_stored_part(&key.$index))+
            }

            fn any_of(_: &[($($part,)+)]) -> Option<NoList> {
                None
            }

            fn write_equal<'b>(
                table: &'b dyn QueryFragment<DB>,
                key: &'b ($($part,)+),
                mut out: AstPass<'_, 'b, DB>,
            ) -> QueryResult<()> {
                out.push_sql("(");
                $(
                    if $index > 0 {
                        out.push_sql(" AND ");
                    }
                    write_part::<DB, $column, $part>(table, &key.$index, &mut out)?;
                )+
                out.push_sql(")");
                Ok(())
            }
        }
    };
}

composite!(A I 0 B J 1);
composite!(A I 0 B J 1 C K 2);
composite!(A I 0 B J 1 C K 2 D L 3);

fn write_part<'b, DB, C, I>(
    table: &'b dyn QueryFragment<DB>,
    part: &'b I,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()>
where
    DB: Backend + HasSqlType<C::SqlType>,
    C: Column,
    I: ToSql<C::SqlType, DB>,
{
    out.push_sql("(");
    table.walk_ast(out.reborrow())?;
    out.push_sql(".");
    out.push_identifier(C::NAME)?;
    out.push_sql(" = ");
    out.push_bind_param::<C::SqlType, I>(part)?;
    out.push_sql(")");
    Ok(())
}

fn is_stored_part(part: &dyn Any) -> bool {
    part.downcast_ref::<String>().is_none_or(|text| is_stored(text))
}

/// That a row has a key.
#[doc(hidden)]
pub struct HasKey<M: KeyedRow>(M::Key);

impl<M: KeyedRow> HasKey<M> {
    /// No condition if no row can have the key.
    pub(super) fn new(key: M::Key) -> QueryResult<Self> {
        if M::Columns::is_stored(&key) { Ok(Self(key)) } else { Err(diesel::NotFound) }
    }
}

// A model has one key.
impl<M: KeyedRow> QueryId for HasKey<M> {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<M: KeyedRow> QueryFragment<M::Database> for HasKey<M> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, M::Database>) -> QueryResult<()> {
        M::Columns::write_equal(M::TABLE, &self.0, out)
    }
}

//! The id of a subject, or a value that a policy names, as a column of a certain type holds it.

use diesel::{
    backend::Backend,
    query_builder::AstPass,
    result::QueryResult,
    serialize::ToSql,
    sql_types::{BigInt, Binary, Integer, SmallInt, Text},
};

use crate::{acl::Literal, policy::Kind, vocabulary::IdRef};

/// A value for the comparison with a column.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    SmallInt(i16),
    Integer(i32),
    BigInt(i64),
    Text(String),
    Binary([u8; 16]),
    /// For a column of the type `uuid`.
    Uuid(String),
    Bool(bool),
}

impl Value {
    /// `None` if no row can have this id: an integer that is too large, a text where there are integers or that no
    /// database can hold, or no id at all.
    pub(super) fn of(id: IdRef<'_>, kind: Kind) -> Option<Self> {
        match kind {
            Kind::SmallInt => id.integer()?.try_into().ok().map(Self::SmallInt),
            Kind::Integer => id.integer()?.try_into().ok().map(Self::Integer),
            Kind::BigInt => id.integer()?.try_into().ok().map(Self::BigInt),
            Kind::Text => id.stored_text().map(Self::Text),
            Kind::Binary => Some(Self::Binary(id.uuid()?.into_bytes())),
            Kind::Uuid => Some(Self::Uuid(id.uuid()?.to_string())),
            Kind::Bool | Kind::Timestamp | Kind::Timestamptz | Kind::Other => None,
        }
    }

    /// `None` for a value that no column of this kind has, which a policy cannot name.
    pub(super) fn of_literal(literal: Literal, kind: Kind) -> Option<Self> {
        match (literal, kind) {
            (Literal::Integer(value), Kind::SmallInt) => value.try_into().ok().map(Self::SmallInt),
            (Literal::Integer(value), Kind::Integer) => value.try_into().ok().map(Self::Integer),
            (Literal::Integer(value), Kind::BigInt) => Some(Self::BigInt(value)),
            (Literal::Text(value), Kind::Text) => Some(Self::Text(value.to_owned())),
            (Literal::Bool(value), Kind::Bool) => Some(Self::Bool(value)),
            _ => None,
        }
    }
}

/// A kind of database that ids can be sent to, as all of diesel's are.
#[doc(hidden)]
pub trait BindIds: Backend {
    /// Writes a text, which is bound.
    fn write_text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Writes ` = ` and the value, which is bound and never a part of the text. `column` writes the column.
    fn write_equal<'b>(
        id: &'b Value,
        column: impl Fn(&mut AstPass<'_, 'b, Self>) -> QueryResult<()>,
        out: &mut AstPass<'_, 'b, Self>,
    ) -> QueryResult<()>;
}

impl<DB: Backend> BindIds for DB
where
    i16: ToSql<SmallInt, DB>,
    i32: ToSql<Integer, DB>,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
    [u8]: ToSql<Binary, DB>,
{
    fn write_text<'b>(text: &'b str, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, str>(text)
    }

    fn write_equal<'b>(
        id: &'b Value,
        column: impl Fn(&mut AstPass<'_, 'b, Self>) -> QueryResult<()>,
        out: &mut AstPass<'_, 'b, Self>,
    ) -> QueryResult<()> {
        column(out)?;
        out.push_sql(" = ");
        match id {
            Value::SmallInt(id) => out.push_bind_param::<SmallInt, _>(id),
            Value::Integer(id) => out.push_bind_param::<Integer, _>(id),
            Value::BigInt(id) => out.push_bind_param::<BigInt, _>(id),
            Value::Binary(id) => out.push_bind_param::<Binary, [u8]>(id),
            Value::Bool(value) => {
                out.push_sql(if *value { "TRUE" } else { "FALSE" });
                Ok(())
            }
            Value::Uuid(id) => {
                // Every kind of database binds texts, and only one has this type.
                out.push_sql("CAST(");
                out.push_bind_param::<Text, str>(id)?;
                out.push_sql(" AS uuid)");
                Ok(())
            }
            Value::Text(id) => {
                // An index finds those that are equal by the collation of the column, in which `a` may be `A` or
                // `a ` as well. Of those we take what is the same to the letter: the result of a function, which is
                // the column here, has no collation in SQLite, and what only MySQL and MariaDB read compares bytes
                // there, in the character set in which ids are sent. Both sides say so: of a condition beside this one,
                // MariaDB concludes values of the column by its collation, and writes them here without their `BINARY`.
                out.push_bind_param::<Text, str>(id)?;
                out.push_sql(" AND NULLIF(/*!BINARY CONVERT(*/");
                column(out)?;
                out.push_sql("/*! USING utf8mb4)*/, NULL) = /*!BINARY*/ ");
                out.push_bind_param::<Text, str>(id)
            }
        }
    }
}

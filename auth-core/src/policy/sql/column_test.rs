//! The terms that a row decides, as SQL.

use diesel::{query_builder::AstPass, result::QueryResult};

use super::value::{BindIds, Value};
use crate::{acl::Leaf, policy::Column, vocabulary::Subject};

/// A test of a column of a row.
#[derive(Debug, Clone)]
pub(super) struct ColumnTest {
    pub(super) column: Column,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(Value),
    Null,
    True,
}

impl ColumnTest {
    /// Evaluates a term for a subject: to a test, or a constant where the subject alone decides.
    pub(super) fn answer<A: From<Self> + From<bool>>(leaf: &Leaf<Column>, subject: &dyn Subject) -> A {
        match *leaf {
            Leaf::Subject(principal) => principal.evaluate(subject, |column, own| {
                match own.of(subject).and_then(|own| Value::of(own, column.kind)) {
                    Some(id) => Self { column: *column, test: Test::Equal(id) }.into(),
                    None => false.into(),
                }
            }),
            Leaf::IsNull(column) => Self { column, test: Test::Null }.into(),
            Leaf::Flag(column) => Self { column, test: Test::True }.into(),
        }
    }

    /// Writes the test. `column` writes the column that is tested.
    pub(super) fn write<'b, DB: BindIds>(
        &'b self,
        column: impl Fn(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        match &self.test {
            Test::Equal(id) => DB::write_equal(id, column, out)?,
            Test::Null => {
                column(out)?;
                out.push_sql(" IS NULL");
            }
            Test::True => {
                column(out)?;
                // By itself it would be true, too, for 2 and 0.5, where the column is a number.
                out.push_sql(" = TRUE");
            }
        }
        Ok(())
    }
}

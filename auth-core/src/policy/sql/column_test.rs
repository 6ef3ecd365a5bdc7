//! The terms that a row decides, as SQL.

use diesel::{query_builder::AstPass, result::QueryResult};

use super::{
    moment::Moment,
    value::{BindIds, Value},
};
use crate::{
    acl::{Leaf, Literal},
    policy::Column,
    vocabulary::Subject,
};

/// A test of a column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct ColumnTest {
    pub(super) column: Column,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Equal(Value),
    /// As one of these values.
    Among(Vec<Value>),
    Null,
    Is(bool),
    Until(Moment),
    Since(Moment),
}

impl ColumnTest {
    /// Evaluates a term for a subject: to a test, or a constant where the subject alone decides. Without a subject there is
    /// nobody whom a term could match.
    pub(super) fn answer<A: From<Self> + From<bool>>(
        leaf: &Leaf<Column>,
        subject: Option<&dyn Subject>,
        now: impl FnOnce() -> Option<Moment>,
    ) -> A {
        match *leaf {
            Leaf::Subject(principal) => {
                let Some(subject) = subject else { return false.into() };
                principal.evaluate(subject, |column, own| {
                    match own.of(subject).and_then(|own| Value::of(own, column.kind)) {
                        Some(id) => Self { column: *column, test: Test::Equal(id) }.into(),
                        None => false.into(),
                    }
                })
            }
            Leaf::Permission(name) => {
                subject.is_some_and(|subject| subject.has_named_permission(name)).into()
            }
            Leaf::Everyone => true.into(),
            Leaf::IsNull(column) => Self { column, test: Test::Null }.into(),
            Leaf::Flag(column) => Self { column, test: Test::Is(true) }.into(),
            Leaf::Is(column, values) => match values {
                [Literal::Bool(value)] => Self { column, test: Test::Is(*value) }.into(),
                values => {
                    let values = values.iter().filter_map(|value| Value::of_literal(*value, column.kind));
                    Self { column, test: Test::Among(values.collect()) }.into()
                }
            },
            // At a time that databases cannot hold, only what never ends has not ended, and nothing has begun.
            Leaf::Until(column) => Self { column, test: now().map_or(Test::Null, Test::Until) }.into(),
            Leaf::Since(column) => match now() {
                Some(now) => Self { column, test: Test::Since(now) }.into(),
                None => false.into(),
            },
        }
    }

    /// Whether it compares the column with a value of the subject's.
    pub(super) const fn is_of_subject(&self) -> bool {
        matches!(self.test, Test::Equal(_))
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self.test, Test::Null)
    }

    /// Whether it is true of null.
    pub(super) fn holds_of_null(&self) -> bool {
        match self.test {
            Test::Equal(_) | Test::Among(_) | Test::Is(_) | Test::Since(_) => false,
            Test::Null | Test::Until(_) => true,
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
            Test::Among(values) => write_among(values, column, out)?,
            Test::Null => {
                column(out)?;
                out.push_sql(" IS NULL");
            }
            Test::Is(value) => {
                column(out)?;
                // By itself it would be true, too, for 2 and 0.5, where the column is a number.
                out.push_sql(if *value { " = TRUE" } else { " = FALSE" });
            }
            Test::Until(now) => {
                column(out)?;
                out.push_sql(" IS NULL OR ");
                now.write_compared(" > ", self.column.kind, column, out)?;
            }
            Test::Since(now) => now.write_compared(" <= ", self.column.kind, column, out)?,
        }
        Ok(())
    }
}

fn write_among<'b, DB: BindIds>(
    values: &'b [Value],
    column: impl Fn(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    if values.is_empty() {
        out.push_sql("1 = 0");
    }
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push_sql(" OR ");
        }
        DB::write_equal(value, &column, out)?;
    }
    Ok(())
}

//! Values that a column holds and the field of a row cannot.
//!
//! `SQLite` stores anything in any column. What diesel reads as an integer is then cut off: `4294967298`, `'2abc'` and `2.9` are
//! all `2` as an `i32`, while a condition of a statement compares what is stored. So a statement that loads a row says, too,
//! whether the row holds what is stored, and where it does not, the database decides.

use std::{any::type_name, fmt, marker::PhantomData};

use diesel::{
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
};

use super::{key::KeyedRow, rows::Number};
use crate::{
    context::LoadError,
    policy::{Column, Kind},
};

/// The first of the [compared columns](KeyedRow::COMPARED), counted from 1, in which a row of `M` has what its field cannot
/// hold; 0 if there is none.
pub(super) struct Misfit<M>(PhantomData<fn() -> M>);

impl<M> Misfit<M> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M> Clone for Misfit<M> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

// The columns are always the same for a model.
impl<M: 'static> QueryId for Misfit<M> {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

// A null is none: a field holds it, or the row cannot be loaded.
impl<M: KeyedRow> Number<M> for Misfit<M> {
    // Diesel also walks here where nothing is written, for each request, so nothing is formatted.
    fn write<'b>(
        &'b self,
        _: &'b dyn QueryFragment<M::Database>,
        out: &mut AstPass<'_, 'b, M::Database>,
    ) -> QueryResult<()> {
        let mut word = "CASE WHEN ";
        for (column, place) in M::COMPARED.iter().zip(1..) {
            match column.kind {
                Kind::SmallInt => push_condition(word, column.name, SMALL_INT, out)?,
                Kind::Integer => push_condition(word, column.name, INTEGER, out)?,
                Kind::BigInt => push_condition(word, column.name, BIG_INT, out)?,
                Kind::Bool => push_condition(word, column.name, BOOL, out)?,
                Kind::Text
                | Kind::Binary
                | Kind::Uuid
                | Kind::Timestamp
                | Kind::Timestamptz
                | Kind::Other => continue,
            }
            push_number(place, out);
            word = " WHEN ";
        }
        out.push_sql(if word == " WHEN " { " ELSE 0 END" } else { "0" });
        Ok(())
    }
}

// The conditions that a column differs from what a field holds of it, as what stands behind its name each time. What is
// greater than the mask, or no integer, differs from what the mask leaves of it; a negative number does so as well, and is
// looked at once more. The bits of MySQL and MariaDB know no sign, so what they read in the comment takes the place of the
// masks: diesel refuses what is too large for a field, but cuts fractions off.
const SMALL_INT: [&str; 4] =
    [" <> (", " /*! DIV 1) OR FALSE AND (0 */ & 32767) AND ", " <> (", " | -32768) THEN "];
const INTEGER: [&str; 4] =
    [" <> (", " /*! DIV 1) OR FALSE AND (0 */ & 2147483647) AND ", " <> (", " | -2147483648) THEN "];
const BIG_INT: [&str; 2] = [" <> (", " /*! DIV 1) OR FALSE AND (0 */ | 0) THEN "];
const BOOL: [&str; 2] = [" <> (", " = TRUE) THEN "];

#[expect(clippy::inline_always, reason = "diesel walks here for each request, and seldom writes")]
#[inline(always)]
fn push_condition<DB: Backend, const TIMES: usize>(
    word: &str,
    column: &str,
    parts: [&str; TIMES],
    out: &mut AstPass<'_, '_, DB>,
) -> QueryResult<()> {
    out.push_sql(word);
    for part in parts {
        out.push_identifier(column)?;
        out.push_sql(part);
    }
    Ok(())
}

#[inline]
fn push_number<DB: Backend>(number: usize, out: &mut AstPass<'_, '_, DB>) {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    if number > 9 {
        push_long_number(number, out);
    } else {
        out.push_sql(DIGITS.get(number).copied().unwrap_or_default());
    }
}

#[inline(never)]
fn push_long_number<DB: Backend>(number: usize, out: &mut AstPass<'_, '_, DB>) {
    push_number(number / 10, out);
    push_number(number % 10, out);
}

/// A row that holds what is stored; an error that says which column does not.
pub(super) fn fitting<M: KeyedRow>((row, misfit): (M, i32)) -> Result<M, LoadError> {
    if misfit == 0 { Ok(row) } else { Err(refused::<M>(misfit)) }
}

/// A stored value that a field would show as another one.
#[derive(Debug)]
struct Refused {
    model: &'static str,
    column: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, column } = self;
        write!(f, "the column `{column}` of a row of `{model}` holds a value that its field cannot hold")
    }
}

impl std::error::Error for Refused {}

fn refused<M: KeyedRow>(misfit: i32) -> LoadError {
    let place = usize::try_from(misfit).ok().and_then(|place| place.checked_sub(1));
    let column = place.and_then(|place| M::COMPARED.get(place)).map_or("?", |column| column.name);
    LoadError::unavailable(Refused { model: type_name::<M>(), column })
}

/// Whether [`Misfit`] finds all that these columns can have which a field cannot. How texts and bytes are compared is the
/// database's business: by the type of the column, blanks at the end count or do not.
#[doc(hidden)]
#[must_use]
pub const fn are_checked(columns: &[Column]) -> bool {
    let mut rest = columns;
    while let [column, others @ ..] = rest {
        if matches!(column.kind, Kind::Text | Kind::Binary) {
            return false;
        }
        rest = others;
    }
    true
}

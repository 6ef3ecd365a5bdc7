//! Values that a column holds and the field of a row cannot.
//!
//! `SQLite` stores anything in any column. What diesel reads as an integer is then cut off: `4294967298`, `'2abc'` and `2.9` are
//! all `2` as an `i32`, while a condition of a statement compares what is stored. So a statement that loads a row says, too,
//! whether the row holds what is stored, and where it does not, the database decides.

use std::{any::Any, any::type_name, borrow::Cow, fmt, marker::PhantomData};

use diesel::{
    Expression,
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::Integer,
};

use super::stored::{Stored, load_all_with_access, load_with_access};
use crate::{
    context::{AccessQuery, AllLoaded, LoadError, Loaded},
    policy::{Column, Kind},
    vocabulary::id::is_stored,
};

/// The first of the columns, counted from 1, in which a row of `M` has what its field cannot hold; 0 if there is none.
#[doc(hidden)]
pub struct Misfit<M> {
    columns: &'static [Column],
    model: PhantomData<fn() -> M>,
}

impl<M> Misfit<M> {
    /// The columns are always the same for a model.
    #[must_use]
    pub const fn of(columns: &'static [Column]) -> Self {
        Self { columns, model: PhantomData }
    }
}

impl<M> Expression for Misfit<M> {
    type SqlType = Integer;
}

impl<M: 'static> QueryId for Misfit<M> {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

// A null is none: a field holds it, or the row cannot be loaded.
impl<DB: Backend, M> QueryFragment<DB> for Misfit<M> {
    // Diesel also walks here where nothing is written, for each request, so nothing is formatted.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut word = "CASE WHEN ";
        for (column, place) in self.columns.iter().zip(1..) {
            match column.kind {
                Kind::SmallInt => push_condition(word, column.name, SMALL_INT, &mut out)?,
                Kind::Integer => push_condition(word, column.name, INTEGER, &mut out)?,
                Kind::BigInt => push_condition(word, column.name, BIG_INT, &mut out)?,
                Kind::Bool => push_condition(word, column.name, BOOL, &mut out)?,
                Kind::Text | Kind::Binary | Kind::Uuid | Kind::Other => continue,
            }
            push_number(place, &mut out);
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
#[doc(hidden)]
pub fn held<M>(found: QueryResult<(M, i32)>, columns: &'static [Column]) -> Result<M, LoadError> {
    let (row, misfit) = found?;
    if misfit == 0 { Ok(row) } else { Err(refused::<M>(columns, misfit)) }
}

/// Several such rows, with their keys.
#[doc(hidden)]
pub fn all_held<M, I>(
    found: QueryResult<Vec<(M, i32)>>,
    columns: &'static [Column],
    key_of: fn(&M) -> I,
) -> Result<Vec<(I, M)>, LoadError> {
    let row = |found| {
        let row = held(Ok(found), columns)?;
        Ok((key_of(&row), row))
    };
    found?.into_iter().map(row).collect()
}

/// A row for code that decides about it by what it holds.
#[doc(hidden)]
pub fn load<M: Stored>(id: M::Id, connection: &mut M::Connection) -> Result<M, LoadError> {
    held(M::load_with_misfit(id, connection), M::COMPARED)
}

/// Several such rows.
#[doc(hidden)]
pub fn load_all<M: Stored>(
    ids: &[M::Id],
    connection: &mut M::Connection,
) -> Result<Vec<(M::Id, M)>, LoadError> {
    all_held(M::load_all_with_misfit(ids, connection), M::COMPARED, M::key_of)
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

fn refused<M>(columns: &[Column], misfit: i32) -> LoadError {
    let place = usize::try_from(misfit).ok().and_then(|place| place.checked_sub(1));
    let column = place.and_then(|place| columns.get(place)).map_or("?", |column| column.name);
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

/// A row whose policy asks about its own columns alone: what it holds decides, and where that is not what is stored, the
/// database.
#[doc(hidden)]
pub fn load_decided<M: Stored>(
    id: M::Id,
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<Loaded<M>, LoadError> {
    if M::HELD_EXACTLY
        && let (row, 0) = M::load_with_misfit(id.clone(), connection)?
    {
        return Ok((row, None));
    }
    load_with_access(id, question, connection)
}

/// Several such rows.
#[doc(hidden)]
pub fn load_all_decided<M: Stored>(
    ids: &[M::Id],
    question: &AccessQuery,
    connection: &mut M::Connection,
) -> Result<AllLoaded<M::Id, M>, LoadError> {
    if M::HELD_EXACTLY {
        let found = M::load_all_with_misfit(ids, connection)?;
        if found.iter().all(|(_, misfit)| *misfit == 0) {
            return Ok(found.into_iter().map(|(row, _)| (M::key_of(&row), (row, None))).collect());
        }
    }
    load_all_with_access(ids, question, connection)
}

/// Ends a load by a key that no row can have, before a database is asked: `PostgreSQL` fails where a text has a NUL.
#[doc(hidden)]
pub fn stored_key(parts: &[&dyn Any]) -> QueryResult<()> {
    if parts.iter().all(|part| is_stored_part(*part)) { Ok(()) } else { Err(diesel::NotFound) }
}

/// The keys that rows can have.
#[doc(hidden)]
pub fn stored_keys<I: Any + Clone>(ids: &[I]) -> Cow<'_, [I]> {
    if ids.iter().all(|id| is_stored_part(id)) {
        return Cow::Borrowed(ids);
    }
    Cow::Owned(ids.iter().filter(|id| is_stored_part(*id)).cloned().collect())
}

fn is_stored_part(part: &dyn Any) -> bool {
    part.downcast_ref::<String>().is_none_or(|text| is_stored(text))
}

//! The terms of a declared policy, and their text.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::literal::Literal;
use crate::vocabulary::Principal;
#[cfg(feature = "diesel")]
use crate::vocabulary::Subject;

/// A term of a declared policy: a column stands where a list by hand has a value.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Leaf<C> {
    Subject(Principal<C, &'static str>),
    /// The subject's roles carry this permission.
    Permission(&'static str),
    Everyone,
    IsNull(C),
    /// A boolean column.
    Flag(C),
    /// The column has one of these values.
    Is(C, &'static [Literal]),
    /// The time in the column is not there, or is to come.
    Until(C),
    /// The time in the column is there, and has come.
    Since(C),
}

/// How a term finds rows by its column.
#[cfg(feature = "diesel")]
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColumnUse<C> {
    /// It has no column, or is true of too many rows.
    None,
    /// Its rows are those of the subject.
    Subject(C),
    /// Its rows have one of few values.
    Value(C),
    /// Its rows lie before or after a time.
    Time(C),
}

impl<C> Leaf<C> {
    #[cfg(feature = "diesel")]
    pub(crate) const fn column_use(&self) -> ColumnUse<&C> {
        match self {
            Self::Subject(Principal::User(column) | Principal::Account(column)) => ColumnUse::Subject(column),
            Self::Flag(column) | Self::Is(column, _) => ColumnUse::Value(column),
            Self::Until(column) | Self::Since(column) => ColumnUse::Time(column),
            Self::Subject(_) | Self::Permission(_) | Self::Everyone | Self::IsNull(_) => ColumnUse::None,
        }
    }

    /// Whether the term matches the subject on every row, or on none; `None` where that depends on the row.
    #[cfg(feature = "diesel")]
    pub(crate) fn decided_by(&self, subject: &dyn Subject) -> Option<bool> {
        match self {
            Self::Subject(principal) => principal.evaluate(subject, |_, _| None),
            Self::Permission(name) => Some(subject.has_named_permission(name)),
            Self::Everyone => Some(true),
            Self::IsNull(_) | Self::Flag(_) | Self::Is(..) | Self::Until(_) | Self::Since(_) => None,
        }
    }

    /// The term with the text of its column.
    #[cfg(feature = "diesel")]
    pub(crate) fn written<D>(&self, column: impl FnOnce(&C) -> D) -> Leaf<D> {
        match self {
            Self::Subject(principal) => Leaf::Subject(match principal {
                Principal::User(id) => Principal::User(column(id)),
                Principal::Account(id) => Principal::Account(column(id)),
                Principal::Role(name) => Principal::Role(name),
                Principal::AccountRole(name) => Principal::AccountRole(name),
                Principal::EveryLoggedInUser => Principal::EveryLoggedInUser,
            }),
            Self::Permission(name) => Leaf::Permission(name),
            Self::Everyone => Leaf::Everyone,
            Self::IsNull(tested) => Leaf::IsNull(column(tested)),
            Self::Flag(tested) => Leaf::Flag(column(tested)),
            Self::Is(tested, values) => Leaf::Is(column(tested), values),
            Self::Until(tested) => Leaf::Until(column(tested)),
            Self::Since(tested) => Leaf::Since(column(tested)),
        }
    }

    /// Its name, and what stands in parentheses behind it.
    fn parts(&self) -> (String, Argument<'_, C>) {
        match self {
            Self::Subject(principal) => (
                // As an identifier.
                principal.kind().replace('-', "_"),
                match principal {
                    Principal::User(column) | Principal::Account(column) => Argument::Column(column),
                    Principal::Role(name) | Principal::AccountRole(name) => Argument::Name(name),
                    Principal::EveryLoggedInUser => Argument::None,
                },
            ),
            Self::Permission(name) => ("permission".to_owned(), Argument::Name(name)),
            Self::Everyone => ("everyone".to_owned(), Argument::None),
            Self::IsNull(column) => ("is_null".to_owned(), Argument::Column(column)),
            Self::Flag(column) => ("column".to_owned(), Argument::Column(column)),
            Self::Is(column, values) => ("is".to_owned(), Argument::Values(column, values)),
            Self::Until(column) => ("until".to_owned(), Argument::Column(column)),
            Self::Since(column) => ("since".to_owned(), Argument::Column(column)),
        }
    }
}

enum Argument<'a, C> {
    None,
    Column(&'a C),
    Values(&'a C, &'static [Literal]),
    Name(&'static str),
}

/// As a policy declares it.
impl<C: Display> Display for Leaf<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Flag(column) = self {
            return column.fmt(f);
        }
        let (name, argument) = self.parts();
        f.write_str(&name)?;
        match argument {
            Argument::None => Ok(()),
            Argument::Column(column) => write!(f, "({column})"),
            Argument::Values(column, values) => {
                write!(f, "({column}")?;
                values.iter().try_for_each(|value| write!(f, ", {value}"))?;
                f.write_str(")")
            }
            Argument::Name(name) => write!(f, "({name:?})"),
        }
    }
}

/// As an object of one key, or as a text where nothing stands in parentheses.
impl<C: Display> Serialize for Leaf<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, argument) = self.parts();
        let argument = match argument {
            Argument::None => return serializer.serialize_str(&name),
            Argument::Column(column) => column.to_string(),
            Argument::Values(column, values) => {
                let compared = Compared { column: column.to_string(), values };
                return one_key(&name, &compared, serializer);
            }
            Argument::Name(name) => name.to_owned(),
        };
        one_key(&name, &argument, serializer)
    }
}

#[derive(Serialize)]
struct Compared {
    column: String,
    values: &'static [Literal],
}

/// An object of one key.
pub(crate) fn one_key<S: Serializer>(
    name: &str,
    value: &impl Serialize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(1))?;
    object.serialize_entry(name, value)?;
    object.end()
}

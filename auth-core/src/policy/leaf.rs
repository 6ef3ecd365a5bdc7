//! The terms that a declared policy is made of: what a subject alone says of each, and its text.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::Column;
use crate::vocabulary::{Principal, Subject};

/// A term of a rule.
#[doc(hidden)]
#[derive(Debug)]
pub enum Leaf {
    /// A principal, with the column that holds its id.
    Subject(Principal<Column, &'static str>),
    IsNull(Column),
    /// A boolean column.
    Flag(Column),
}

impl Leaf {
    /// Whether it matches the subject on every row, or on none; `None` where that depends on the row.
    pub(super) fn known(&self, subject: &dyn Subject) -> Option<bool> {
        match self {
            Self::Subject(principal) => principal.evaluate(subject, |_, _| None),
            Self::IsNull(_) | Self::Flag(_) => None,
        }
    }

    /// Its name, and what stands in parentheses behind it.
    fn parts(&self) -> (String, Argument<'_>) {
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
            Self::IsNull(column) => ("is_null".to_owned(), Argument::Column(column)),
            Self::Flag(column) => ("column".to_owned(), Argument::Column(column)),
        }
    }
}

enum Argument<'a> {
    None,
    Column(&'a Column),
    Name(&'a str),
}

/// A term as a policy declares it, and in JSON as an object of one key.
#[derive(Clone, Copy)]
pub(super) struct WrittenLeaf<'a> {
    pub(super) leaf: &'a Leaf,
    /// The relation in front of its column.
    pub(super) through: Option<&'a str>,
}

impl WrittenLeaf<'_> {
    fn column(&self, column: &Column) -> String {
        self.through
            .map_or_else(|| column.written.to_owned(), |through| format!("{through}.{}", column.written))
    }
}

impl Display for WrittenLeaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Leaf::Flag(column) = self.leaf {
            return f.write_str(&self.column(column));
        }
        let (name, argument) = self.leaf.parts();
        f.write_str(&name)?;
        match argument {
            Argument::None => Ok(()),
            Argument::Column(column) => write!(f, "({})", self.column(column)),
            Argument::Name(name) => write!(f, "({name:?})"),
        }
    }
}

impl Serialize for WrittenLeaf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, argument) = self.leaf.parts();
        let argument = match argument {
            Argument::None => return serializer.serialize_str(&name),
            Argument::Column(column) => self.column(column),
            Argument::Name(name) => name.to_owned(),
        };
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(&name, &argument)?;
        object.end()
    }
}

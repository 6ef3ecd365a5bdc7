//! The terms that a declared policy is made of, and their text.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::vocabulary::Principal;

/// A term of a declared policy: a column stands where a list by hand has a value.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Leaf<C> {
    Subject(Principal<C, &'static str>),
    IsNull(C),
    /// A boolean column.
    Flag(C),
}

impl<C> Leaf<C> {
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
            Self::IsNull(tested) => Leaf::IsNull(column(tested)),
            Self::Flag(tested) => Leaf::Flag(column(tested)),
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
            Self::IsNull(column) => ("is_null".to_owned(), Argument::Column(column)),
            Self::Flag(column) => ("column".to_owned(), Argument::Column(column)),
        }
    }
}

enum Argument<'a, C> {
    None,
    Column(&'a C),
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
            Argument::Name(name) => name.to_owned(),
        };
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(&name, &argument)?;
        object.end()
    }
}

//! The terms of a declared policy: their text, and their evaluation over the fields of a context.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    field::{ComparedField, FlagField, IdField},
    literal::Literal,
    rule::{ByHand, Carried, Everyone, Expr, Rule, sealed},
};
use crate::vocabulary::{Condition, Principal, Subject};

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

/// A term of a derived list: a rule over a field of the context or over the subject, with the term as the policy writes it.
///
/// The rule is of a type of its own for each term. A `Leaf` in its place would be built in memory for each decision, and
/// matched there.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Derived<R> {
    rule: R,
    written: Leaf<&'static str>,
}

#[expect(clippy::inline_always, reason = "as all rules are")]
impl<R: Rule> Rule for Derived<R> {
    #[inline(always)]
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.rule.matches(subject)
    }

    fn condition<S: Subject + ?Sized>(&self, subject: &S) -> Condition {
        Condition::term(self.written.to_string(), self.matches(subject))
    }
}

impl<R> sealed::Sealed for Derived<R> {}

/// `user(column)`
#[doc(hidden)]
#[inline]
pub fn user_of<'a, Kind, F: IdField<Kind>>(
    field: &'a F,
    column: &'static str,
) -> Expr<Derived<Option<ByHand<'a>>>> {
    let written = Leaf::Subject(Principal::User(column));
    Expr(Derived { rule: field.id().map(Principal::User), written })
}

/// `account(column)`
#[doc(hidden)]
#[inline]
pub fn account_of<'a, Kind, F: IdField<Kind>>(
    field: &'a F,
    column: &'static str,
) -> Expr<Derived<Option<ByHand<'a>>>> {
    let written = Leaf::Subject(Principal::Account(column));
    Expr(Derived { rule: field.id().map(Principal::Account), written })
}

/// `is_null(column)`
#[doc(hidden)]
#[inline]
pub fn is_null<T>(field: &Option<T>, column: &'static str) -> Expr<Derived<Option<Everyone>>> {
    Expr(Derived { rule: field.is_none().then_some(Everyone), written: Leaf::IsNull(column) })
}

/// A boolean column.
#[doc(hidden)]
#[inline]
pub fn flag<F: FlagField>(field: &F, column: &'static str) -> Expr<Derived<Option<Everyone>>> {
    Expr(Derived { rule: field.is_set().then_some(Everyone), written: Leaf::Flag(column) })
}

/// `is(column, value, …)`
#[doc(hidden)]
#[inline]
pub fn is<F: ComparedField>(
    field: &F,
    column: &'static str,
    values: &'static [Literal],
) -> Expr<Derived<Option<Everyone>>> {
    let passes = values.iter().any(|value| field.equals(value));
    Expr(Derived { rule: passes.then_some(Everyone), written: Leaf::Is(column, values) })
}

/// `role(name)`
#[doc(hidden)]
#[inline]
pub fn of_role(name: &'static str) -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::Role(name), written: Leaf::Subject(Principal::Role(name)) })
}

/// `account_role(name)`
#[doc(hidden)]
#[inline]
pub fn of_account_role(name: &'static str) -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::AccountRole(name), written: Leaf::Subject(Principal::AccountRole(name)) })
}

/// `permission(name)`
#[doc(hidden)]
#[inline]
pub fn of_permission(name: &'static str) -> Expr<Derived<Carried<'static>>> {
    Expr(Derived { rule: Carried(name), written: Leaf::Permission(name) })
}

/// `every_logged_in_user`
#[doc(hidden)]
#[inline]
pub fn of_every_logged_in_user() -> Expr<Derived<ByHand<'static>>> {
    Expr(Derived { rule: Principal::EveryLoggedInUser, written: Leaf::Subject(Principal::EveryLoggedInUser) })
}

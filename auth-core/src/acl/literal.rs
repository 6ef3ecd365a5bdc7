//! The values that a declared policy names.

use std::fmt;

use serde::{Serialize, Serializer};

/// A value in a policy, for the comparison with a column.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    Bool(bool),
    Integer(i64),
    Text(&'static str),
}

/// As a policy declares it.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => write!(f, "{value:?}"),
        }
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Integer(value) => serializer.serialize_i64(value),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

/// A type of constants that policies name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a policy names no constant of the type `{Self}`",
    label = "compared with a column",
    note = "a constant is a `bool`, an `i16`, `i32` or `i64`, or a `&'static str`; for a type of your own, declare what its \
            column stores: `const DRAFT: &str = \"draft\"`"
)]
pub trait LiteralType {}

/// Fails where a constant has another type.
#[doc(hidden)]
pub const fn assert_literal<T: LiteralType>(_: &T) {}

/// A constant that a policy names.
#[doc(hidden)]
#[derive(Debug)]
pub struct Constant<T>(pub T);

macro_rules! literals {
    ($($type:ty => |$value:ident| $literal:expr;)+) => {$(
        impl LiteralType for $type {}

        impl Constant<$type> {
            #[must_use]
            pub const fn literal(self) -> Literal {
                let $value = self.0;
                $literal
            }
        }
    )+};
}

literals! {
    bool => |value| Literal::Bool(value);
    i16 => |value| Literal::Integer(value as i64);
    i32 => |value| Literal::Integer(value as i64);
    i64 => |value| Literal::Integer(value);
    &'static str => |value| Literal::Text(value);
}

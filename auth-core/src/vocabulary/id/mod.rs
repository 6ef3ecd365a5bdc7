//! The ids of subjects, accounts and contexts.
//!
//! An application keeps the key type that it has: integers, UUIDs or text. An id is its canonical text,
//! so `Id::from(7)` and `Id::from("7")` are the same id, while `"07"` is another one. Integers and UUIDs are
//! stored and compared as numbers; no comparison allocates.
//!
//! A UUID has many texts: upper case, in braces, without hyphens. As an id each is a text of its own. Where a context
//! holds a UUID and no text, each of them matches it, as a column of that type takes each of them for the same value.

#[cfg(test)]
mod tests;
mod text;

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use uuid::Uuid;

/// An owned id: integer, UUID or text.
///
/// ```
/// use auth_core::Id;
///
/// assert_eq!(Id::from(7), Id::from("7"));
/// assert_ne!(Id::from(7), Id::from("07"));
/// assert_eq!(Id::from("heat pump").to_string(), "heat pump");
/// ```
#[derive(Clone)]
pub struct Id(Owned);

/// A borrowed id, which costs nothing to make from a key that the application has.
///
/// ```
/// use auth_core::{Id, IdRef};
///
/// let stored = Id::from(7);
/// assert_eq!(IdRef::from(7), IdRef::from(&stored));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdRef<'a>(Borrowed<'a>);

// INVARIANT: `Text` never holds the canonical form of an integer of this range, so that two ids of which one is an integer
// are equal exactly if both are. Every constructor goes through `Borrowed::from_text`. A text that is a UUID stays one: of
// a context's id it matters whether it was a UUID or a text.
#[derive(Clone)]
enum Owned {
    Integer(i128),
    Uuid(Uuid),
    Text(Box<str>),
}

#[derive(Clone, Copy)]
enum Borrowed<'a> {
    Integer(i128),
    Uuid(Uuid),
    Text(&'a str),
}

impl<'a> Borrowed<'a> {
    fn from_text(text: &'a str) -> Self {
        canonical_integer(text).map_or(Self::Text(text), Self::Integer)
    }

    /// Calls `with` with the canonical text, unless it is an integer.
    fn with_text<R>(self, with: impl FnOnce(&str) -> R) -> Option<R> {
        match self {
            Self::Integer(_) => None,
            Self::Uuid(uuid) => Some(with(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))),
            Self::Text(text) => Some(with(text)),
        }
    }

    fn uuid(self) -> Option<Uuid> {
        match self {
            Self::Integer(_) => None,
            Self::Uuid(uuid) => Some(uuid),
            Self::Text(text) => Uuid::try_parse(text).ok(),
        }
    }

    /// [`IdRef::means`], where not both are integers.
    #[inline(never)]
    fn means(self, of_subject: Self) -> bool {
        match self {
            Self::Integer(_) => false,
            Self::Uuid(own) => of_subject.uuid() == Some(own),
            Self::Text(own) => !own.is_empty() && is_stored(own) && self == of_subject,
        }
    }
}

impl PartialEq for Borrowed<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (one, other) => one.cmp(&other) == Ordering::Equal,
        }
    }
}

impl Eq for Borrowed<'_> {}

impl PartialOrd for Borrowed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Integers come first.
impl Ord for Borrowed<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Integer(one), Self::Integer(other)) => one.cmp(&other),
            (Self::Integer(_), _) => Ordering::Less,
            (_, Self::Integer(_)) => Ordering::Greater,
            (one, other) => {
                let texts = one.with_text(|one| other.with_text(|other| one.cmp(other)));
                texts.flatten().unwrap_or(Ordering::Equal)
            }
        }
    }
}

impl Hash for Borrowed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Self::Integer(integer) => integer.hash(state),
            other => other.with_text(|text| text.hash(state)).unwrap_or_default(),
        }
    }
}

/// `text` as an integer, if printing the integer gives `text` again.
fn canonical_integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    // A larger integer stays text: it is an id all the same, and cannot wrap.
    if canonical { text.parse().ok() } else { None }
}

impl Id {
    /// Borrows the id.
    #[must_use]
    pub fn as_id_ref(&self) -> IdRef<'_> {
        IdRef(match &self.0 {
            Owned::Integer(integer) => Borrowed::Integer(*integer),
            Owned::Uuid(uuid) => Borrowed::Uuid(*uuid),
            Owned::Text(text) => Borrowed::Text(text),
        })
    }
}

impl IdRef<'_> {
    /// Whether it is the empty text.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        matches!(self.0, Borrowed::Text(""))
    }

    /// Whether a context or a principal that holds this id means a subject by the id `of_subject`: as a database compares
    /// a column with it. An empty id means no one: many a table stores it for a missing one.
    #[inline]
    pub(crate) fn means(self, of_subject: IdRef<'_>) -> bool {
        match (self.0, of_subject.0) {
            (Borrowed::Integer(own), Borrowed::Integer(other)) => own == other,
            (own, other) => own.means(other),
        }
    }

    /// The id as a principal means it: a text that reads as a UUID is that UUID.
    pub(crate) fn of_principal(self) -> Self {
        self.0.uuid().map_or(self, Self::from)
    }

    #[cfg(feature = "diesel")]
    pub(crate) fn integer(self) -> Option<i128> {
        if let Borrowed::Integer(integer) = self.0 { Some(integer) } else { None }
    }

    /// The UUID that it is, or that its text is in any form.
    #[cfg(feature = "diesel")]
    pub(crate) fn uuid(self) -> Option<Uuid> {
        self.0.uuid()
    }

    /// The text, if a column can hold it and it is not empty.
    #[cfg(feature = "diesel")]
    pub(crate) fn stored_text(self) -> Option<String> {
        match self.0 {
            Borrowed::Text(text) => (!text.is_empty() && is_stored(text)).then(|| text.to_owned()),
            _ => Some(self.to_string()),
        }
    }

    /// Copies the id.
    #[must_use]
    pub fn to_id(self) -> Id {
        Id(match self.0 {
            Borrowed::Integer(integer) => Owned::Integer(integer),
            Borrowed::Uuid(uuid) => Owned::Uuid(uuid),
            Borrowed::Text(text) => Owned::Text(text.into()),
        })
    }
}

/// Whether every database can hold the text: `PostgreSQL` stores no NUL.
pub(crate) fn is_stored(text: &str) -> bool {
    !text.contains('\0')
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_id_ref() == other.as_id_ref()
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_id_ref().cmp(&other.as_id_ref())
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_id_ref().hash(state);
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Id {
            fn from(integer: $integer) -> Self {
                Self(Owned::Integer(i128::from(integer)))
            }
        }

        impl From<$integer> for IdRef<'_> {
            #[inline]
            fn from(integer: $integer) -> Self {
                Self(Borrowed::Integer(i128::from(integer)))
            }
        }

        impl From<&$integer> for IdRef<'_> {
            #[inline]
            fn from(integer: &$integer) -> Self {
                Self::from(*integer)
            }
        }
    )*};
}

from_integers!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

impl From<Uuid> for Id {
    fn from(uuid: Uuid) -> Self {
        Self(Owned::Uuid(uuid))
    }
}

impl From<Uuid> for IdRef<'_> {
    #[inline]
    fn from(uuid: Uuid) -> Self {
        Self(Borrowed::Uuid(uuid))
    }
}

impl From<&Uuid> for IdRef<'_> {
    #[inline]
    fn from(uuid: &Uuid) -> Self {
        Self::from(*uuid)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        IdRef::from(text).to_id()
    }
}

impl<'a> From<&'a str> for IdRef<'a> {
    fn from(text: &'a str) -> Self {
        Self(Borrowed::from_text(text))
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(match canonical_integer(&text) {
            Some(integer) => Owned::Integer(integer),
            None => Owned::Text(text.into_boxed_str()),
        })
    }
}

impl<'a> From<&'a String> for IdRef<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl<'a> From<&'a Id> for IdRef<'a> {
    #[inline]
    fn from(id: &'a Id) -> Self {
        id.as_id_ref()
    }
}

impl From<IdRef<'_>> for Id {
    fn from(id: IdRef<'_>) -> Self {
        id.to_id()
    }
}

impl PartialEq<IdRef<'_>> for Id {
    fn eq(&self, other: &IdRef<'_>) -> bool {
        self.as_id_ref() == *other
    }
}

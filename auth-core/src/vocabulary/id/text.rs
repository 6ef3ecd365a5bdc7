//! Ids as text and as JSON.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Borrowed, Id, IdRef};

impl FromStr for Id {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_id_ref().fmt(f)
    }
}

impl fmt::Display for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Borrowed::Integer(integer) => integer.fmt(f),
            Borrowed::Uuid(uuid) => uuid.fmt(f),
            Borrowed::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_id_ref().fmt(f)
    }
}

impl fmt::Debug for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Borrowed::Integer(integer) => integer.fmt(f),
            Borrowed::Uuid(uuid) => uuid.fmt(f),
            // Quoted and escaped, for a text may hold anything.
            Borrowed::Text(text) => fmt::Debug::fmt(text, f),
        }
    }
}

/// As a number where 64 bits hold it, else as text.
impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_id_ref().serialize(serializer)
    }
}

/// As [`Id`].
impl Serialize for IdRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Borrowed::Integer(integer) => match (i64::try_from(integer), u64::try_from(integer)) {
                (Ok(signed), _) => serializer.serialize_i64(signed),
                (_, Ok(unsigned)) => serializer.serialize_u64(unsigned),
                _ => serializer.collect_str(&integer),
            },
            Borrowed::Uuid(uuid) => serializer.collect_str(&uuid),
            Borrowed::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// From a number or from text.
impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: an integer or a text")
            }

            fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Id, E> {
                Ok(Id::from(integer))
            }

            fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Id, E> {
                Ok(Id::from(integer))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Ok(Id::from(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Id, E> {
                Ok(Id::from(text))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

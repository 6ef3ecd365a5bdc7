//! Serializes a row without the fields that its reader may not see.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    ser::{Error, Impossible, SerializeMap, SerializeStruct},
};

use super::{PermissionList, Visible};
use crate::{policy::sql::Scoped, vocabulary::Permission};

impl<T: Scoped + Serialize, P: PermissionList> Serialize for Visible<T, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let masks = (P::PERMISSIONS.len()..).zip(T::POLICY.column_grants(Permission::READ));
        let masked: Vec<Masked> = masks
            .flat_map(|(place, mask)| {
                let hidden = !self.granted.holds(place);
                mask.serialized.iter().map(move |name| Masked { name, hidden, seen: false })
            })
            .collect();
        let can =
            if P::PERMISSIONS.is_empty() { None } else { Some(self.can().map(Permission::as_str).collect()) };
        self.row.serialize(Masking { serializer, masked, can })
    }
}

/// A field of which not every reader sees the value.
struct Masked {
    name: &'static str,
    hidden: bool,
    /// Whether the row has come to it. A row that passes it by may show its value by another name.
    seen: bool,
}

/// Takes a struct, and passes on what its reader may see.
struct Masking<S> {
    serializer: S,
    masked: Vec<Masked>,
    can: Option<Vec<&'static str>>,
}

/// The fields that are passed on.
struct Passed<M> {
    map: M,
    masked: Vec<Masked>,
    can: Option<Vec<&'static str>>,
}

impl<S: Serializer> Masking<S> {
    fn passed(self) -> Result<Passed<S::SerializeMap>, S::Error> {
        let Self { serializer, masked, can } = self;
        Ok(Passed { map: serializer.serialize_map(None)?, masked, can })
    }
}

impl<M: SerializeMap> Passed<M> {
    /// Whether a field is hidden. It is seen then.
    fn hides(&mut self, name: &str) -> bool {
        let Some(field) = self.masked.iter_mut().find(|field| field.name == name) else { return false };
        field.seen = true;
        field.hidden
    }

    fn pass<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), M::Error> {
        if self.hides(name) { Ok(()) } else { self.map.serialize_entry(name, value) }
    }

    fn finish(mut self) -> Result<M::Ok, M::Error> {
        if let Some(missed) = self.masked.iter().find(|field| !field.seen) {
            return Err(M::Error::custom(format_args!(
                "the row is serialized without a field `{}`, so its value may stand elsewhere",
                missed.name
            )));
        }
        if let Some(can) = &self.can {
            self.map.serialize_entry("_can", can)?;
        }
        self.map.end()
    }
}

impl<M: SerializeMap> SerializeStruct for Passed<M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        self.pass(name, value)
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), M::Error> {
        self.hides(name);
        Ok(())
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.finish()
    }
}

/// A struct with flattened fields.
impl<M: SerializeMap> SerializeMap for Passed<M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), M::Error> {
        match serde_json::to_value(key) {
            Ok(serde_json::Value::String(name)) => self.pass(&name, value),
            _ => Err(not_a_struct()),
        }
    }

    fn serialize_key<K: Serialize + ?Sized>(&mut self, _: &K) -> Result<(), M::Error> {
        Err(not_a_struct())
    }

    fn serialize_value<V: Serialize + ?Sized>(&mut self, _: &V) -> Result<(), M::Error> {
        Err(not_a_struct())
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.finish()
    }
}

fn not_a_struct<E: Error>() -> E {
    E::custom("a row serializes as a struct, of which fields can be left out")
}

/// Refuses what has no fields.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*))*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<S::Ok, S::Error> {
            Err(not_a_struct())
        }
    )*};
}

impl<S: Serializer> Serializer for Masking<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Passed<S::SerializeMap>;
    type SerializeStruct = Passed<S::SerializeMap>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    refuse! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128) serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
        serialize_bytes(&[u8]) serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.passed()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.passed()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        Err(not_a_struct())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        Err(not_a_struct())
    }
}

//! Values of a world, as diesel binds them.

use auth_core::__private::NewValues;
use diesel::{
    backend::Backend,
    sql_types::{BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text},
    sqlite::Sqlite,
};
#[cfg(any(feature = "postgres", feature = "mysql"))]
use time::{PrimitiveDateTime, macros::format_description};

use crate::{tables::Kind, world::Value};

/// A value of a column, or null.
pub(crate) enum Bound {
    SmallInt(Option<i16>),
    Integer(Option<i32>),
    BigInt(Option<i64>),
    Text(Option<String>),
    Binary(Option<Vec<u8>>),
    Bool(Option<bool>),
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    Time(Option<PrimitiveDateTime>),
    #[cfg(feature = "postgres")]
    Zoned(Option<time::OffsetDateTime>),
    #[cfg(feature = "postgres")]
    Uuid(Option<postgres::Bytes>),
}

/// A kind of database that takes values of every kind.
pub(crate) trait Binds: Backend {
    fn bound(kind: Kind, value: &Value) -> Bound;

    fn set<'a>(values: &mut NewValues<'a, Self>, column: &'static str, value: &'a Bound);
}

fn plain(kind: Kind, value: &Value) -> Option<Bound> {
    let integer = match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    };
    Some(match kind {
        Kind::SmallInt => Bound::SmallInt(integer.map(|integer| integer.try_into().unwrap())),
        Kind::Integer => Bound::Integer(integer.map(|integer| integer.try_into().unwrap())),
        Kind::BigInt => Bound::BigInt(integer),
        Kind::Text | Kind::NoCase => Bound::Text(match value {
            Value::Text(text) => Some((*text).to_owned()),
            _ => None,
        }),
        Kind::Binary => Bound::Binary(match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        }),
        Kind::Bool => Bound::Bool(match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }),
        Kind::Uuid | Kind::Time | Kind::Zoned => return None,
    })
}

macro_rules! set_plain {
    ($values:ident, $column:ident, $value:ident $(, $kind:ident: $sql:ty)*) => {
        match $value {
            Bound::SmallInt(value) => $values.set::<Nullable<SmallInt>, _>($column, value),
            Bound::Integer(value) => $values.set::<Nullable<Integer>, _>($column, value),
            Bound::BigInt(value) => $values.set::<Nullable<BigInt>, _>($column, value),
            Bound::Text(value) => $values.set::<Nullable<Text>, _>($column, value),
            Bound::Binary(value) => $values.set::<Nullable<Binary>, _>($column, value),
            Bound::Bool(value) => $values.set::<Nullable<Bool>, _>($column, value),
            $(Bound::$kind(value) => $values.set::<Nullable<$sql>, _>($column, value),)*
            #[allow(unreachable_patterns, reason = "others have more kinds")]
            _ => unreachable!("no such kind in this database"),
        }
    };
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn time(value: &Value) -> Option<PrimitiveDateTime> {
    let Value::Time(time) = value else { return None };
    let (whole, rest) = time.written.split_once('.').unwrap_or((time.written, "0"));
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond]");
    Some(PrimitiveDateTime::parse(&format!("{whole}.{rest}"), &form).unwrap())
}

/// Times are texts of any form.
impl Binds for Sqlite {
    fn bound(kind: Kind, value: &Value) -> Bound {
        plain(kind, value).unwrap_or_else(|| match kind {
            Kind::Uuid => plain(Kind::Binary, value).unwrap(),
            _ => Bound::Text(match value {
                Value::Time(time) => Some(time.written.to_owned()),
                _ => None,
            }),
        })
    }

    fn set<'a>(values: &mut NewValues<'a, Self>, column: &'static str, value: &'a Bound) {
        set_plain!(values, column, value);
    }
}

#[cfg(feature = "mysql")]
impl Binds for diesel::mysql::Mysql {
    fn bound(kind: Kind, value: &Value) -> Bound {
        plain(kind, value).unwrap_or_else(|| match kind {
            Kind::Uuid => plain(Kind::Binary, value).unwrap(),
            _ => Bound::Time(time(value)),
        })
    }

    fn set<'a>(values: &mut NewValues<'a, Self>, column: &'static str, value: &'a Bound) {
        set_plain!(values, column, value, Time: diesel::sql_types::Timestamp);
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write as _;

    use diesel::{
        pg::{Pg, sql_types::Timestamptz},
        serialize::{IsNull, Output, Result, ToSql},
        sql_types::{Nullable, Timestamp, Uuid},
    };

    use super::{
        BigInt, Binary, Binds, Bool, Bound, Integer, Kind, NewValues, SmallInt, Text, Value, plain, time,
    };

    /// Those of a UUID.
    #[derive(Debug)]
    pub(crate) struct Bytes(Vec<u8>);

    impl ToSql<Uuid, Pg> for Bytes {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result {
            out.write_all(&self.0)?;
            Ok(IsNull::No)
        }
    }

    impl Binds for Pg {
        fn bound(kind: Kind, value: &Value) -> Bound {
            plain(kind, value).unwrap_or_else(|| match (kind, value) {
                (Kind::Uuid, Value::Bytes(bytes)) => Bound::Uuid(Some(Bytes(bytes.clone()))),
                (Kind::Uuid, _) => Bound::Uuid(None),
                (Kind::Zoned, _) => Bound::Zoned(time(value).map(time::PrimitiveDateTime::assume_utc)),
                _ => Bound::Time(time(value)),
            })
        }

        fn set<'a>(values: &mut NewValues<'a, Self>, column: &'static str, value: &'a Bound) {
            set_plain!(values, column, value, Time: Timestamp, Zoned: Timestamptz, Uuid: Uuid);
        }
    }
}

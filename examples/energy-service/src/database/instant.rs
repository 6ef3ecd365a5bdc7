//! Instants in UTC, as they are stored in each database. The format of clients is in `routes/input`.

use std::time::{Duration, SystemTime};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{HasSqlType, SqlType, Timestamp},
};

use super::Backend;

/// The type of a column with instants: `TIMESTAMP`, but `DATETIME(6)` in `MariaDB`.
///
/// Diesel's own `Timestamp` would reach `MariaDB` as its `TIMESTAMP`, which ends in 2038: a later instant becomes `NULL`,
/// also in a comparison.
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(sqlite_type(name = "Text"))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1114, array_oid = 1115)))]
#[cfg_attr(feature = "mysql", diesel(mysql_type(name = "DateTime")))]
pub struct Datetime;

/// An instant, in UTC.
#[derive(AsExpression, Clone, Copy, Debug, Eq, FromSqlRow, Ord, PartialEq, PartialOrd)]
#[diesel(sql_type = Datetime)]
pub struct Instant(pub NaiveDateTime);

impl Instant {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().naive_utc())
    }

    /// The moment so long before; the earliest of all where there is none.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let earlier = TimeDelta::from_std(duration).ok().and_then(|delta| self.0.checked_sub_signed(delta));
        Self(earlier.unwrap_or(NaiveDateTime::MIN))
    }
}

impl From<Instant> for SystemTime {
    fn from(Instant(instant): Instant) -> Self {
        instant.and_utc().into()
    }
}

macro_rules! as_timestamp {
    ($backend:ty) => {
        impl ToSql<Datetime, $backend> for Instant {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, $backend>) -> serialize::Result {
                ToSql::<Timestamp, $backend>::to_sql(&self.0, out)
            }
        }

        impl FromSql<Datetime, $backend> for Instant {
            fn from_sql(
                value: <$backend as diesel::backend::Backend>::RawValue<'_>,
            ) -> deserialize::Result<Self> {
                <NaiveDateTime as FromSql<Timestamp, $backend>>::from_sql(value).map(Self)
            }
        }
    };
}

as_timestamp!(diesel::sqlite::Sqlite);
#[cfg(feature = "postgres")]
as_timestamp!(diesel::pg::Pg);
#[cfg(feature = "mysql")]
as_timestamp!(diesel::mysql::Mysql);

impl HasSqlType<Datetime> for Backend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Datetime>(lookup)
    }
}

impl ToSql<Datetime, Backend> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Backend>) -> serialize::Result {
        out.set_value((Datetime, self));
        Ok(IsNull::No)
    }
}

impl FromSql<Datetime, Backend> for Instant {
    fn from_sql(value: <Backend as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Datetime>()
    }
}

/// From a column of diesel's own type, which policies compare.
impl FromSql<Timestamp, Backend> for Instant {
    fn from_sql(value: <Backend as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<Timestamp, Backend>>::from_sql(value).map(Self)
    }
}

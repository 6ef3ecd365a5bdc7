//! The time of a decision, as a statement compares it.

use std::time::SystemTime;

use diesel::{query_builder::AstPass, result::QueryResult};
use time::OffsetDateTime;

use super::value::BindIds;
use crate::policy::Kind;

/// A time, to the millisecond, as text for each kind of column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// For columns without a time zone, which hold UTC, as diesel stores it.
    utc: String,
    zoned: String,
}

impl Moment {
    /// `None` for a time outside of the years from 1970 to 9999, which all databases have.
    pub(super) fn of(time: SystemTime) -> Option<Self> {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let nanoseconds = i128::try_from(since_epoch.as_nanos()).ok()?;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
        let utc = format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond(),
        );
        let zoned = format!("{utc}+00");
        Some(Self { utc, zoned })
    }

    /// Writes the column, the operator, and the time.
    pub(super) fn write_compared<'b, DB: BindIds>(
        &'b self,
        operator: &str,
        kind: Kind,
        column: impl Fn(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        if kind == Kind::Timestamptz {
            column(out)?;
            out.push_sql(operator);
            out.push_sql("CAST(");
            DB::write_text(&self.zoned, out)?;
            out.push_sql(" AS timestamptz)");
            return Ok(());
        }
        out.push_sql(SQLITE_STRFTIME);
        column(out)?;
        out.push_sql(SQLITE_END);
        out.push_sql(operator);
        out.push_sql(NOT_MYSQL_CAST);
        DB::write_text(&self.utc, out)?;
        out.push_sql(NOT_MYSQL_AS_TIMESTAMP);
        Ok(())
    }
}

// One text for every kind of database, for what is on the other end is known when the statement is sent at the earliest. A time
// is bound as text, the one type that all of them take:
//
// * PostgreSQL reads `column > CAST($1 AS timestamp)`;
// * MySQL and MariaDB read `column > ?`, and compare as times;
// * SQLite reads `strftime('%Y-%m-%d %H:%M:%f', column) > CAST(? AS timestamp TEXT)`. It stores times as any text that its
//   functions read, with a `T` or a blank, with a time zone or none, and the function brings them into one form. What is no
//   time at all becomes null, which is neither to come nor past.
const SQLITE_STRFTIME: &str = sqlite_only!("strftime('%Y-%m-%d %H:%M:%f',");
const SQLITE_END: &str = sqlite_only!(")");
const NOT_MYSQL_CAST: &str = not_mysql!("CAST(");
const NOT_MYSQL_AS_TIMESTAMP: &str =
    concat!(not_mysql!("AS timestamp"), sqlite_only!("TEXT"), not_mysql!(")"));

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_written_to_the_millisecond() {
        let time = |seconds: u64, millis: u64| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1000 + millis);
            Moment::of(time).map(|moment| moment.zoned)
        };
        assert_eq!(time(0, 0).as_deref(), Some("1970-01-01 00:00:00.000+00"));
        assert_eq!(time(1_709_164_799, 7).as_deref(), Some("2024-02-28 23:59:59.007+00"));
        assert_eq!(time(1_709_164_800, 0).as_deref(), Some("2024-02-29 00:00:00.000+00"));
        assert_eq!(time(253_402_300_799, 999).as_deref(), Some("9999-12-31 23:59:59.999+00"));
        assert_eq!(time(253_402_300_800, 0), None);
    }
}

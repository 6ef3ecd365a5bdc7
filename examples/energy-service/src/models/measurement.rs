//! Measurements: the records of a sensor. They are no context of their own: the sensor's access-control list decides
//! about reading and recording them.

use diesel::{Insertable, QueryResult, Queryable, RunQueryDsl, Selectable};

use crate::{
    database::{Backend, Connection, Instant},
    schema::measurements,
};

/// Measurements of one statement. Each binds three values, and `SQLite` takes 32,766.
const CHUNK: usize = 1_000;

/// One value of one sensor.
#[derive(Clone, Copy, Debug, Insertable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = measurements, check_for_backend(Backend))]
pub struct Measurement {
    /// The sensor that recorded it.
    pub sensor_id: i32,
    /// The beginning of the measured event.
    pub event_start: Instant,
    /// In the unit of the sensor.
    pub event_value: f64,
}

impl Measurement {
    /// Inserts all of them, in as few statements as possible: call it in a transaction.
    ///
    /// # Errors
    ///
    /// When there is one of a sensor and an instant already, or the database fails.
    pub fn insert(all: &[Self], connection: &mut Connection) -> QueryResult<()> {
        for chunk in all.chunks(CHUNK) {
            let insert = diesel::insert_into(measurements::table).values(chunk);
            // Diesel writes several rows in one statement only where it knows the database.
            match connection {
                Connection::Sqlite(connection) => insert.execute(connection),
                #[cfg(feature = "postgres")]
                Connection::Postgres(connection) => insert.execute(connection),
                #[cfg(feature = "mysql")]
                Connection::Mysql(connection) => insert.execute(connection),
            }?;
        }
        Ok(())
    }
}
